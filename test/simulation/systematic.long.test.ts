/** Every fault at every moment, in part: each fortieth of the aimed faults. `npm run sim -- --systematic` plays all. */
import { describe, expect, it } from "vitest";
import { simulated } from "../../src/simulation/subject.ts";
import { playAim } from "../../src/simulation/systematic.ts";
import { aimPlan } from "./aim-plan.ts";

const EVERY = 40;

describe("aimed faults", () => {
  it("strike at the moments that they are aimed at, and break no invariant", { timeout: 600_000 }, async () => {
    const { aims } = await aimPlan();
    expect(new Set(aims.map(({ moment }) => moment)).size).toBeGreaterThan(60);
    const broken: string[] = [];
    for (const aim of aims.filter((_one, index) => index % EVERY === 0)) {
      const { reached, run } = await playAim(simulated, aim);
      if (!reached || run.violation !== null)
        broken.push(`${JSON.stringify(aim)}: ${run.violation?.detail ?? "not reached"}`);
    }
    expect(broken).toEqual([]);
  });
});
