/**
 * Counts wrong secrets, per address and in total [A12]. After `MAX_WRONG_SECRETS` from one address, or
 * `MAX_WRONG_SECRETS_IN_TOTAL` from all, within the window, further wrong ones are told to wait until the oldest has left
 * the window. The right secret is never counted nor refused. Memory is bounded.
 */
import {
  MAX_WATCHED_ADDRESSES as MAX_ADDRESSES,
  MAX_WRONG_SECRETS as MAX_WRONG,
  MAX_WRONG_SECRETS_IN_TOTAL as MAX_IN_TOTAL,
  WRONG_SECRETS_WINDOW_MS as WINDOW_MS,
} from "./limits.ts";

export class WrongSecrets {
  /** address → when, oldest first; at most `MAX_WRONG` each. Insertion order is age. */
  readonly #seen = new Map<string, number[]>();
  /** When any came, oldest first; at most `MAX_IN_TOTAL`. */
  #recent: number[] = [];
  #total = 0;

  /** All wrong secrets since the start, those that were told to wait included. */
  get total(): number {
    return this.#total;
  }

  /** Counts a wrong secret from `address`. Gives the ms that it has to wait; 0 when it may guess again. */
  note(address: string, nowMonoMs: number): number {
    this.#total += 1;
    const ofAddress = within(this.#seen.get(address) ?? [], nowMonoMs);
    this.#recent = within(this.#recent, nowMonoMs);
    const waitMs = Math.max(wait(ofAddress, MAX_WRONG, nowMonoMs), wait(this.#recent, MAX_IN_TOTAL, nowMonoMs));
    if (waitMs > 0) return waitMs;
    this.#recent.push(nowMonoMs);
    this.#seen.delete(address);
    this.#seen.set(address, [...ofAddress, nowMonoMs]);
    const [first] = this.#seen.keys();
    if (this.#seen.size > MAX_ADDRESSES && first !== undefined) this.#seen.delete(first);
    return 0;
  }
}

function within(times: number[], nowMonoMs: number): number[] {
  return times.filter((atMs) => nowMonoMs - atMs < WINDOW_MS);
}

function wait(times: readonly number[], most: number, nowMonoMs: number): number {
  const [oldest] = times;
  return oldest === undefined || times.length < most ? 0 : oldest + WINDOW_MS - nowMonoMs;
}
