/** The drawings in the repository are those of the statecharts as they are, and every state and transition is in them. */
import { readdirSync, readFileSync } from "node:fs";
import { createActor, type AnyStateMachine } from "xstate";
import { beforeAll, describe, expect, test } from "vitest";
import { machines } from "../../machines/index.ts";
import { drawCatalogue } from "../../src/visualiser/layout/catalogue.ts";
import { chartOf, stateId, type Box } from "../../src/visualiser/layout/graph.ts";

const FOLDER = "docs/images/machines";
let drawings: ReadonlyMap<string, string>;

beforeAll(async () => {
  drawings = await drawCatalogue();
});

test("the checked-in drawings are up to date (npm run build renews them)", () => {
  expect(readdirSync(FOLDER).sort()).toEqual([...drawings.keys()].sort());
  for (const [file, svg] of drawings) expect(readFileSync(`${FOLDER}/${file}`, "utf8"), file).toBe(svg);
});

describe.each(Object.entries<AnyStateMachine>(machines))("%s", (name, machine) => {
  const idsIn = (svg: string): string[] => [...svg.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id ?? "");
  const chart = chartOf(name, machine);
  const pathsOf = ({ path, children }: Box): string[] => [path, ...children.flatMap(pathsOf)];

  test("every state and every transition has one element with its id", () => {
    const ids = idsIn(drawings.get(`${name}.svg`) ?? "");
    const hops = [...chart.arrows.flatMap((arrow) => arrow.hops), ...chart.everywhere];
    const wanted = [...pathsOf(chart.root).map((path) => stateId(name, path)), ...hops.map(({ id }) => id)];
    expect(ids.filter((id) => !id.endsWith("--title")).sort()).toEqual(wanted.sort());
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("nothing lies outside the drawing", () => {
    const svg = drawings.get(`${name}.svg`) ?? "";
    const [, width = 0, height = 0] = (/viewBox="0 0 (\d+) (\d+)"/.exec(svg) ?? []).map(Number);
    for (const [, x = "", y = ""] of svg.matchAll(/ x="([\d.-]+)" y="([\d.-]+)"/g)) {
      expect(Number(x)).toBeGreaterThanOrEqual(0);
      expect(Number(x)).toBeLessThan(width);
      expect(Number(y)).toBeGreaterThanOrEqual(0);
      expect(Number(y)).toBeLessThan(height);
    }
  });

  test("it begins in states that are drawn", () => {
    const actor = createActor(machine);
    for (const node of actor.getSnapshot()._nodes) expect(pathsOf(chart.root)).toContain(node.path.join("."));
  });
});
