/**
 * Purpose: the clock of the machine that the process runs on.
 * Keeps true: a timer never fires before its time on the monotonic clock (Node's own may, by a fraction of a millisecond);
 * `unixMs` is never farther than one millisecond from what `Date.now()` shows, and follows every step of it at once.
 * Timers keep the process alive: each has an owner that ends it, so a process that does not exit shows a forgotten one.
 * Does not know: whether the wall clock is right.
 */
import { assert } from "../core/assert.ts";
import type { Clock, TimerHandle } from "../ports/clock.ts";

/** Longest delay that Node takes at once; a longer one is waited for in several. */
const LONGEST_DELAY_MS = 2_147_483_647;

/** The last stretch before an exact instant, which is spent turning the loop instead of in a timer (late by ~1.3 ms at p99). */
const TURN_WITHIN_MS = 2;

/** What a handle is inside: at most one of the two is pending. */
interface RunningTimer {
  timeout: NodeJS.Timeout | null;
  immediate: NodeJS.Immediate | null;
}

export class SystemClock implements Clock {
  /** unix − mono, as well as it is known. */
  #unixAheadMs = performance.timeOrigin;

  monoMs(): number {
    return performance.now();
  }

  /**
   * `Date.now()` tells only whole milliseconds, and so bounds the offset between both clocks from below and above;
   * the offset moves only as far as those bounds force it, which keeps the fraction. A pause of the process between the
   * two readings widens the bounds and so does no harm.
   */
  unixMs(): number {
    const before = performance.now();
    const wholeMs = Date.now();
    const after = performance.now();
    this.#unixAheadMs = Math.min(Math.max(this.#unixAheadMs, wholeMs - after), wholeMs + 1 - before);
    return after + this.#unixAheadMs;
  }

  setTimeout(fn: () => void, delayMs: number): TimerHandle {
    assert(!Number.isNaN(delayMs), "the delay of a timer is a number");
    return this.#start(fn, performance.now() + delayMs, 0);
  }

  clearTimeout(handle: TimerHandle): void {
    const timer = handle as RunningTimer;
    if (timer.timeout !== null) clearTimeout(timer.timeout);
    if (timer.immediate !== null) clearImmediate(timer.immediate);
    timer.timeout = null;
    timer.immediate = null;
  }

  callAt(fn: () => void, atMonoMs: number): TimerHandle {
    assert(!Number.isNaN(atMonoMs), "the instant of a call is a number");
    return this.#start(fn, atMonoMs, TURN_WITHIN_MS);
  }

  soon(fn: () => void): void {
    setImmediate(fn);
  }

  /** Waits in a timer until `turnWithinMs` before the instant, then turn by turn of the loop. */
  #start(fn: () => void, atMonoMs: number, turnWithinMs: number): RunningTimer {
    const timer: RunningTimer = { timeout: null, immediate: null };
    const wait = (): void => {
      const leftMs = atMonoMs - performance.now();
      if (leftMs <= turnWithinMs) timer.immediate = setImmediate(wake);
      else timer.timeout = setTimeout(wake, Math.min(Math.ceil(leftMs - turnWithinMs), LONGEST_DELAY_MS));
    };
    const wake = (): void => {
      timer.timeout = null;
      timer.immediate = null;
      if (performance.now() >= atMonoMs) fn();
      else wait();
    };
    wait();
    return timer;
  }
}
