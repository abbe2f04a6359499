/** A schedule is a pure function of its plan, and a campaign reaches every fault and both kinds of second fault. */
import { expect, test } from "vitest";
import { readOptions } from "./options.ts";
import { describeStep, type RoundPlan, type Schedule, scheduleOf } from "./schedule.ts";

function schedules(more: Partial<RoundPlan> = {}): readonly Schedule[] {
  const plan = { policy: "on-air", witness: "redis", engine: "http", ...more } as const;
  return Array.from({ length: 200 }, (_round, seed) => scheduleOf({ ...plan, seed }));
}

test("the same plan gives the same schedule, another seed another one", () => {
  expect(schedules()).toEqual(schedules());
  expect(new Set(schedules().map(({ steps }) => steps.map(describeStep).join())).size).toBe(200);
});

test("200 rounds reach every kind of fault, and about half have a second one", () => {
  const kinds = new Set(schedules().flatMap(({ steps }) => steps.map(({ fault }) => fault.kind)));
  expect([...kinds].sort()).toMatchInlineSnapshot(`
    [
      "cut",
      "cut-witness",
      "delay",
      "empty-witness",
      "fill-disk",
      "force-leader",
      "freeze",
      "freeze-engine",
      "handover",
      "isolate",
      "kill",
      "kill-engine",
      "kill-witness",
      "maintenance",
      "pause-witness",
      "restore-folder",
      "stall",
      "step-clock",
      "terminate",
      "terminate-engine",
    ]
  `);
  const second = schedules().filter(({ steps }) => steps.length > 1).length;
  expect(second).toBeGreaterThan(80);
  expect(second).toBeLessThan(160);
  const aims = schedules().flatMap(({ steps }) => steps.flatMap(({ after }) => after ?? []));
  expect(aims.filter((after) => after === "reconciling").length).toBeGreaterThan(10);
  expect(aims.filter((after) => after === "verifying").length).toBeGreaterThan(10);
});

test("an embedded engine has no process of its own to kill", () => {
  const kinds = schedules({ engine: "embedded" }).flatMap(({ steps }) => steps.map(({ fault }) => fault.kind));
  expect(kinds.filter((kind) => kind.endsWith("-engine"))).toEqual([]);
});

test("a wrong option is named with its value and its bound", () => {
  expect(() => readOptions(["--rounds", "0"])).toThrow("--rounds 0: must be a whole number from 1 to 100000");
  expect(() => readOptions(["--witness", "etcd"])).toThrow("--witness etcd: must be redis or sqlite, or both");
  expect(() => readOptions(["--speed", "9"])).toThrow("--speed");
  expect(() => readOptions(["--without", "P2"])).toThrow("--without P2: must be P1");
  expect(readOptions(["--policy", "both"])).toMatchObject({ policies: ["on-air", "consistency"], rounds: 20 });
  expect(readOptions(["--help"])).toBeNull();
});
