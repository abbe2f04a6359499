/**
 * What all clock sources share that ask a program: it is asked every second, and its last answer counts as
 * long as it is fresh.
 * One question at a time, each within its budget; without a fresh and sound answer the reading says `free`;
 * `reading` never blocks.
 */
import type { Clock, TimerHandle, ClockReading, ClockSource } from "../ports/basics.ts";
import { type RunningScript, startScript } from "./script.ts";

const ASK_EVERY_MS = 1_000;
const ANSWER_WITHIN_MS = 800;
const MAX_ANSWER_BYTES = 65_536;

/** A reading older than this no longer counts: some questions in a row went unanswered. */
const FRESH_MS = 3_500;

/** Nothing disciplines the clock, as far as is known. */
export const FREE: ClockReading = { mode: "free", offsetNs: 0, jitterNs: 0 };

export interface PolledClockSourceInit {
  /** Program and arguments. */
  readonly argv: readonly string[];
  /** What its output says at `nowMonoMs`, `nowUnixMs`. Called once an answer, in order. */
  readonly read: (output: string, nowMonoMs: number, nowUnixMs: number) => ClockReading;
}

export class PolledClockSource implements ClockSource {
  readonly #clock: Clock;
  readonly #init: PolledClockSourceInit;
  #reading: ClockReading = FREE;
  #readAtMonoMs = Number.NEGATIVE_INFINITY;
  #running: RunningScript | null = null;
  #timer: TimerHandle | null = null;
  #closed = false;

  constructor(components: { readonly clock: Clock }, init: PolledClockSourceInit) {
    this.#clock = components.clock;
    this.#init = init;
    this.#ask();
  }

  reading(): ClockReading {
    return this.#clock.monoMs() - this.#readAtMonoMs <= FRESH_MS ? this.#reading : FREE;
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) this.#clock.clearTimeout(this.#timer);
    this.#running?.kill();
    await this.#running?.done;
  }

  #ask(): void {
    this.#running = startScript(
      { clock: this.#clock },
      { argv: this.#init.argv, env: {}, budgetMs: ANSWER_WITHIN_MS, maxStdoutBytes: MAX_ANSWER_BYTES },
    );
    void this.#running.done.then((outcome) => {
      this.#running = null;
      if (this.#closed) return;
      if (outcome.outcome === "exited" && outcome.code === 0) this.#take(outcome.stdout);
      this.#timer = this.#clock.setTimeout(() => this.#ask(), ASK_EVERY_MS);
    });
  }

  #take(output: string): void {
    this.#readAtMonoMs = this.#clock.monoMs();
    this.#reading = this.#init.read(output, this.#readAtMonoMs, this.#clock.unixMs());
  }
}

// How well NTP disciplines the clock, asked of `chronyc`. Only a selected server that is still heard counts. `chronyc`
// goes on saying `Normal` long after its server has died: so the age of the last sample and of the last update are
// looked at, and the reach register.

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

// How well PTP disciplines the clock, asked of linuxptp's `pmc` over the local socket of `ptp4l`. Only a port that is
// locked to a grandmaster whose sync messages still arrive counts. `pmc` ends with 0 when no daemon runs, and
// `gmPresent` stays true after the grandmaster has died: so the state of the port is looked at, and the ingress time of
// the last sync must move. Words such as SLAVE and master_offset are linuxptp's own; they stand for "locked port" and
// "offset to the reference".

/** Sync messages come once a second or more often by default; this many ms without a new one is a lost reference. */
const SYNC_STOOD_STILL_MS = 5_000;

/** Offsets from which the jitter is taken: as many seconds. */
const JITTER_WINDOW = 16;

/** What `pmc` showed. */
export interface PtpStatus {
  /** Own clock minus grandmaster. */
  readonly offsetNs: number;
  /** Ingress time of the last sync message, as text: it has more digits than a number holds. */
  readonly ingressTime: string;
  readonly gmPresent: boolean;
  readonly portStates: readonly string[];
}

/** Asks `pmc`; `command` names it where it is not on the path. */
export function ptpClockSource(
  components: { readonly clock: Clock },
  init: { readonly command?: string },
): PolledClockSource {
  const watch = new PtpWatch();
  const argv = [init.command ?? "pmc", "-u", "-b", "0", "GET TIME_STATUS_NP", "GET PORT_DATA_SET"];
  return new PolledClockSource(components, { argv, read: (output, nowMonoMs) => watch.read(output, nowMonoMs) });
}

/** Reads the output of `pmc`; null when it holds no answer. */
export function parsePmc(output: string): PtpStatus | null {
  const offset = field(output, "master_offset");
  const ingressTime = field(output, "ingress_time");
  const gmPresent = field(output, "gmPresent");
  if (offset === null || ingressTime === null || gmPresent === null || !/^-?\d+$/.test(offset)) return null;
  const portStates = [...output.matchAll(/^\s*portState\s+(\S+)/gm)].map(([, state]) => state ?? "");
  return { offsetNs: Number(offset), ingressTime, gmPresent: gmPresent === "true", portStates };
}

/** Follows the answers of `pmc`, one after another. */
export class PtpWatch {
  #ingressTime = "0";
  #movedAtMonoMs = Number.NEGATIVE_INFINITY;
  #offsetsNs: number[] = [];

  read(output: string, nowMonoMs: number): ClockReading {
    const status = parsePmc(output);
    if (status === null || !status.gmPresent || !status.portStates.includes("SLAVE")) return this.#lost();
    if (status.ingressTime !== this.#ingressTime) {
      this.#ingressTime = status.ingressTime;
      this.#movedAtMonoMs = nowMonoMs;
      this.#offsetsNs = [...this.#offsetsNs, status.offsetNs].slice(-JITTER_WINDOW);
    }
    if (nowMonoMs - this.#movedAtMonoMs > SYNC_STOOD_STILL_MS) return this.#lost();
    return { mode: "ptp", offsetNs: status.offsetNs, jitterNs: deviation(this.#offsetsNs) };
  }

  #lost(): ClockReading {
    this.#offsetsNs = [];
    return FREE;
  }
}

function field(output: string, name: string): string | null {
  return new RegExp(`^\\s*${name}\\s+(\\S+)`, "m").exec(output)?.[1] ?? null;
}

/** Standard deviation. */
function deviation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}
