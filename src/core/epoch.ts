/**
 * Purpose: epochs as ballots [EP1]. `a` mints odd numbers, `b` even ones, so that no epoch ever has two owners, with or
 * without a witness.
 * Does not know: where epochs are kept; the caller makes a minted one durable before it is used [EP2].
 */
import { assert } from "./assert.ts";
import type { Label } from "./ids.ts";

/** The term of one leadership and its fencing token: a positive integer. 0 means "none yet". */
export type Epoch = number;

/** No leadership has been seen yet. */
export const NO_EPOCH: Epoch = 0;

/**
 * How far above every epoch seen so far a number from outside may be. One change of leader every ms would take 49 days
 * to get there; a number beyond it is a forgery or a fault, and believing it would use up all epochs at once.
 */
export const MAX_EPOCH_LEAP = 2 ** 32;

/** Whether `epoch` may have come about while this engine, which has seen `highest`, was not looking. */
export function isWithinReach(highest: Epoch, epoch: Epoch): boolean {
  return epoch <= highest + MAX_EPOCH_LEAP;
}

/** The smallest epoch of the label's parity above every epoch in `known`. */
export function nextEpoch(known: Epoch, label: Label): Epoch {
  assert(isEpoch(known), `known epoch ${known} is a whole number of at least 0`);
  const next = known + 1;
  return ownerOf(next) === label ? next : next + 1;
}

/** The only engine of the pair that may ever mint this epoch. */
export function ownerOf(epoch: Epoch): Label {
  return epoch % 2 === 1 ? "a" : "b";
}

/** Whether a number from outside can be an epoch. */
export function isEpoch(value: unknown): value is Epoch {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
