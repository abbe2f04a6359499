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

/**
 * A sight of `key` at `atMs`. The count goes on while nothing newer than the counted record is seen: a leader may have
 * named a rewrite that never reached the witness. More than `maxGapMs` after the last sight it starts anew.
 */
export function sight(previous: Sighting | null, key: RecordKey, atMs: number, maxGapMs: number): Sighting {
  const unbroken = previous !== null && standsStill(previous.key, key) && atMs - previous.lastSeenMs <= maxGapMs;
  if (!unbroken) return { key: copy(key), sinceMs: atMs, lastSeenMs: atMs };
  return { key: previous.key, sinceMs: previous.sinceMs, lastSeenMs: Math.max(previous.lastSeenMs, atMs) };
}

/** Whether `seen` is the counted record, or an earlier rewrite of the same leadership. */
export function standsStill(counted: RecordKey, seen: RecordKey): boolean {
  if (counted === null || seen === null) return counted === seen;
  return counted.holder === seen.holder && counted.epoch === seen.epoch && seen.seq <= counted.seq;
}

/** Whether `to` is older than `from`: a record that goes back has been forgotten by the witness [CP5]. */
export function wentBack(from: RecordKey, to: RecordKey): boolean {
  if (from === null) return false;
  if (to === null) return true;
  return to.epoch < from.epoch || (to.epoch === from.epoch && to.seq < from.seq);
}

function copy(key: RecordKey): RecordKey {
  return key === null ? null : { holder: key.holder, epoch: key.epoch, seq: key.seq };
}
