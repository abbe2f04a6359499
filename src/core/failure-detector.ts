/**
 * Purpose: whether the other engine lives, judged by deadlines that each heartbeat moves on [HB3]. Counting ticks would
 * find silence up to half a heartbeat later.
 * Does not know: links, probes, what is done about it.
 */

/** What is known of the last sign of life. Monotonic ms. */
export interface Detector {
  readonly heartbeatMs: number;
  readonly missLimit: number;
  /** Receipt of the last heartbeat, or the start of watching. */
  readonly lastHeardMs: number;
  readonly everHeard: boolean;
}

export type Liveness = "connecting" | "alive" | "suspect" | "silent";

/** Starts to watch at `nowMs`; before the first heartbeat the peer is `connecting`, then `silent`. */
export function watchFrom(nowMs: number, heartbeatMs: number, missLimit: number): Detector {
  return { heartbeatMs, missLimit, lastHeardMs: nowMs, everHeard: false };
}

/** A heartbeat was received at `atMs`; an older receipt never moves the deadline back. */
export function heard(detector: Detector, atMs: number): Detector {
  return { ...detector, lastHeardMs: Math.max(detector.lastHeardMs, atMs), everHeard: true };
}

/** Half an interval of grace: a heartbeat is missed once the next one is that late. */
const SUSPECT_AFTER_INTERVALS = 1.5;

export function liveness(detector: Detector, nowMs: number): Liveness {
  if (nowMs >= silentAtMs(detector)) return "silent";
  if (!detector.everHeard) return "connecting";
  return nowMs >= suspectAtMs(detector) ? "suspect" : "alive";
}

/** From this instant on the peer is `suspect`. */
function suspectAtMs(detector: Detector): number {
  return detector.lastHeardMs + detector.heartbeatMs * SUSPECT_AFTER_INTERVALS;
}

/** From this instant on the peer is `silent`. */
export function silentAtMs(detector: Detector): number {
  return detector.lastHeardMs + detector.heartbeatMs * detector.missLimit;
}

/** The next instant at which the judgement may change; `null` once silent. */
export function nextDeadlineMs(detector: Detector, nowMs: number): number | null {
  if (detector.everHeard && nowMs < suspectAtMs(detector)) return suspectAtMs(detector);
  return nowMs < silentAtMs(detector) ? silentAtMs(detector) : null;
}
