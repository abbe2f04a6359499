/**
 * Purpose: how long a vote counts. A leader counts `leaseMs` from the **send** time of what was acknowledged [VT2, VT3];
 * a voter keeps its promise for at least as long from the **receipt** [VT2]. So the count ends before the grant does [I4].
 */

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
