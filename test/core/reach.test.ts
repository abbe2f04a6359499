import { expect, test } from "vitest";
import { isReachable, isWithinReach, MAX_LEAP, MAX_NUMBER, outOfReach } from "../../src/core/epoch.ts";

test("EP6: a number is a whole number from 0 to the bound", () => {
  for (const value of [0, 1, MAX_LEAP, MAX_NUMBER]) expect(isReachable(value)).toBe(true);
  for (const value of [-1, 0.5, MAX_NUMBER + 1, 2 ** 53 - 1, 1e300, Number.NaN, Number.POSITIVE_INFINITY, "1", null]) {
    expect(isReachable(value)).toBe(false);
  }
});

test("EP6: claims are bounded in total, not only per step", () => {
  let seen = 0;
  for (let step = 0; step < 2 * (MAX_NUMBER / MAX_LEAP); step++) {
    if (isWithinReach(seen, seen + MAX_LEAP)) seen += MAX_LEAP;
  }
  expect(seen).toBe(MAX_NUMBER);
  expect(isWithinReach(seen, seen + 1)).toBe(false);
});

test("EP6: a refusal names the place, the value and the bound", () => {
  expect(outOfReach("epoch", 2 ** 53)).toBe(
    "epoch is 9007199254740992, out of reach (a whole number from 0 to 281474976710656)",
  );
});
