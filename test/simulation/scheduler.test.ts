/** True time, drifting clocks, freezes. */
import { describe, expect, it } from "vitest";
import { HostClock, ProcessClock } from "../../src/simulation/ground/host-clock.ts";
import { streamOf } from "../../src/simulation/ground/prng.ts";
import { Scheduler, type Life, type Scheduled } from "../../src/simulation/ground/scheduler.ts";

function life(): Life {
  return { alive: true, paused: false, backlog: [] };
}

function runAll(scheduler: Scheduler, untilMs = 1e9): void {
  for (let event: Scheduled | null; (event = scheduler.take(untilMs)) !== null;) event.run?.();
}

function clockOf(scheduler: Scheduler, driftPpm: number, owner = life()): ProcessClock {
  const host = new HostClock({ driftPpm, unixOffsetMs: 0 });
  return new ProcessClock({ scheduler, host, life: owner, lateness: streamOf(1, "timers") });
}

describe("scheduler", () => {
  it("runs events by time, and those of one time in the order in which they were scheduled", () => {
    const scheduler = new Scheduler();
    const order: number[] = [];
    const chance = streamOf(7, "order");
    const due = Array.from({ length: 500 }, (_, index) => ({ atMs: chance.whole(0, 40), index }));
    for (const { atMs, index } of due) scheduler.at(atMs, () => order.push(index));
    runAll(scheduler);
    const expected = [...due].sort((left, right) => left.atMs - right.atMs || left.index - right.index);
    expect(order).toEqual(expected.map(({ index }) => index));
  });

  it("never runs what was cancelled, nor anything of a life that has ended", () => {
    const scheduler = new Scheduler();
    const clock = clockOf(scheduler, 0);
    const dead = life();
    const ran: string[] = [];
    clock.clearTimeout(clock.setTimeout(() => ran.push("cancelled"), 5));
    scheduler.at(5, () => ran.push("dead"), dead);
    scheduler.at(6, () => ran.push("world"));
    dead.alive = false;
    runAll(scheduler);
    expect(ran).toEqual(["world"]);
  });

  it("keeps what reaches a frozen process for its waking", () => {
    const scheduler = new Scheduler();
    const frozen = { ...life(), paused: true };
    scheduler.enter(frozen, "arrival", () => undefined);
    expect(frozen.backlog.map(({ kind }) => kind)).toEqual(["arrival"]);
  });
});

describe("process clock", () => {
  it.each([-10_000, 0, 10_000])("fires no timer before its time on a clock that drifts by %i ppm", (driftPpm) => {
    const scheduler = new Scheduler();
    const clock = clockOf(scheduler, driftPpm);
    const late: number[] = [];
    for (let delayMs = 1; delayMs <= 1_000; delayMs += 37) {
      const dueMs = clock.monoMs() + delayMs;
      clock.setTimeout(() => late.push(clock.monoMs() - dueMs), delayMs);
      clock.callAt(() => late.push(clock.monoMs() - dueMs), dueMs);
    }
    runAll(scheduler);
    expect(late).toHaveLength(56);
    expect(Math.min(...late)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...late)).toBeLessThan(2);
  });

  it("steps the wall clock without moving the monotonic one", () => {
    const scheduler = new Scheduler();
    const host = new HostClock({ driftPpm: 100, unixOffsetMs: 0 });
    const clock = new ProcessClock({ scheduler, host, life: life(), lateness: streamOf(1, "timers") });
    const [unixMs, monoMs] = [clock.unixMs(), clock.monoMs()];
    host.stepUnix(5_000);
    expect([clock.unixMs() - unixMs, clock.monoMs()]).toEqual([5_000, monoMs]);
  });
});

describe("chance", () => {
  it("gives the same stream for the same seed and concern, and another for any other", () => {
    const draw = (seed: number, concern: string): number[] => {
      const stream = streamOf(seed, concern);
      return Array.from({ length: 4 }, () => stream.next());
    };
    expect(draw(1, "network")).toEqual(draw(1, "network"));
    expect(draw(1, "network")).not.toEqual(draw(2, "network"));
    expect(draw(1, "network")).not.toEqual(draw(1, "nemesis"));
  });

  it("is even enough", () => {
    const stream = streamOf(3, "even");
    const counts = new Array<number>(10).fill(0);
    for (let drawn = 0; drawn < 10_000; drawn += 1) counts[stream.whole(0, 9)]! += 1;
    for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(150);
  });
});
