/**
 * What follows from what was observed: since when the witness record stands still, how far the peer's clock is from ours,
 * and how long to wait before the next try. Pure arithmetic; whether the peer lives is decided by the `peer-link` chart.
 */
import type { Epoch } from "./epoch.ts";
import type { Label } from "./ids.ts";
import { assert } from "./errors.ts";

// Since when the witness record has been seen to stand still [VT4], on the watcher's own monotonic clock. What was not
// watched is not known to have stood still; a gap in the sightings starts the count again.

/** What must not move: `null` = there is no record. */
export type RecordKey = { readonly holder: Label; readonly epoch: Epoch; readonly seq: number } | null;

export interface Sighting {
  readonly key: RecordKey;
  readonly sinceMs: number;
  readonly lastSeenMs: number;
}

/**
 * A sight of `key` at `atMs`. The count goes on while nothing newer than the counted record is seen: a leader may have
 * named a rewrite that never reached the witness. More than `maxGapMs` after the last sight it starts over.
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

// The other engine's wall clock, as a mapping from this engine's monotonic clock, out of the four stamps of the
// heartbeats. Of the last samples the one with the shortest round trip is believed. The clock filter of NTP (RFC 5905
// §10). A step of either wall clock never disturbs the other engine.

/** One exchange: sent here, received there, sent there, received here. Here: monotonic ms. There: unix ms. */
export interface Exchange {
  readonly sentMonoMs: number;
  readonly peerReceivedUnixMs: number;
  readonly peerSentUnixMs: number;
  readonly receivedMonoMs: number;
}

interface Sample {
  readonly offsetMs: number;
  readonly roundTripMs: number;
}

/** Newest last; at most `SAMPLES`. */
export interface OffsetFilter {
  readonly samples: readonly Sample[];
}

const SAMPLES = 16;

export const NO_SAMPLES: OffsetFilter = { samples: [] };

/** How long an exchange was on its way, both ways, ms. */
export function exchangeMs({ sentMonoMs, peerReceivedUnixMs, peerSentUnixMs, receivedMonoMs }: Exchange): number {
  return Math.max(0, receivedMonoMs - sentMonoMs - (peerSentUnixMs - peerReceivedUnixMs));
}

/** Takes one exchange. A sample that contradicts the belief by more than its round trip means a step: the filter restarts. */
export function takeExchange(filter: OffsetFilter, exchange: Exchange): OffsetFilter {
  const roundTripMs = exchangeMs(exchange);
  const outward = exchange.peerReceivedUnixMs - exchange.sentMonoMs;
  const homeward = exchange.peerSentUnixMs - exchange.receivedMonoMs;
  const sample = { offsetMs: (outward + homeward) / 2, roundTripMs };
  const belief = best(filter);
  const stepped = belief !== null && Math.abs(sample.offsetMs - belief.offsetMs) > roundTripMs + belief.roundTripMs + 1;
  return { samples: stepped ? [sample] : [...filter.samples, sample].slice(-SAMPLES) };
}

/** Peer's unix ms minus this engine's monotonic ms; `null` before the first exchange. */
export function peerUnixMinusMonoMs(filter: OffsetFilter): number | null {
  return best(filter)?.offsetMs ?? null;
}

/** Shortest round trip of the window, ms. */
export function roundTripMs(filter: OffsetFilter): number | null {
  return best(filter)?.roundTripMs ?? null;
}

/** Median distance of the samples from the one believed, ms: one slow exchange says nothing about the clocks. */
export function offsetJitterMs(filter: OffsetFilter): number {
  const belief = best(filter);
  if (belief === null) return 0;
  const distances = filter.samples.map((sample) => Math.abs(sample.offsetMs - belief.offsetMs)).sort((a, b) => a - b);
  return distances[Math.floor(distances.length / 2)] ?? 0;
}

function best(filter: OffsetFilter): Sample | null {
  return filter.samples.reduce<Sample | null>(
    (least, sample) => (least === null || sample.roundTripMs <= least.roundTripMs ? sample : least),
    null,
  );
}

// How long to wait before trying again: exponential back-off with full jitter, so that many who failed together do not
// come back together. M. Brooker, "Exponential Backoff And Jitter", AWS 2015.

/** The bounds of one back-off. */
export interface BackoffBounds {
  /** Longest wait before the first retry. */
  readonly baseMs: number;
  /** Longest wait ever. */
  readonly capMs: number;
}

/**
 * The wait in ms before a retry. `attempt` counts the retries before this one, from 0; `random` is a number of [0, 1).
 * The result is in [0, min(capMs, baseMs · 2^attempt)).
 */
export function backoffMs(attempt: number, random: number, bounds: BackoffBounds): number {
  assert(attempt >= 0, `attempt ${attempt} is at least 0`);
  assert(random >= 0 && random < 1, `random ${random} is in [0, 1)`);
  return random * Math.min(bounds.capMs, bounds.baseMs * 2 ** attempt);
}
