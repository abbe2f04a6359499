/** What `npm run sim -- --systematic` would strike. */
import { simulated } from "../../src/simulation/subject.ts";
import { type AimPlan, type DryRun, planAims, playDry, scenariosOf } from "../../src/simulation/systematic.ts";

/** The plan for both policies, made in this thread. */
export async function aimPlan(): Promise<AimPlan> {
  const runs: DryRun[] = [];
  for (const one of scenariosOf(["consistency", "on-air"])) runs.push(await playDry(simulated, one));
  return planAims(runs);
}
