/**
 * Who holds the reconcile lock, also where it is neither of the two engines: asks the witness now and then.
 * It asks only while someone looks on, one question at a time, far more seldom than states are pushed.
 */
import type { Coordinator } from "../coordinator/types.ts";
import type { Clock, TimerHandle } from "../ports/basics.ts";
import { LOCK_EVERY_MS, type ShownLock } from "./inspected.ts";

interface Held extends ShownLock {
  readonly readAtMonoMs: number;
}

export class LockWatch {
  readonly #coordinator: Pick<Coordinator, "readLock">;
  readonly #clock: Clock;
  #held: Held | null = null;
  #timer: TimerHandle | null = null;
  /** Counts the lookings-on, so that an answer that comes late is not taken for one of the present. */
  #life = 0;
  #open = false;

  constructor(components: { readonly coordinator: Pick<Coordinator, "readLock">; readonly clock: Clock }) {
    this.#coordinator = components.coordinator;
    this.#clock = components.clock;
  }

  open(): void {
    if (this.#open) return;
    this.#open = true;
    this.#life += 1;
    void this.#ask(this.#life);
  }

  /** Idempotent. */
  close(): void {
    this.#open = false;
    if (this.#timer !== null) this.#clock.clearTimeout(this.#timer);
    this.#timer = null;
    this.#held = null;
  }

  /** Who holds it by the last answer, and how much longer, ms; null: nobody, or nobody knows. */
  now(): ShownLock | null {
    if (this.#held === null) return null;
    const expiresMs = this.#held.expiresMs - (this.#clock.monoMs() - this.#held.readAtMonoMs);
    return expiresMs > 0 ? { holder: this.#held.holder, expiresMs } : null;
  }

  async #ask(life: number): Promise<void> {
    const answer = await this.#coordinator.readLock();
    if (!this.#open || life !== this.#life) return;
    const lock = answer.outcome === "read" ? answer.lock : null;
    const readAtMonoMs = this.#clock.monoMs();
    this.#held = lock === null ? null : { holder: lock.holder, expiresMs: lock.expiresMs, readAtMonoMs };
    this.#timer = this.#clock.setTimeout(() => void this.#ask(life), LOCK_EVERY_MS);
  }
}
