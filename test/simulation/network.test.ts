/** Ordered pipes over paths that are cut and heal. */
import { describe, expect, it } from "vitest";
import { Path, Pipe } from "../../src/simulation/ground/network.ts";
import { streamOf } from "../../src/simulation/ground/prng.ts";
import { Scheduler, type Scheduled } from "../../src/simulation/ground/scheduler.ts";

function ground(): { scheduler: Scheduler; path: Path; pipe: Pipe<number>; got: { item: number; atMs: number }[] } {
  const scheduler = new Scheduler();
  const path = new Path({ chance: streamOf(5, "path") }, { shortestMs: 0.1, meanExtraMs: 2 });
  const got: { item: number; atMs: number }[] = [];
  const pipe = new Pipe<number>({ scheduler, path }, (item) => got.push({ item, atMs: scheduler.nowMs }));
  return { scheduler, path, pipe, got };
}

function runUntil(scheduler: Scheduler, untilMs: number): void {
  for (let event: Scheduled | null; (event = scheduler.take(untilMs)) !== null;) event.run?.();
  scheduler.advanceTo(untilMs);
}

describe("pipe", () => {
  it("delivers in order although every item takes its own time", () => {
    const { scheduler, pipe, got } = ground();
    for (let item = 0; item < 200; item += 1) pipe.push(item);
    runUntil(scheduler, 1_000);
    expect(got.map(({ item }) => item)).toEqual(Array.from({ length: 200 }, (_, index) => index));
  });

  it("holds everything back while its path is cut, and retransmits when it has healed, in order, once", () => {
    const { scheduler, path, pipe, got } = ground();
    pipe.push(1);
    runUntil(scheduler, 100);
    path.cutOff();
    pipe.push(2);
    runUntil(scheduler, 550);
    expect(got).toHaveLength(1);
    path.heal();
    pipe.push(3);
    runUntil(scheduler, 5_000);
    expect(got.map(({ item }) => item)).toEqual([1, 2, 3]);
    // Stalled at about 102 ms: retransmissions at +200 and +600; the first after the cut is the second.
    expect(got[1]?.atMs).toBeGreaterThan(690);
    expect(got[1]?.atMs).toBeLessThan(720);
  });

  it("stays cut until every cut has ended", () => {
    const { path } = ground();
    path.cutOff();
    path.cutOff();
    path.heal();
    expect(path.cut).toBe(true);
    path.heal();
    expect(path.cut).toBe(false);
  });

  it("says when its buffer is full", () => {
    const { scheduler, path, pipe } = ground();
    path.cutOff();
    for (let item = 0; item < 4_096; item += 1) pipe.push(item);
    runUntil(scheduler, 100);
    expect(pipe.push(4_097)).toBe(false);
  });
});
