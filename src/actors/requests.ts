/**
 * The requests to move the role, and how each ended [HO4]. A request that made an epoch is told to the peer, so that its
 * repetition gets the same answer there and makes no second epoch [I8]. Who was out of reach is told when it is back.
 */
import { callersRequestId } from "../core/ids.ts";
import type { Json } from "../core/canonical-json.ts";
import type { ForceLeaderOutcome } from "../core/outcomes.ts";
import type { ForcedAnswer, PeerMessage, RequestAnswered } from "../core/messages.ts";
import type { RequestEntry } from "../ports/store.ts";
import type { Kit } from "./kit.ts";

/** Answers that wait for a peer out of reach. */
const MOST_UNTOLD = 64;
const LOOK_MS = 5;

export class Requests {
  readonly #kit: Kit;
  readonly #send: (message: PeerMessage) => boolean;
  /** Answers that the peer has not said to keep, oldest first. */
  readonly #untold = new Map<string, RequestAnswered>();

  constructor(kit: Kit, deps: { send(message: PeerMessage): boolean }) {
    this.#kit = kit;
    this.#send = (message) => deps.send(message);
  }

  /** The first answer to a request of the control plane, wherever it was given. */
  answered(requestId: string): ForceLeaderOutcome | null {
    const first = this.#kit.ports.store.findRequest(requestId);
    return first === null ? null : (first.answer as unknown as ForceLeaderOutcome);
  }

  /**
   * Keeps a request; a disk that refuses costs the caller no answer.
   * `mode`: `graceful`, `immediate`, or `handover` for a role that its leader gave away.
   */
  record(request: Omit<RequestEntry, "at">): void {
    this.#save({ ...request, at: String(Math.round(this.#kit.ports.clock.unixMs())) });
  }

  /** Tells the peer of an epoch that a request made. Settles once the peer keeps it, or after a heartbeat's time. */
  async share(answer: ForcedAnswer, { by, reason }: Pick<RequestEntry, "by" | "reason">): Promise<void> {
    const at = String(Math.round(this.#kit.ports.clock.unixMs()));
    const told: RequestAnswered = { type: "request-answered", by, reason, at, answer };
    const [oldest] = this.#untold.keys();
    if (this.#untold.size >= MOST_UNTOLD && oldest !== undefined) this.#untold.delete(oldest);
    this.#untold.set(answer.requestId, told);
    if (!this.#send(told)) return;
    const untilMs = this.#kit.nowMs() + this.#kit.failover.heartbeatMs;
    while (this.#untold.has(answer.requestId) && this.#kit.nowMs() < untilMs) {
      if (!(await this.#kit.pauses.wait(LOOK_MS))) return;
    }
  }

  /** Called at every heartbeat: an answer that got lost is told again, one at a time. */
  beat(): void {
    const [oldest] = this.#untold.values();
    if (oldest !== undefined) this.#send(oldest);
  }

  onAnswered({ answer, by, reason, at }: RequestAnswered): void {
    const outcome = { outcome: "leads", answer } as unknown as Json;
    const { requestId, mode } = answer;
    if (this.#save({ requestId, by, reason, mode, at, answer: outcome }))
      this.#send({ type: "request-kept", requestId: callersRequestId(requestId) });
  }

  onKept(requestId: string): void {
    this.#untold.delete(requestId);
  }

  #save(entry: RequestEntry): boolean {
    const { store, logger } = this.#kit.ports;
    try {
      store.saveRequest(entry);
      return true;
    } catch (error) {
      logger.error({ err: error, requestId: entry.requestId }, "a request to move the role could not be recorded");
      return false;
    }
  }
}
