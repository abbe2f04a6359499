/**
 * The stacks that are not to be published now: each until its back-off has passed, or until a person has looked.
 * Keeps true: a stack that fails again rests longer, with full jitter, up to a bound; one timer a stack.
 */
import { backoffMs } from "../core/failure-detector.ts";
import type { Clock, TimerHandle, Random } from "../ports/basics.ts";

const BACKOFF = { baseMs: 200, capMs: 30_000 };
/** Doublings after which the wait grows no more. */
const MAX_DOUBLINGS = 16;

/** Why a stack rests: what its last attempt met, or that only a person can help. */
export type RestReason = "unavailable" | "refused" | "overtaken" | "lost" | "store" | "person";

interface Rest {
  readonly reason: RestReason;
  readonly timer: TimerHandle | null;
}

export class Rests {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #onDue: (stackId: string) => void;
  readonly #resting = new Map<string, Rest>();
  /** Failures in a row, and the reason of the last. */
  readonly #failures = new Map<string, { readonly count: number; readonly reason: RestReason }>();

  constructor(parts: { readonly clock: Clock; readonly random: Random }, onDue: (stackId: string) => void) {
    this.#clock = parts.clock;
    this.#random = parts.random;
    this.#onDue = onDue;
  }

  get size(): number {
    return this.#resting.size;
  }

  has(stackId: string): boolean {
    return this.#resting.has(stackId);
  }

  /** Lets a stack rest: until a person ends it, or for longer than the last time. */
  rest(stackId: string, reason: RestReason): void {
    this.#end(stackId);
    if (reason === "person") {
      this.#resting.set(stackId, { reason, timer: null });
      return;
    }
    const count = this.#failures.get(stackId)?.count ?? 0;
    this.#failures.set(stackId, { count: Math.min(count + 1, MAX_DOUBLINGS), reason });
    const timer = this.#clock.setTimeout(() => this.wake(stackId), backoffMs(count, this.#random.next(), BACKOFF));
    this.#resting.set(stackId, { reason, timer });
  }

  /** Ends the rest of a stack now. */
  wake(stackId: string): void {
    if (!this.#resting.has(stackId)) return;
    this.#end(stackId);
    this.#onDue(stackId);
  }

  /** A stack got through: its failures are forgotten, and where nobody had answered before, all that wait for an answer try. */
  succeeded(stackId: string): void {
    const wasAway = this.#failures.get(stackId)?.reason === "unavailable";
    this.#failures.delete(stackId);
    if (!wasAway) return;
    for (const [other, { reason }] of [...this.#resting]) if (reason === "unavailable") this.wake(other);
  }

  /** Forgets everything. */
  clear(): void {
    for (const stackId of [...this.#resting.keys()]) this.#end(stackId);
    this.#failures.clear();
  }

  #end(stackId: string): void {
    const timer = this.#resting.get(stackId)?.timer ?? null;
    if (timer !== null) this.#clock.clearTimeout(timer);
    this.#resting.delete(stackId);
  }
}
