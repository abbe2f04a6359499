/** A clock that stands still until a test moves it. It has no timers: for parts that only compare instants. */
import type { Clock } from "../../src/ports/basics.ts";

export class ManualClock implements Clock {
  #monoMs = 5_000;
  #unixMs = 1_900_000_000_000;

  monoMs(): number {
    return this.#monoMs;
  }

  unixMs(): number {
    return this.#unixMs;
  }

  /** Both clocks go on by `ms`. */
  pass(ms: number): void {
    this.#monoMs += ms;
    this.#unixMs += ms;
  }

  /** The wall clock alone is set forward, or back. */
  stepWall(ms: number): void {
    this.#unixMs += ms;
  }

  setTimeout(): never {
    throw new Error("this clock has no timers");
  }

  clearTimeout(): never {
    throw new Error("this clock has no timers");
  }

  callAt(): never {
    throw new Error("this clock has no timers");
  }

  soon(): never {
    throw new Error("this clock has no timers");
  }
}
