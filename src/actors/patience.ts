/**
 * How long a call may take whose usual duration nobody knows in advance: a state may have a hundred bytes or a hundred
 * megabytes. It begins short, so that one call without an answer holds nothing up for long, and doubles with every call
 * that is lost, so that a slow engine gets the time that it needs.
 */

/** Times its usual duration that a call may take before it is taken to hang, and the least of it. */
const MOST_TIMES_USUAL = 8;
const LEAST_MOST_MS = 2_000;
/** What is given up each time may also have grown. */
const GROWTH = 1.5;

export class Patience {
  readonly #firstMs: number;
  readonly #limitMs: number;
  #nowMs: number;
  /** How long the last call took that was answered; null: none was. */
  #usualMs: number | null = null;
  #lostInARow = 0;

  constructor(init: { readonly firstMs: number; readonly limitMs: number }) {
    this.#limitMs = init.limitMs;
    this.#firstMs = Math.min(init.firstMs, init.limitMs);
    this.#nowMs = this.#firstMs;
  }

  /** How long the next call may take. */
  get ms(): number {
    return this.#nowMs;
  }

  get lostInARow(): number {
    return this.#lostInARow;
  }

  answered(tookMs: number): void {
    this.#usualMs = Math.max(1, tookMs);
    this.#lostInARow = 0;
    this.#nowMs = Math.min(this.#limitMs, Math.max(this.#firstMs, 2 * tookMs));
  }

  /** No answer came. One that hangs for good is asked briefly again, and not with the longest time for ever. */
  lost(): void {
    this.#lostInARow += 1;
    const mostMs = this.#mostMs();
    if (this.#nowMs < mostMs) {
      this.#nowMs = Math.min(mostMs, 2 * this.#nowMs);
      return;
    }
    this.#nowMs = this.#firstMs;
    if (this.#usualMs !== null) this.#usualMs *= GROWTH;
  }

  #mostMs(): number {
    if (this.#usualMs === null) return this.#limitMs;
    return Math.min(this.#limitMs, Math.max(LEAST_MOST_MS, MOST_TIMES_USUAL * this.#usualMs));
  }
}
