/**
 * Purpose: how well NTP disciplines the clock, asked of `chronyc`.
 * Keeps true: only a selected server that is still heard counts. `chronyc` goes on saying `Normal` long after its server
 * has died: so the age of the last sample and of the last update are looked at, and the reach register.
 */
import type { Clock } from "../../ports/clock.ts";
import type { ClockReading } from "../../ports/clock-source.ts";
import { FREE, PolledClockSource } from "./polled-clock-source.ts";

/** Polls that may go unanswered before the reference counts as lost, and the least time for that. */
const POLLS_MISSED = 4;
const LEAST_AGE_S = 10;

/** What `chronyc -c -m tracking sources` showed. */
export interface ChronyStatus {
  /** Own clock minus reference. */
  readonly offsetNs: number;
  /** Long-term root mean square of the offset. */
  readonly jitterNs: number;
  readonly leapStatus: string;
  /** Unix s of the last update of the clock. */
  readonly updatedAtUnixS: number;
  /** The selected source: seconds between polls, answers to the last 8 polls as bits, age of the last answer. */
  readonly selected: { readonly pollS: number; readonly reach: number; readonly answeredAgoS: number } | null;
}

/** Asks `chronyc`; `command` names it where it is not on the path. */
export function chronyClockSource(
  components: { readonly clock: Clock },
  init: { readonly command?: string },
): PolledClockSource {
  const argv = [init.command ?? "chronyc", "-c", "-m", "tracking", "sources"];
  return new PolledClockSource(components, {
    argv,
    read: (output, _nowMonoMs, nowUnixMs) => chronyReading(parseChrony(output), nowUnixMs),
  });
}

/** What a status is worth at `nowUnixMs`. */
export function chronyReading(status: ChronyStatus | null, nowUnixMs: number): ClockReading {
  if (!status?.selected || status.leapStatus === "Not synchronised") return FREE;
  const { pollS, reach, answeredAgoS } = status.selected;
  const oldestS = Math.max(LEAST_AGE_S, POLLS_MISSED * pollS);
  const updatedAgoS = nowUnixMs / 1_000 - status.updatedAtUnixS;
  if (reach === 0 || answeredAgoS > oldestS || updatedAgoS > 2 * oldestS) return FREE;
  return { mode: "ntp", offsetNs: status.offsetNs, jitterNs: status.jitterNs };
}

/** Reads the output of `chronyc`: one line of tracking (14 values), then one a source (10 values); null when there is none. */
export function parseChrony(output: string): ChronyStatus | null {
  const lines = output.split("\n").map((line) => line.split(","));
  const tracking = lines.find((values) => values.length === 14);
  if (tracking === undefined) return null;
  const [updatedAtUnixS, slowS, , rmsS] = tracking.slice(3, 7).map(Number);
  const leapStatus = tracking[13] ?? "";
  if (updatedAtUnixS === undefined || slowS === undefined || rmsS === undefined) return null;
  if (![updatedAtUnixS, slowS, rmsS].every(Number.isFinite)) return null;
  const source = lines.find((values) => values.length === 10 && values[1] === "*");
  return { offsetNs: -slowS * 1e9, jitterNs: rmsS * 1e9, leapStatus, updatedAtUnixS, selected: selectedSource(source) };
}

function selectedSource(values: readonly string[] | undefined): ChronyStatus["selected"] {
  if (values === undefined) return null;
  const pollS = 2 ** Number(values[4]);
  const reach = Number.parseInt(values[5] ?? "", 8);
  const answeredAgoS = Number(values[6]);
  return [pollS, reach, answeredAgoS].every(Number.isFinite) ? { pollS, reach, answeredAgoS } : null;
}
