/**
 * The waits between two tries of one piece of work.
 * Keeps true: every wait has this one owner, and none outlives `close()`.
 */
import type { Clock, TimerHandle } from "../ports/basics.ts";

export class Pauses {
  readonly #clock: Pick<Clock, "setTimeout" | "clearTimeout">;
  readonly #waiting = new Map<TimerHandle, (passed: boolean) => void>();
  #closed = false;

  constructor({ clock }: { readonly clock: Pick<Clock, "setTimeout" | "clearTimeout"> }) {
    this.#clock = clock;
  }

  /** Waits `ms`. Whether the time has passed: false once this is closed, and the one who waits should give up. */
  wait(ms: number): Promise<boolean> {
    if (this.#closed) return Promise.resolve(false);
    return new Promise((resolve) => {
      const timer = this.#clock.setTimeout(() => {
        this.#waiting.delete(timer);
        resolve(true);
      }, ms);
      this.#waiting.set(timer, resolve);
    });
  }

  /** Ends every wait. Idempotent. */
  close(): void {
    this.#closed = true;
    for (const [timer, resolve] of this.#waiting) {
      this.#clock.clearTimeout(timer);
      resolve(false);
    }
    this.#waiting.clear();
  }
}
