/**
 * How high a number may be [EP6]: epochs, start numbers, positions, counters of origins, and the `seq` of the witness
 * record. A number above the bound is a forgery or a fault. It is never stored and never written, whoever sent it.
 *
 * Two bounds. `MAX_NUMBER` is the same on both engines whatever they have seen, so that neither can refuse for ever what
 * the other wrote. `MAX_LEAP` limits one claim: it keeps a single false claim from using up most of the numbers.
 */

/** The highest number that anyone writes or believes. One command every ms would take 8 900 years to get there. */
export const MAX_NUMBER = 2 ** 48;

/**
 * How far above the highest number seen so far a claim may be. One step every ms would take 49 days.
 * Not for the heartbeats of the pinned peer: what it really reached, however long ago we last heard it, is believed up to
 * `MAX_NUMBER`.
 */
export const MAX_LEAP = 2 ** 32;

/** Whether `value` is a whole number from 0 to `MAX_NUMBER`. */
export function isReachable(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_NUMBER;
}

/** Whether a claim of `value` is believed by one who has seen `highest`: at most one leap above it, and reachable. */
export function isWithinReach(highest: number, value: number): boolean {
  return value <= Math.min(highest + MAX_LEAP, MAX_NUMBER);
}

/** What is wrong with a number out of reach, for people: ends in the value and the bound. */
export function outOfReach(where: string, value: unknown): string {
  return `${where} is ${String(value)}, out of reach (a whole number from 0 to ${MAX_NUMBER})`;
}
