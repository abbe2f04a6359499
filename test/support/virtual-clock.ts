/**
 * A clock whose time passes only when a test says so, and with it the timers, in order. Two engines may share one.
 * Keeps true: everything that a timer sets off without waiting for time is done before the next one fires.
 */
import type { Clock } from "../../src/ports/basics.ts";

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly fn: () => void;
}

/** Timers that may fire in one call of `pass`: a loop without end fails instead of hanging. */
const MAX_FIRED = 100_000;

export class VirtualClock implements Clock {
  #monoMs = 5_000;
  #unixOffsetMs = 1_900_000_000_000;
  #order = 0;
  readonly #timers = new Set<Timer>();

  monoMs(): number {
    return this.#monoMs;
  }

  unixMs(): number {
    return this.#unixOffsetMs + this.#monoMs;
  }

  setTimeout(fn: () => void, delayMs: number): Timer {
    return this.callAt(fn, this.#monoMs + Math.max(0, delayMs));
  }

  callAt(fn: () => void, atMonoMs: number): Timer {
    const timer = { atMs: Math.max(this.#monoMs, atMonoMs), order: (this.#order += 1), fn };
    this.#timers.add(timer);
    return timer;
  }

  clearTimeout(handle: object | number): void {
    this.#timers.delete(handle as Timer);
  }

  soon(fn: () => void): void {
    this.callAt(fn, this.#monoMs);
  }

  /** How many timers wait. */
  get waiting(): number {
    return this.#timers.size;
  }

  /** Time goes on by `ms`; every timer that falls due fires at its instant. */
  async pass(ms: number): Promise<void> {
    const endMs = this.#monoMs + ms;
    await settle();
    for (let fired = 0; ; fired += 1) {
      if (fired > MAX_FIRED) throw new Error(`more than ${MAX_FIRED} timers fired within ${ms} ms`);
      const next = this.#next();
      if (next === null || next.atMs > endMs) break;
      this.#monoMs = Math.max(this.#monoMs, next.atMs);
      this.#timers.delete(next);
      next.fn();
      await settle();
    }
    this.#monoMs = endMs;
  }

  /** Lets what is already due happen. */
  async turn(): Promise<void> {
    await this.pass(0);
  }

  /** Time goes on by `ms` and nothing runs, as in a frozen process: overdue timers fire with the next `pass`. */
  freeze(ms: number): void {
    this.#monoMs += ms;
  }

  /** The wall clock alone is set forward, or back. */
  stepWall(ms: number): void {
    this.#unixOffsetMs += ms;
  }

  #next(): Timer | null {
    let first: Timer | null = null;
    for (const timer of this.#timers) {
      if (first === null || timer.atMs < first.atMs || (timer.atMs === first.atMs && timer.order < first.order)) {
        first = timer;
      }
    }
    return first;
  }
}

/** Everything that waits for nothing but its turn has had it. */
function settle(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
