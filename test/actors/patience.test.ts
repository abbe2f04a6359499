/** How long a call for the engine's state may take. */
import { expect, test } from "vitest";
import { Patience } from "../../src/actors/patience.ts";

function lose(patience: Patience, times: number): readonly number[] {
  return Array.from({ length: times }, () => {
    const { ms } = patience;
    patience.lost();
    return ms;
  });
}

test("EN13: calls that are lost get twice the time each, up to the limit, and then begin again", () => {
  const patience = new Patience({ firstMs: 500, limitMs: 3_000 });
  expect(lose(patience, 6)).toEqual([500, 1_000, 2_000, 3_000, 500, 1_000]);
  expect(patience.lostInARow).toBe(6);
});

test("EN13: an engine that answers fast is given two seconds at most, however often it hangs", () => {
  const patience = new Patience({ firstMs: 500, limitMs: 10_000 });
  patience.answered(3);
  expect(Math.max(...lose(patience, 20))).toBe(2_000);
});

test("EN13: a slow engine gets twice the time that it took, and what has grown is found after some rounds", () => {
  const patience = new Patience({ firstMs: 500, limitMs: 10_000 });
  lose(patience, 3);
  patience.answered(3_000);
  expect([patience.ms, patience.lostInARow]).toEqual([6_000, 0]);
  patience.answered(100);
  expect(patience.ms).toBe(500);
  expect(Math.max(...lose(patience, 100))).toBe(10_000);
});

test("EN13: no time is longer than the limit of the engine's own", () => {
  const patience = new Patience({ firstMs: 500, limitMs: 200 });
  expect(lose(patience, 3)).toEqual([200, 200, 200]);
  patience.answered(180);
  expect(patience.ms).toBe(200);
});
