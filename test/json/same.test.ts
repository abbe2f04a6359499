/** Whether two JSON values are the same, told in goes. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalJson, type Json } from "../../src/core/canonical-json.ts";
import { comparedInGoes } from "../../src/json/same.ts";

function same(left: Json, right: Json): boolean {
  return [...comparedInGoes(left, right)].at(-1) ?? true;
}

const json = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<Json>;

test("two values are the same exactly when they have the same canonical text", () => {
  fc.assert(
    fc.property(json, json, (left, right) => {
      expect(same(left, right)).toBe(canonicalJson(left) === canonicalJson(right));
      expect(same(left, JSON.parse(canonicalJson(left)) as Json)).toBe(true);
    }),
  );
});

test.each<[string, Json, Json, boolean]>([
  ["another order of keys", { a: 1, b: [2] }, { b: [2], a: 1 }, true],
  ["a member that is undefined", { a: 1, b: undefined } as unknown as Json, { a: 1 }, true],
  ["a missing and an undefined member", { a: undefined } as unknown as Json, { b: undefined } as unknown as Json, true],
  ["another key", { a: null }, { b: null }, false],
  ["a key that every object inherits", { toString: 1 }, { a: 1 }, false],
  ["a list and an object", [], {}, false],
  ["null and an object", { a: null }, { a: {} }, false],
  ["a longer list", [1, 2], [1, 2, 3], false],
  ["a hole in a list", new Array<Json>(1), [2], false],
  ["a number and its text", [1], ["1"], false],
])("%s", (_name, left, right, expected) => {
  expect(same(left, right)).toBe(expected);
  expect(same(right, left)).toBe(expected);
});

test("a difference is found at the end of many goes, and ends them", () => {
  const many = Array.from({ length: 10_000 }, (_, index) => ({ index }));
  const other = structuredClone(many.with(0, { index: -1 }));
  expect(same(many, structuredClone(many))).toBe(true);
  const goes = [...comparedInGoes(many, other)];
  expect(goes.length).toBeGreaterThan(5);
  expect(goes.filter((soFar) => !soFar)).toEqual([false]);
});
