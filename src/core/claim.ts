/**
 * Which of two engines should lead when neither does [CP4, CP7], and whether one is behind what is known.
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

// How long a vote counts. A leader counts `leaseMs` from the **send** time of what was acknowledged [VT2, VT3]; a voter
// keeps its promise for at least as long from the **receipt** [VT2]. So the count ends before the grant does [I4].

/** Monotonic ms until which a vote counts; nothing counts until the first one. */
export const NO_VOTE = Number.NEGATIVE_INFINITY;

/** `untilMs` extended by a vote for something sent at `sentAtMs`; a late answer to an old question never shortens it. */
export function extendVote(untilMs: number, sentAtMs: number, leaseMs: number): number {
  return Math.max(untilMs, sentAtMs + leaseMs);
}

/** Ms that a vote still counts; 0 when it has lapsed. */
export function voteLeftMs(untilMs: number, nowMs: number): number {
  return Math.max(0, untilMs - nowMs);
}

/**
 * How long the target of a handover may count the leader's grant, from the send time of its request [HO1]: less than the
 * `handoverMs` that the leader waits from its later grant before it leads on, drift and quiesce included.
 */
export function grantWindowMs(handoverMs: number, driftPpm: number, quiesceMs: number): number {
  const rho = driftPpm / 1_000_000;
  return (handoverMs * (1 - rho)) / (1 + rho) - quiesceMs;
}

/**
 * How long the engine of a leader may drive something outside without hearing again, ms [EN12]. Under `consistency` it ends
 * with the votes. Under `on-air` a leader acts without votes too, so it ends when the coordinator has been silent for a lease.
 */
export function mayActForMs(view: {
  readonly mayAct: boolean;
  readonly policy: "on-air" | "consistency";
  readonly votesLeftMs: number;
  readonly leaseMs: number;
}): number {
  if (!view.mayAct) return 0;
  return Math.floor(view.policy === "consistency" ? Math.max(0, view.votesLeftMs) : view.leaseMs);
}

// Flap control [CP6]: how many times automation has moved the role lately. Binds automation, never people.

/** Monotonic ms of the automatic role changes inside the window, oldest first; at most `limit` are kept. */
export type RoleChanges = readonly number[];

/** Notes an automatic change at `atMs`. */
export function noteChange(changes: RoleChanges, atMs: number, windowMs: number, limit: number): RoleChanges {
  return [...changes.filter((at) => at > atMs - windowMs), atMs].slice(-limit);
}

/** The instant from which automation may move the role again; `null` when it may now. */
export function heldDownUntilMs(changes: RoleChanges, nowMs: number, windowMs: number, limit: number): number | null {
  const recent = changes.filter((at) => at > nowMs - windowMs);
  const oldest = recent[0];
  return recent.length < limit || oldest === undefined ? null : oldest + windowMs;
}

// Fencing [EP4, RL3]: anyone who acted under a lower number than the highest accepted one is late and is refused. Serves
// epochs and the fence of the reconcile lock alike.

/** The highest number accepted so far; 0 before the first. */
export type Fence = number;

/** Nothing has been accepted yet. */
export const NO_FENCE: Fence = 0;

/** Whether work under `offered` may still be done: the current holder may act again, an earlier one may not. */
export function admits(highest: Fence, offered: number): boolean {
  return Number.isSafeInteger(offered) && offered >= highest;
}

/** The fence after work under `offered` was admitted. Never falls. */
export function raiseFence(highest: Fence, offered: number): Fence {
  return admits(highest, offered) ? offered : highest;
}
