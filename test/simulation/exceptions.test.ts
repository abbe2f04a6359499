/** What the coordinator throws is a broken invariant of one seed: with its trace, and never the end of the sweep. */
import { describe, expect, it } from "vitest";
import type { Rules } from "../../src/actors/rules.ts";
import { runSeed } from "../../src/simulation/run.ts";
import { simulated } from "../../src/simulation/subject.ts";

function broken(): never {
  throw new Error("broken invariant: for this test");
}

async function violationUnder(rules: Partial<Rules>): Promise<string> {
  const { violation } = await runSeed(simulated, { seed: 3, policy: "on-air", faults: [], rules });
  return `${violation?.invariant ?? "none"}: ${violation?.detail ?? ""}`;
}

describe("an exception", () => {
  it.each<[string, Partial<Rules>]>([
    ["in a guard of a statechart", { outOfQuarantine: broken }],
    ["while a message is taken", { admitsEpoch: broken }],
    ["in a timer", { pauseSuspected: broken }],
    ["in what follows from a promise", { heldByPair: broken }],
  ])("%s is a broken invariant of its seed", { timeout: 30_000 }, async (_where, rules) => {
    expect(await violationUnder(rules)).toMatch(/^no-throw: .*for this test/su);
  });
});
