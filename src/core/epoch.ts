/**
 * Purpose: epochs as ballots [EP1]. `a` mints odd numbers, `b` even ones, so that no epoch ever has two owners, with or
 * without a witness.
 * Does not know: where epochs are kept; the caller makes a minted one durable before it is used [EP2].
 */
import { assert } from "./assert.ts";
import type { Label } from "./ids.ts";
import { isReachable } from "./reach.ts";

/** The term of one leadership and its fencing token: a positive integer. 0 means "none yet". */
export type Epoch = number;

/** No leadership has been seen yet. */
export const NO_EPOCH: Epoch = 0;

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
  return isReachable(value);
}
