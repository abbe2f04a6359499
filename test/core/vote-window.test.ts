/** How long a leader's engine may act without hearing again. */
import { expect, test } from "vitest";
import { grantWindowMs, mayActForMs } from "../../src/core/claim.ts";

const VIEW = { mayAct: true, policy: "consistency", votesLeftMs: 420.9, leaseMs: 600 } as const;

test("EN12: under `consistency` it ends with the votes, rounded down", () => {
  expect(mayActForMs(VIEW)).toBe(420);
  expect(mayActForMs({ ...VIEW, votesLeftMs: 0 })).toBe(0);
});

test("EN12: under `on-air` a leader without votes acts on, so it ends after a lease without a word", () => {
  expect(mayActForMs({ ...VIEW, policy: "on-air", votesLeftMs: 0 })).toBe(600);
});

test.each(["consistency", "on-air"] as const)(
  "EN12: a leader that may not act gives its engine no time (%s)",
  (policy) => {
    expect(mayActForMs({ ...VIEW, policy, mayAct: false })).toBe(0);
  },
);

test("HO1 I4: a grant is used for less time than the leader waits, drift and the time to come to rest included", () => {
  // Two clocks that each drift by 1 %, one fast and one slow; 50 ms for what is under way.
  expect(grantWindowMs(500, 10_000, 50)).toBeCloseTo(500 * (0.99 / 1.01) - 50, 6);
  expect(grantWindowMs(500, 0, 50)).toBe(450);
});
