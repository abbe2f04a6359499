/**
 * The clocks of a simulated machine and the `Clock` port of a process on it.
 * Keeps true: the monotonic clock drifts by a constant rate within ρ and never steps; the wall clock may be stepped.
 * Timers fire late, as on a real machine, never early; a frozen process gets its timers when it wakes.
 */
import type { Clock, TimerHandle } from "../../ports/basics.ts";
import type { Prng } from "./prng.ts";
import type { Life, Scheduled, Scheduler } from "./scheduler.ts";

/** Unix ms at which the virtual world begins: a fixed instant, so that stamps are the same in every run. */
export const WORLD_EPOCH_UNIX_MS = 1_790_000_000_000;

/** How late a timer fires, ms at most: p99 of a real loop at rest (dependencies.md, measured). */
const TIMER_LATENESS_MS = 1.3;
const SPIN_LATENESS_MS = 0.1;
/** Above the rounding of the arithmetic, so that a timer never fires a hair before its time. */
const ROUNDING_MS = 1e-6;
/** A platform timer is never shorter. */
const SHORTEST_TIMER_MS = 1;

/** The clocks of one machine. */
export class HostClock {
  /** Milliseconds of the monotonic clock per true millisecond. */
  readonly rate: number;
  readonly #onStep: (byMs: number) => void;
  #unixOffsetMs: number;

  /** `onStep`: hears of every step of the wall clock. */
  constructor(init: {
    readonly driftPpm: number;
    readonly unixOffsetMs: number;
    readonly onStep?: (byMs: number) => void;
  }) {
    this.#onStep = init.onStep ?? (() => undefined);
    this.rate = 1 + init.driftPpm / 1_000_000;
    this.#unixOffsetMs = init.unixOffsetMs;
  }

  unixMs(trueMs: number): number {
    return WORLD_EPOCH_UNIX_MS + this.#unixOffsetMs + trueMs * this.rate;
  }

  /** Moves the wall clock; the monotonic one does not notice. */
  stepUnix(byMs: number): void {
    this.#unixOffsetMs += byMs;
    this.#onStep(byMs);
  }

  /** Sets the wall clock right, as a time server would. */
  disciplineUnix(trueMs: number): void {
    this.stepUnix(trueMs - trueMs * this.rate - this.#unixOffsetMs);
  }
}

/** The `Clock` of one life of a process: its monotonic clock begins at 0 with that life. */
export class ProcessClock implements Clock {
  readonly #scheduler: Scheduler;
  readonly #host: HostClock;
  readonly #life: Life;
  readonly #lateness: Prng;
  readonly #bornMs: number;

  constructor(components: {
    readonly scheduler: Scheduler;
    readonly host: HostClock;
    readonly life: Life;
    readonly lateness: Prng;
  }) {
    this.#scheduler = components.scheduler;
    this.#host = components.host;
    this.#life = components.life;
    this.#lateness = components.lateness;
    this.#bornMs = components.scheduler.nowMs;
  }

  monoMs(): number {
    return (this.#scheduler.nowMs - this.#bornMs) * this.#host.rate;
  }

  unixMs(): number {
    return this.#host.unixMs(this.#scheduler.nowMs);
  }

  setTimeout(fn: () => void, delayMs: number): TimerHandle {
    const trueDelayMs = Math.max(delayMs, SHORTEST_TIMER_MS) / this.#host.rate;
    return this.#timer(fn, trueDelayMs + ROUNDING_MS + this.#lateness.next() * TIMER_LATENESS_MS);
  }

  clearTimeout(handle: TimerHandle): void {
    (handle as Scheduled).run = null;
  }

  callAt(fn: () => void, atMonoMs: number): TimerHandle {
    const trueDelayMs = Math.max(0, atMonoMs - this.monoMs()) / this.#host.rate;
    return this.#timer(fn, trueDelayMs + ROUNDING_MS + this.#lateness.next() * SPIN_LATENESS_MS);
  }

  soon(fn: () => void): void {
    this.#timer(fn, ROUNDING_MS);
  }

  /** The instant of true time at which this clock's monotonic reading is `monoMs`. */
  trueMsOf(monoMs: number): number {
    return this.#bornMs + monoMs / this.#host.rate;
  }

  #timer(fn: () => void, trueDelayMs: number): Scheduled {
    return this.#scheduler.after(trueDelayMs, fn, this.#life, "timer");
  }
}
