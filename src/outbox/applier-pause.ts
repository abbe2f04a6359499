/**
 * A wait that can be ended before its time.
 */
import type { Clock, TimerHandle } from "../ports/basics.ts";

export class Pause {
  readonly #clock: Clock;
  #timer: TimerHandle | null = null;
  #resume: (() => void) | null = null;

  constructor({ clock }: { readonly clock: Clock }) {
    this.#clock = clock;
  }

  /** Resolves after `waitMs`, or at `end`. One at a time. */
  wait(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#resume = resolve;
      this.#timer = this.#clock.setTimeout(() => this.end(), waitMs);
    });
  }

  end(): void {
    if (this.#timer !== null) this.#clock.clearTimeout(this.#timer);
    this.#timer = null;
    this.#resume?.();
    this.#resume = null;
  }
}
