/**
 * Contract of the port Clock, for every adapter: the machine's clock and simulated ones.
 * A real clock passes time by itself; a simulated one is driven by `pass`.
 */
import { describe, expect, it } from "vitest";
import type { Clock } from "../../src/ports/basics.ts";

export interface ClockUnderTest {
  readonly clock: Clock;
  /** Lets at least `ms` pass and everything due in them happen. */
  readonly pass: (ms: number) => Promise<void>;
}

export function clockContract(name: string, make: () => ClockUnderTest): void {
  describe(`clock contract: ${name}`, () => {
    readings(make);
    timers(make);
    exactCalls(make);
  });
}

function readings(make: () => ClockUnderTest): void {
  it("monotonic time never goes back", async () => {
    const { clock, pass } = make();
    let last = clock.monoMs();
    for (let reading = 0; reading < 1_000; reading++) {
      const now = clock.monoMs();
      expect(now).toBeGreaterThanOrEqual(last);
      last = now;
    }
    await pass(2);
    expect(clock.monoMs()).toBeGreaterThan(last);
  });

  it("wall clock and monotonic clock advance together", async () => {
    const { clock, pass } = make();
    const monoMs = clock.monoMs();
    const unixMs = clock.unixMs();
    await pass(20);
    const drift = clock.unixMs() - unixMs - (clock.monoMs() - monoMs);
    expect(Math.abs(drift)).toBeLessThan(5);
  });
}

function timers(make: () => ClockUnderTest): void {
  it("a timer fires once, and never before its time", async () => {
    const { clock, pass } = make();
    const early: number[] = [];
    let fired = 0;
    for (const delayMs of [0, 0.3, 1, 2.5, 7, 12]) {
      const dueMs = clock.monoMs() + delayMs;
      clock.setTimeout(() => {
        fired++;
        if (clock.monoMs() < dueMs) early.push(delayMs);
      }, delayMs);
    }
    await pass(30);
    expect(fired).toBe(6);
    expect(early).toEqual([]);
  });

  it("timers fire in the order of their instants", async () => {
    const { clock, pass } = make();
    const order: number[] = [];
    for (const delayMs of [24, 4, 14]) clock.setTimeout(() => order.push(delayMs), delayMs);
    await pass(50);
    expect(order).toEqual([4, 14, 24]);
  });

  it("a stopped timer never fires; stopping twice, or after it fired, is ignored", async () => {
    const { clock, pass } = make();
    let fired = 0;
    const stopped = clock.setTimeout(() => fired++, 5);
    const exact = clock.callAt(() => fired++, clock.monoMs() + 5);
    const kept = clock.setTimeout(() => (fired += 100), 5);
    clock.clearTimeout(stopped);
    clock.clearTimeout(stopped);
    clock.clearTimeout(exact);
    await pass(20);
    clock.clearTimeout(kept);
    expect(fired).toBe(100);
  });
}

function exactCalls(make: () => ClockUnderTest): void {
  it("callAt fires once, not before its instant, also for an instant that has passed", async () => {
    const { clock, pass } = make();
    const startMs = clock.monoMs();
    const late: number[] = [];
    for (const atMs of [startMs - 10, startMs, startMs + 0.7, startMs + 9.3]) {
      clock.callAt(() => late.push(clock.monoMs() - atMs), atMs);
    }
    await pass(30);
    expect(late).toHaveLength(4);
    for (const ms of late) expect(ms).toBeGreaterThanOrEqual(0);
  });

  it("soon runs after the present turn, and once", async () => {
    const { clock, pass } = make();
    const order: string[] = [];
    clock.soon(() => order.push("soon"));
    order.push("now");
    await pass(5);
    expect(order).toEqual(["now", "soon"]);
  });
}
