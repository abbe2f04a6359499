/**
 * Purpose: which of two engines should lead when neither does [CP4, CP7], and whether one is behind what is known.
 */
import type { LogPosition } from "./command.ts";
import type { Epoch } from "./epoch.ts";
import type { Label } from "./ids.ts";

/** What an engine states about itself in every heartbeat. */
export interface Claim {
  readonly label: Label;
  readonly healthy: boolean;
  /** The last epoch it led or followed. */
  readonly acceptedEpoch: Epoch;
  readonly log: LogPosition;
}

/** The better claim: the healthy engine, then the later epoch, then the longer log, then label `a`. Never a tie. */
export function hasBetterClaim(mine: Claim, theirs: Claim): boolean {
  if (mine.healthy !== theirs.healthy) return mine.healthy;
  if (mine.acceptedEpoch !== theirs.acceptedEpoch) return mine.acceptedEpoch > theirs.acceptedEpoch;
  const order = comparePositions(mine.log, theirs.log);
  return order === 0 ? mine.label === "a" : order > 0;
}

/** Below 0: `a` is behind `b`. Positions are ordered by epoch first, then by seq. */
export function comparePositions(a: LogPosition, b: LogPosition): number {
  return a.epoch === b.epoch ? a.seq - b.seq : a.epoch - b.epoch;
}
