/** What is particular to the machine's clock: fractions of a millisecond, and wall-clock steps. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { SystemClock } from "../../src/adapters/basics.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

/** What a number of this size cannot tell apart, ms. */
const ROUNDING_MS = 0.001;

describe("SystemClock.unixMs", () => {
  it("shows fractions and stays within the millisecond that Date.now shows", () => {
    const clock = new SystemClock();
    const fractions = new Set<number>();
    for (let reading = 0; reading < 2_000; reading++) {
      const before = Date.now();
      const unixMs = clock.unixMs();
      expect(unixMs).toBeGreaterThanOrEqual(before - ROUNDING_MS);
      expect(unixMs).toBeLessThanOrEqual(Date.now() + 1 + ROUNDING_MS);
      fractions.add(unixMs % 1);
    }
    expect(fractions.size).toBeGreaterThan(100);
  });

  it.each([3_600_000, -3_600_000, 3, -3])("follows a step of %d ms of the wall clock at the next reading", (stepMs) => {
    const clock = new SystemClock();
    clock.unixMs();
    const real = Date.now.bind(Date);
    vi.spyOn(Date, "now").mockImplementation(() => real() + stepMs);
    const stepped = clock.unixMs();
    expect(Math.abs(stepped - (real() + stepMs))).toBeLessThanOrEqual(1.5);
  });

  it("does not mistake a pause between its readings for a step", () => {
    const clock = new SystemClock();
    const before = clock.unixMs() - clock.monoMs();
    const mono = performance.now.bind(performance);
    let pausedMs = 0;
    vi.spyOn(performance, "now").mockImplementation(() => mono() + pausedMs);
    const wall = Date.now.bind(Date);
    vi.spyOn(Date, "now").mockImplementation(() => {
      const shown = wall();
      pausedMs += 500;
      return shown;
    });
    clock.unixMs();
    vi.restoreAllMocks();
    expect(Math.abs(clock.unixMs() - clock.monoMs() - before)).toBeLessThanOrEqual(1);
  });
});

describe("SystemClock timers", () => {
  it("waits for a delay that Node cannot take at once instead of firing at once", async () => {
    const clock = new SystemClock();
    let fired = false;
    const forever = clock.setTimeout(() => (fired = true), Number.POSITIVE_INFINITY);
    const month = clock.setTimeout(() => (fired = true), 31 * 86_400_000);
    await new Promise((resolve) => void setTimeout(resolve, 20));
    expect(fired).toBe(false);
    clock.clearTimeout(forever);
    clock.clearTimeout(month);
  });

  it("refuses a delay that is not a number", () => {
    expect(() => new SystemClock().setTimeout(() => undefined, Number.NaN)).toThrow(/broken invariant/);
  });
});
