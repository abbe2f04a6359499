/** Shapes of logs, and their fork, against logs that are written out epoch by epoch. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EpochRun } from "../../src/core/command.ts";
import { appendToShape, cutShape, epochAt, findFork, type LogShape } from "../../src/core/fork.ts";

/** The shape of a log whose command `seq` was written under `epochs[seq - 1]`. */
function shapeOf(epochs: readonly number[]): LogShape {
  return epochs.reduce<LogShape>((shape, epoch, index) => appendToShape(shape, epoch, index + 1), []);
}

/** `shape` as it is shown when only the newest `runs` runs are told. */
const newest = (shape: LogShape, runs: number): LogShape => shape.slice(Math.max(0, shape.length - runs));

const rising = (min: number, step: number) =>
  fc.array(fc.nat({ max: 2 }), { maxLength: 12 }).map((steps) => {
    let epoch = min;
    return steps.map((each) => (epoch += each * step));
  });

/** Two logs with a common beginning; after it one side has odd epochs only, the other even ones [EP1]. */
const forked = fc.tuple(rising(1, 1), rising(101, 2), rising(102, 2)).map(([shared, a, b]) => ({
  shared: shared.length,
  a: [...shared, ...a],
  b: [...shared, ...b],
}));

describe("the shape of a log", () => {
  it("tells the epoch of every seq, and of no other", () => {
    fc.assert(
      fc.property(rising(1, 1), (epochs) => {
        const shape = shapeOf(epochs);
        expect(epochs.map((_, index) => epochAt(shape, index + 1))).toEqual(epochs);
        expect(epochAt(shape, 0)).toBeNull();
        expect(epochAt(shape, epochs.length + 1)).toBeNull();
        expect(shape).toHaveLength(new Set(epochs).size);
      }),
    );
  });

  it("is cut as the log is cut", () => {
    fc.assert(
      fc.property(rising(1, 1), fc.nat({ max: 14 }), (epochs, throughSeq) => {
        expect(cutShape(shapeOf(epochs), throughSeq)).toEqual(shapeOf(epochs.slice(0, throughSeq)));
      }),
    );
  });

  it("takes a whole stretch as it takes its commands one by one", () => {
    expect(appendToShape(shapeOf([1, 1]), 1, 3, 5)).toEqual(shapeOf([1, 1, 1, 1, 1]));
    expect(appendToShape(shapeOf([1, 1]), 4, 3, 4)).toEqual(shapeOf([1, 1, 4, 4]));
    expect(appendToShape([], 4, 90, 95)).toEqual([{ epoch: 4, from: 90, to: 95 }]);
  });

  it("refuses a gap, an overlap, a fallen epoch and a stretch that ends before it begins", () => {
    const shape = shapeOf([1, 3]);
    expect(() => appendToShape(shape, 3, 4)).toThrow(/seq 4 follows 2/u);
    expect(() => appendToShape(shape, 3, 2)).toThrow(/seq 2 follows 2/u);
    expect(() => appendToShape(shape, 2, 3)).toThrow(/epoch 2 is not below 3/u);
    expect(() => appendToShape(shape, 3, 3, 2)).toThrow(/from 3 to 2/u);
  });
});

describe("the fork of two logs", () => {
  it.each<[string, readonly number[], readonly number[], number]>([
    ["of one and the same", [1, 1, 2], [1, 1, 2], 3],
    ["where one only lags", [1, 1, 2, 2], [1, 1, 2], 3],
    ["where both went on", [1, 1, 3], [1, 1, 2, 2], 2],
    ["where one has nothing", [], [1, 1], 0],
    ["where nothing is common", [1, 1], [2, 2], 0],
    ["inside a run", [1, 1, 1, 1], [1, 1, 2], 2],
  ])("%s", (_title, a, b, fork) => {
    expect(findFork(shapeOf(a), shapeOf(b))).toBe(fork);
  });

  it("[SB2] is the last seq at which both agree on the epoch, from either side", () => {
    fc.assert(
      fc.property(forked, ({ shared, a, b }) => {
        expect(findFork(shapeOf(a), shapeOf(b))).toBe(shared);
        expect(findFork(shapeOf(b), shapeOf(a))).toBe(shared);
      }),
    );
  });

  it("[SB2] is found in shapes that are cut at the old end, or 0 where they no longer show it", () => {
    fc.assert(
      fc.property(forked, fc.nat({ max: 12 }), fc.nat({ max: 12 }), ({ shared, a, b }, runsOfA, runsOfB) => {
        const [left, right] = [newest(shapeOf(a), runsOfA), newest(shapeOf(b), runsOfB)];
        const shows = (shape: LogShape) => shared > 0 && shape.some((run: EpochRun) => run.from <= shared);
        expect(findFork(left, right)).toBe(shows(left) && shows(right) ? shared : 0);
      }),
    );
  });
});
