/**
 * Purpose: how well PTP disciplines the clock, asked of linuxptp's `pmc` over the local socket of `ptp4l`.
 * Keeps true: only a port that is locked to a grandmaster whose sync messages still arrive counts. `pmc` ends with 0 when
 * no daemon runs, and `gmPresent` stays true after the grandmaster has died: so the state of the port is looked at, and
 * the ingress time of the last sync must move.
 * Words such as SLAVE and master_offset are linuxptp's own; they stand for "locked port" and "offset to the reference".
 */
import type { Clock } from "../../ports/clock.ts";
import type { ClockReading } from "../../ports/clock-source.ts";
import { FREE, PolledClockSource } from "./polled-clock-source.ts";

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
