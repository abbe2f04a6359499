/**
 * Purpose: measures how late timers fire, which is how late a heartbeat would be.
 * How: one timer; its lateness is one sample. A stall is seen when it covers the instant at which the timer was due.
 */
import type { Clock, TimerHandle } from "../ports/clock.ts";

const SAMPLE_EVERY_MS = 250;

export class LoopLag {
  readonly #clock: Clock;
  readonly #observe: (lateMs: number) => void;
  #timer: TimerHandle | null = null;

  /** `observe` gets every sample, ms. */
  constructor(clock: Clock, observe: (lateMs: number) => void) {
    this.#clock = clock;
    this.#observe = observe;
  }

  start(): void {
    const dueMs = this.#clock.monoMs() + SAMPLE_EVERY_MS;
    this.#timer = this.#clock.setTimeout(() => {
      this.#observe(Math.max(0, this.#clock.monoMs() - dueMs));
      this.start();
    }, SAMPLE_EVERY_MS);
  }

  close(): void {
    if (this.#timer !== null) this.#clock.clearTimeout(this.#timer);
    this.#timer = null;
  }
}
