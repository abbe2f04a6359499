/**
 * Purpose: the other engine's wall clock, as a mapping from this engine's monotonic clock, out of the four stamps of the
 * heartbeats. Of the last samples the one with the shortest round trip is believed.
 * Source: the clock filter of NTP (RFC 5905 §10). Keeps true: a step of either wall clock never disturbs the other engine.
 */

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

/** Takes one exchange. A sample that contradicts the belief by more than its round trip means a step: the filter restarts. */
export function takeExchange(filter: OffsetFilter, exchange: Exchange): OffsetFilter {
  const there = exchange.peerSentUnixMs - exchange.peerReceivedUnixMs;
  const roundTripMs = Math.max(0, exchange.receivedMonoMs - exchange.sentMonoMs - there);
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
