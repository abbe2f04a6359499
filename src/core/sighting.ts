/**
 * Purpose: since when the witness record has been seen to stand still [VT4], on the watcher's own monotonic clock.
 * Keeps true: what was not watched is not known to have stood still; a gap in the sightings starts the count anew.
 */
import type { Epoch } from "./epoch.ts";
import type { Label } from "./ids.ts";

/** What must not move: `null` = there is no record. */
export type RecordKey = { readonly holder: Label; readonly epoch: Epoch; readonly seq: number } | null;

export interface Sighting {
  readonly key: RecordKey;
  readonly sinceMs: number;
  readonly lastSeenMs: number;
}

/** A sight of `key` at `atMs`. More than `maxGapMs` after the last sight, the count starts anew. */
export function sight(previous: Sighting | null, key: RecordKey, atMs: number, maxGapMs: number): Sighting {
  const unbroken = previous !== null && sameRecord(previous.key, key) && atMs - previous.lastSeenMs <= maxGapMs;
  if (!unbroken) return { key, sinceMs: atMs, lastSeenMs: atMs };
  return { key, sinceMs: previous.sinceMs, lastSeenMs: Math.max(previous.lastSeenMs, atMs) };
}

export function sameRecord(a: RecordKey, b: RecordKey): boolean {
  if (a === null || b === null) return a === b;
  return a.holder === b.holder && a.epoch === b.epoch && a.seq === b.seq;
}

/** Whether `to` is older than `from`: a record that goes back has been forgotten by the witness [CP5]. */
export function wentBack(from: RecordKey, to: RecordKey): boolean {
  if (from === null) return false;
  if (to === null) return true;
  return to.epoch < from.epoch || (to.epoch === from.epoch && to.seq < from.seq);
}
