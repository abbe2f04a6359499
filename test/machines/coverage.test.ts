/**
 * Every state of every statechart and every durable write is struck by every fault in some aimed schedule, and every rule
 * answers yes and no, or `machines/SPEC.md` says why not. A new state without a scenario that comes to it fails here:
 * add a scenario to `src/simulation/systematic.ts`.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { everything, readExplained } from "../../src/simulation/coverage.ts";
import { type AimPlan, holesOf } from "../../src/simulation/systematic.ts";
import { aimPlan } from "../simulation/aim-plan.ts";

const explained = readExplained();

describe("state × fault", () => {
  let plan: AimPlan;

  beforeAll(async () => {
    plan = await aimPlan();
  }, 600_000);

  it("has no hole that SPEC.md does not explain", () => {
    expect(plan.broken).toEqual([]);
    expect(holesOf(plan, explained)).toEqual([]);
  });

  it("shows a hole where a moment, a fault or an answer is missing", () => {
    const aims = plan.aims.filter(({ moment, kind }) => moment !== "handover enters draining" || kind !== "pause");
    const reached = new Set([...plan.reached].filter((key) => key !== "rule mayAct false"));
    const holes = holesOf({ ...plan, aims, reached }, new Map());
    expect(holes).toContain("handover enters draining × pause on self");
    expect(holes).toContain("rule mayAct false");
    expect(holes).toContain("split-brain enters needsPerson × every fault");
  });
});

it("SPEC.md explains what exists, with a reason", () => {
  expect(explained.size).toBeGreaterThan(0);
  const states = new Set(everything());
  for (const [key, why] of explained) {
    if (key.startsWith("state ")) expect(states).toContain(key);
    else expect(key).toMatch(/^(write|rule) \w+/u);
    expect(why.length, key).toBeGreaterThan(20);
  }
});
