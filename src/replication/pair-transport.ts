/**
 * Purpose: `/sync` over the peer channel: the other engine of the pair is asked like any other place.
 * Keeps true: every call ends, by an answer or by its time-out; what is answered late or unasked is dropped.
 */
import type { Json } from "../core/canonical-json.ts";
import type { SyncAnswerMessage, SyncCall } from "../core/messages.ts";
import type { RequestId } from "../core/ids.ts";
import type { Clock, TimerHandle, Ids } from "../ports/basics.ts";
import type { PullRequest, SyncAnswer, SyncTransport } from "../ports/sync-transport.ts";

const TIMEOUT_MS = 2_000;
/** Calls under way at once. */
const MAX_PENDING = 8;

interface Pending {
  readonly settle: (answer: SyncAnswer<Json>) => void;
  readonly timer: TimerHandle;
}

export class PairTransport implements SyncTransport {
  readonly #clock: Clock;
  readonly #ids: Ids;
  readonly #send: (call: SyncCall) => boolean;
  readonly #pending = new Map<RequestId, Pending>();

  constructor(parts: { readonly clock: Clock; readonly ids: Ids; readonly send: (call: SyncCall) => boolean }) {
    this.#clock = parts.clock;
    this.#ids = parts.ids;
    this.#send = parts.send;
  }

  identity(): Promise<SyncAnswer<Json>> {
    return this.#call({ call: "identity", after: "", limit: 1, maxBytes: 1 });
  }

  compare(heads: NonNullable<SyncCall["heads"]>): Promise<SyncAnswer<Json>> {
    return this.#call({ call: "compare", after: "", limit: 1, maxBytes: 1, heads });
  }

  pull({ after, limit, maxBytes, own = false }: PullRequest): Promise<SyncAnswer<Json>> {
    return this.#call({ call: "pull", after, limit, maxBytes, ...(own ? { own } : {}) });
  }

  /** The peer pulls for itself. */
  async push(): Promise<SyncAnswer<Json>> {
    return { outcome: "refused", status: 405, code: "method_not_allowed" };
  }

  take({ requestId, value }: SyncAnswerMessage): void {
    this.#end(requestId, { outcome: "answered", value });
  }

  close(): void {
    for (const requestId of [...this.#pending.keys()]) this.#end(requestId, failed("ECONNRESET"));
  }

  #call(asked: Omit<SyncCall, "type" | "requestId">): Promise<SyncAnswer<Json>> {
    if (this.#pending.size >= MAX_PENDING) return Promise.resolve(failed("EAGAIN"));
    const requestId = this.#ids.next("request");
    if (!this.#send({ type: "sync-call", requestId, ...asked })) return Promise.resolve(failed("ECONNREFUSED"));
    return new Promise((settle) => {
      const timer = this.#clock.setTimeout(() => this.#end(requestId, failed("ETIMEDOUT")), TIMEOUT_MS);
      this.#pending.set(requestId, { settle, timer });
    });
  }

  #end(requestId: RequestId, answer: SyncAnswer<Json>): void {
    const pending = this.#pending.get(requestId);
    if (pending === undefined) return;
    this.#pending.delete(requestId);
    this.#clock.clearTimeout(pending.timer);
    pending.settle(answer);
  }
}

/** As Node says it of a socket. */
function failed(code: string): SyncAnswer<Json> {
  return { outcome: "failed", error: Object.assign(new Error("the peer did not answer"), { code }) };
}
