/**
 * Purpose: flap control [CP6]: how many times automation has moved the role lately. Binds automation, never people.
 */

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
