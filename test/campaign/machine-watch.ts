/**
 * Watches the machine that the campaign shares, so that nobody takes its standing still for a fault of the pair: how long
 * this process did not run although it was due, by its own monotonic clock, and how long each coordinator was ready to run
 * and had no core, by the kernel's count.
 */
import { waitedForCoreMs } from "./evidence.ts";

/** So long the machine kept somebody from running, and when that was over. Ms, by the clock of the recorder. */
export interface Stall {
  readonly untilMs: number;
  readonly lastedMs: number;
}

const PACE_MS = 20;
/** A timer is as late as this without any stall. */
const TIMER_LATE_MS = 15;
/** The kernel is asked once in so many ticks. */
const TICKS_A_LOOK = 5;
/** Less than this between two looks is how any machine shares its cores. */
const LEAST_WAIT_MS = 5;

/** A coordinator that is held up for so long notices a pause: it is in quarantine for a while, and the role may move [CP5]. */
export const PAUSE_MS = 300;

export class MachineWatch {
  readonly stalls: Stall[] = [];
  readonly #pids: () => readonly number[];
  readonly #waited = new Map<number, number>();
  readonly #timer: NodeJS.Timeout;
  #lastTickMs = performance.now();
  #ticks = 0;

  /** `pids`: of the coordinators that run now. */
  constructor(pids: () => readonly number[]) {
    this.#pids = pids;
    for (const pid of pids()) this.#waited.set(pid, waitedForCoreMs(pid));
    this.#timer = setInterval(() => this.#tick(), PACE_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const nowMs = performance.now();
    this.#note(nowMs, nowMs - this.#lastTickMs - PACE_MS, TIMER_LATE_MS);
    this.#lastTickMs = nowMs;
    this.#ticks += 1;
    if (this.#ticks % TICKS_A_LOOK !== 0) return;
    for (const pid of this.#pids()) {
      const waitedMs = waitedForCoreMs(pid);
      this.#note(nowMs, waitedMs - (this.#waited.get(pid) ?? 0), LEAST_WAIT_MS);
      this.#waited.set(pid, waitedMs);
    }
  }

  #note(untilMs: number, lastedMs: number, leastMs: number): void {
    if (lastedMs > leastMs) this.stalls.push({ untilMs, lastedMs });
  }
}

/** How long the machine held somebody up that should have run from `sinceMs` to `untilMs`. */
export function stalledMs(stalls: readonly Stall[], sinceMs: number, untilMs = Infinity): number {
  return stalls
    .filter((stall) => stall.untilMs > sinceMs && stall.untilMs - stall.lastedMs < untilMs)
    .reduce((sum, { lastedMs }) => sum + lastedMs, 0);
}

/** How many seconds there were in which the machine held somebody up for as long as a pause. */
export function secondsHeldUp(stalls: readonly Stall[]): number {
  const seconds = new Map<number, number>();
  for (const { untilMs, lastedMs } of stalls) {
    const second = Math.floor(untilMs / 1_000);
    seconds.set(second, (seconds.get(second) ?? 0) + lastedMs);
  }
  return [...seconds.values()].reduce((count, ms) => count + (ms >= PAUSE_MS ? Math.ceil(ms / 1_000) : 0), 0);
}
