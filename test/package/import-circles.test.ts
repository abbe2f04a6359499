/** Keeps true: no file of the program imports itself by way of others, not even for a type. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { findCircles, importGraph } from "./import-circles.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const FIXTURE = fileURLToPath(new URL("./lint-fixture", import.meta.url));

test("the program has no import circles", () => {
  const graph = importGraph(ROOT, ["src/**/*.{ts,tsx}", "machines/**/*.ts"]);
  expect(graph.size).toBeGreaterThan(10);
  expect(findCircles(graph)).toEqual([]);
});

test("a circle is found, types and lazy imports included", () => {
  const circles = findCircles(importGraph(FIXTURE, ["src/**/*.ts", "machines/**/*.ts"]));
  expect(circles).toContainEqual(["machines/machine.ts", "src/actors/act.ts", "machines/machine.ts"]);
  expect(circles).toContainEqual([
    "src/coordinator/coordinator.ts",
    "src/http/routes.ts",
    "src/coordinator/coordinator.ts",
  ]);
});

test("a diamond is no circle", () => {
  const diamond = new Map([
    ["top", ["left", "right"]],
    ["left", ["bottom"]],
    ["right", ["bottom"]],
    ["bottom", []],
  ]);
  expect(findCircles(diamond)).toEqual([]);
});
