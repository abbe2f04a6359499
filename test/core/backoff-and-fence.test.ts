/** Back-off and fencing: two small rules. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backoffMs } from "../../src/core/failure-detector.ts";
import { admits, NO_FENCE, raiseFence } from "../../src/core/claim.ts";

const BOUNDS = { baseMs: 100, capMs: 5_000 };
const ALMOST_ONE = 1 - Number.EPSILON / 2;

describe("back-off", () => {
  it("doubles its longest wait up to the cap", () => {
    const longest = [0, 1, 2, 3, 4, 5, 6, 7].map((attempt) => Math.round(backoffMs(attempt, ALMOST_ONE, BOUNDS)));
    expect(longest).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
  });

  it("spreads over all of it, and stays finite after however many attempts", () => {
    const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.nat(), chance, (attempt, random) => {
        const waitMs = backoffMs(attempt, random, BOUNDS);
        expect(waitMs).toBeGreaterThanOrEqual(0);
        expect(waitMs).toBeLessThan(BOUNDS.capMs);
        expect(waitMs).toBeCloseTo(random * Math.min(5_000, 100 * 2 ** attempt), 6);
      }),
    );
    expect(backoffMs(3, 0, BOUNDS)).toBe(0);
  });

  it("refuses chance that is none", () => {
    for (const random of [-0.1, 1, Number.NaN]) expect(() => backoffMs(0, random, BOUNDS)).toThrow(/broken invariant/u);
    expect(() => backoffMs(-1, 0.5, BOUNDS)).toThrow(/broken invariant/u);
  });
});

describe("a fence", () => {
  const numbers = fc.nat();

  it("[EP4] [RL3] admits its holder again and whoever came later, and nobody before", () => {
    expect(admits(NO_FENCE, 0)).toBe(true);
    expect(admits(4, 4)).toBe(true);
    expect(admits(4, 5)).toBe(true);
    expect(admits(4, 3)).toBe(false);
  });

  it("[RL3] once raised, never admits what is below it", () => {
    fc.assert(
      fc.property(fc.array(numbers), numbers, (offers, late) => {
        const highest = offers.reduce(raiseFence, NO_FENCE);
        expect(highest).toBe(Math.max(0, ...offers));
        expect(admits(highest, late)).toBe(late >= highest);
      }),
    );
  });

  it("admits nothing that is no whole number, and is not raised by it", () => {
    for (const offered of [Number.NaN, Infinity, 5.5, -1]) {
      expect(admits(0, offered)).toBe(false);
      expect(raiseFence(0, offered)).toBe(0);
    }
  });
});
