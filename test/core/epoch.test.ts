/** Epochs as ballots. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isEpoch, nextEpoch, NO_EPOCH, ownerOf } from "../../src/core/epoch.ts";
import { type Label, otherLabel } from "../../src/core/ids.ts";

const epochs = fc.integer({ min: 0, max: 2 ** 40 });
const labels = fc.constantFrom<Label>("a", "b");

describe("epochs", () => {
  it("[EP1] begin at 1 for a and at 2 for b", () => {
    expect(nextEpoch(NO_EPOCH, "a")).toBe(1);
    expect(nextEpoch(NO_EPOCH, "b")).toBe(2);
    expect(nextEpoch(7, "a")).toBe(9);
    expect(nextEpoch(7, "b")).toBe(8);
  });

  it("[EP1] are the smallest of the label's parity above every known one", () => {
    fc.assert(
      fc.property(epochs, labels, (known, label) => {
        const next = nextEpoch(known, label);
        expect(ownerOf(next)).toBe(label);
        expect(next).toBeGreaterThan(known);
        expect(next - known).toBeLessThanOrEqual(2);
      }),
    );
  });

  it("[EP1] [I3] never have two owners, whatever each side has seen", () => {
    fc.assert(
      fc.property(epochs, epochs, labels, (mine, theirs, label) => {
        expect(nextEpoch(mine, label)).not.toBe(nextEpoch(theirs, otherLabel(label)));
      }),
    );
  });

  it("refuses to count on from what is no epoch", () => {
    for (const known of [-1, 0.5, Number.NaN, Infinity, 2 ** 53]) {
      expect(isEpoch(known)).toBe(false);
      expect(() => nextEpoch(known, "a")).toThrow(/broken invariant/u);
    }
    for (const value of ["1", null, undefined, {}]) expect(isEpoch(value)).toBe(false);
  });
});
