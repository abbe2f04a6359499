/**
 * Purpose: the time-outs of many calls on one timer: arming a timer for each call cost a tenth of the call.
 * Keeps true: each call's `expire` runs once, not before its deadline, unless the call was done before.
 * Does not know: what a call is. Bounded by whoever adds: a call is forgotten when it is done or expired.
 */
import type { Clock, TimerHandle } from "../../ports/clock.ts";

/** One call that is waited for. */
export interface Deadline {
  readonly atMonoMs: number;
  readonly expire: () => void;
}

export class Deadlines {
  readonly #clock: Clock;
  readonly #waiting = new Set<Deadline>();
  #timer: TimerHandle | null = null;
  /** Infinity while no timer runs. */
  #wakesAtMonoMs = Infinity;

  constructor(components: { readonly clock: Clock }) {
    this.#clock = components.clock;
  }

  add(deadline: Deadline): void {
    this.#waiting.add(deadline);
    if (deadline.atMonoMs < this.#wakesAtMonoMs) this.#wakeAt(deadline.atMonoMs);
  }

  done(deadline: Deadline): void {
    this.#waiting.delete(deadline);
  }

  /** Stops the timer and expires what still waits. */
  close(): void {
    this.#wakeAt(Infinity);
    for (const deadline of this.#waiting) deadline.expire();
    this.#waiting.clear();
  }

  #wakeAt(atMonoMs: number): void {
    if (this.#timer !== null) this.#clock.clearTimeout(this.#timer);
    this.#timer = null;
    this.#wakesAtMonoMs = atMonoMs;
    if (atMonoMs === Infinity) return;
    this.#timer = this.#clock.setTimeout(() => this.#wake(), Math.max(0, atMonoMs - this.#clock.monoMs()));
  }

  /** The timer of a call that was done long ago finds nothing to do, and is not set again. */
  #wake(): void {
    const nowMonoMs = this.#clock.monoMs();
    let nextMonoMs = Infinity;
    for (const deadline of this.#waiting) {
      if (deadline.atMonoMs <= nowMonoMs) {
        this.#waiting.delete(deadline);
        deadline.expire();
      } else {
        nextMonoMs = Math.min(nextMonoMs, deadline.atMonoMs);
      }
    }
    this.#wakeAt(nextMonoMs);
  }
}
