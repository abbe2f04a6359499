/**
 * Purpose: how long to wait before trying again: exponential back-off with full jitter, so that many who failed together
 * do not come back together.
 * Source: M. Brooker, "Exponential Backoff And Jitter", AWS 2015.
 * Does not know: time or chance; the caller waits, and draws `random`.
 */
import { assert } from "./assert.ts";

/** The bounds of one back-off. */
export interface BackoffBounds {
  /** Longest wait before the first retry. */
  readonly baseMs: number;
  /** Longest wait ever. */
  readonly capMs: number;
}

/**
 * The wait in ms before a retry. `attempt` counts the retries before this one, from 0; `random` is a number of [0, 1).
 * The result is in [0, min(capMs, baseMs · 2^attempt)).
 */
export function backoffMs(attempt: number, random: number, bounds: BackoffBounds): number {
  assert(attempt >= 0, `attempt ${attempt} is at least 0`);
  assert(random >= 0 && random < 1, `random ${random} is in [0, 1)`);
  return random * Math.min(bounds.capMs, bounds.baseMs * 2 ** attempt);
}
