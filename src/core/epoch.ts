/**
 * Epochs as ballots [EP1]. `a` mints odd numbers, `b` even ones, so that no epoch ever has two owners, with or
 * without a witness.
 * It does not know where epochs are kept; the caller makes a minted one durable before it is used [EP2].
 */
import { assert } from "./errors.ts";
import type { Label } from "./ids.ts";

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

// How high a number may be [EP6]: epochs, start numbers, positions, counters of origins, and the `seq` of the witness
// record. A number above the bound is a forgery or a fault. It is never stored and never written, no matter who sent it. Two
// bounds. `MAX_NUMBER` is the same on both engines whatever they have seen, so that neither can refuse for ever what
// the other wrote. `MAX_LEAP` limits one claim: it keeps a single false claim from using up most of the numbers.

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

// The name under which an engine's own recovery holds the reconcile lock. It bears label and epoch, so that the next
// leader can tell whether the lock is left over [SB7]. Tools and people hold it under other names.

const HOLDER = /^engine ([ab]), epoch (\d{1,16})$/;

/** Whose lock it is, as everybody may read it. */
export function holderName(label: Label, epoch: Epoch): string {
  return `engine ${label}, epoch ${epoch}`;
}

/** The engine and the epoch that `holder` names; null: it is not the lock of an engine's own recovery. */
export function parseHolder(holder: string): { readonly label: Label; readonly epoch: Epoch } | null {
  const [, label, epoch] = HOLDER.exec(holder) ?? [];
  return label === undefined ? null : { label: label as Label, epoch: Number(epoch) };
}
