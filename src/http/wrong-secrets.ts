/**
 * Counts wrong secrets per address [A12]: after `MAX_WRONG_SECRETS` within the window, further wrong ones are told to
 * wait until the oldest has left the window. The right secret is never counted nor refused. Memory is bounded.
 */
import {
  MAX_WATCHED_ADDRESSES as MAX_ADDRESSES,
  MAX_WRONG_SECRETS as MAX_WRONG,
  WRONG_SECRETS_WINDOW_MS as WINDOW_MS,
} from "./limits.ts";

export class WrongSecrets {
  /** address → when, oldest first; at most `MAX_WRONG` each. Insertion order is age. */
  readonly #seen = new Map<string, number[]>();

  /** Ms until `address` is listened to again; 0 when it is now. */
  waitMs(address: string, nowMonoMs: number): number {
    const recent = this.#recent(address, nowMonoMs);
    const [oldest] = recent;
    return oldest === undefined || recent.length < MAX_WRONG ? 0 : oldest + WINDOW_MS - nowMonoMs;
  }

  note(address: string, nowMonoMs: number): void {
    const recent = this.#recent(address, nowMonoMs);
    this.#seen.delete(address);
    this.#seen.set(address, [...recent, nowMonoMs].slice(-MAX_WRONG));
    const [first] = this.#seen.keys();
    if (this.#seen.size > MAX_ADDRESSES && first !== undefined) this.#seen.delete(first);
  }

  #recent(address: string, nowMonoMs: number): readonly number[] {
    return (this.#seen.get(address) ?? []).filter((atMs) => nowMonoMs - atMs < WINDOW_MS);
  }
}
