/**
 * Purpose: a person's or a control plane's word that this engine shall lead [HO1–HO4].
 * Keeps true: one request, one epoch: a repeated `requestId` gets the first answer; every request is recorded.
 */
import type { Kit } from "../actors/kit.ts";
import type { Mover } from "../actors/leadership.ts";
import type { Json } from "../core/canonical-json.ts";
import { callersRequestId, otherLabel, type Label, type RequestId } from "../core/ids.ts";
import type { ForceLeaderOutcome, ForceLeaderRequest } from "../core/outcomes.ts";
import type { Actors } from "./actors.ts";

/** How long campaigns are tried for one request, ms. */
const TRY_FOR_MS = 900;
const RETRY_MS = 20;

export class ForceLeader {
  readonly #kit: Kit;
  readonly #actors: Actors;
  readonly #underWay = new Map<string, Promise<ForceLeaderOutcome>>();

  constructor(kit: Kit, actors: Actors) {
    this.#kit = kit;
    this.#actors = actors;
  }

  async force(request: ForceLeaderRequest): Promise<ForceLeaderOutcome> {
    const requestId = request.requestId ?? this.#kit.ports.ids.next("request");
    const first = this.#kit.ports.store.findRequest(requestId);
    if (first !== null) return first.answer as unknown as ForceLeaderOutcome;
    const running = this.#underWay.get(requestId) ?? this.#run(requestId, request);
    this.#underWay.set(requestId, running);
    try {
      return await running;
    } finally {
      this.#underWay.delete(requestId);
    }
  }

  async #run(requestId: string, request: ForceLeaderRequest): Promise<ForceLeaderOutcome> {
    const { book, leadership } = this.#actors.succession;
    if (leadership.role === "leader") return { outcome: "already-leader", epoch: book.accepted };
    if (request.expectedEpoch !== null && request.expectedEpoch !== book.accepted) {
      return { outcome: "epoch-mismatch", epoch: book.accepted };
    }
    const startedAtMs = this.#kit.nowMs();
    const previousEpoch = book.accepted;
    const previousLeader: Label | null = this.#actors.leader;
    const mover: Mover = { cause: "forced", by: request.by, reason: request.reason };
    const refusal = await this.#takeRole(callersRequestId(requestId), request, mover, startedAtMs);
    const outcome: ForceLeaderOutcome =
      refusal !== null
        ? { outcome: "no-quorum", detail: refusal }
        : {
            outcome: "leads",
            answer: {
              engineLabel: this.#kit.options.label,
              role: "leader",
              epoch: book.accepted,
              previousEpoch,
              previousLeader,
              mode: request.mode,
              tookMs: this.#kit.nowMs() - startedAtMs,
              requestId,
            },
          };
    this.#record(requestId, request, outcome);
    return outcome;
  }

  /** null: this engine leads. Else why it does not. */
  async #takeRole(
    requestId: RequestId,
    request: ForceLeaderRequest,
    mover: Mover,
    startedAtMs: number,
  ): Promise<string | null> {
    const { succession, handover } = this.#actors;
    const peerLeads = succession.monitor.alive && this.#actors.leader === otherLabel(this.#kit.options.label);
    if (peerLeads) {
      const result = await handover.take(requestId, mover);
      if (result.outcome === "done") return null;
      if (request.mode === "graceful") return `the leader did not hand over: ${result.reason}`;
    }
    const { mode, acceptDualAir } = request;
    for (;;) {
      const result = await succession.leadership.campaign({ kind: "forced", mode, acceptDualAir }, mover);
      if (result.outcome === "won") return null;
      if (result.reason === "no quorum" || this.#kit.nowMs() >= startedAtMs + TRY_FOR_MS) return result.reason;
      await new Promise<void>((resolve) => this.#kit.ports.clock.setTimeout(resolve, RETRY_MS));
    }
  }

  #record(requestId: string, request: ForceLeaderRequest, outcome: ForceLeaderOutcome): void {
    const { store, clock, logger } = this.#kit.ports;
    const { by, reason, mode } = request;
    try {
      const at = String(Math.round(clock.unixMs()));
      store.saveRequest({ requestId, at, by, reason, mode, answer: outcome as unknown as Json });
    } catch (error) {
      logger.error({ err: error, requestId }, "a force-leader request could not be recorded");
    }
  }
}
