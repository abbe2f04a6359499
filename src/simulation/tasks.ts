/**
 * Purpose: what a simulation is made of when it is shared out over cores: seeds to run and bugs to find.
 * Keeps true: a task's result depends on the task alone, not on who does it nor when.
 */
import type { Policy } from "../core/settings.ts";
import { coveredRules, coverWorld, type Reached } from "./coverage.ts";
import { ALL_BUGS } from "./planted-bugs/all.ts";
import { runSeed, type RunResult } from "./run.ts";
import { type Aim, type AimResult, type DryRun, playAim, playDry } from "./systematic.ts";
import type { World, WorldSettings } from "./world/world.ts";
import type { CoordinatorFactory } from "./world/world-ground.ts";

/** Seeds on which a planted bug must show. */
const MOST_SEEDS_PER_BUG = 400;

export type Task =
  | { readonly kind: "seed"; readonly seed: number; readonly policy: Policy; readonly cover?: boolean }
  | { readonly kind: "scenario"; readonly scenario: Pick<DryRun, "policy" | "scenario"> }
  | { readonly kind: "aim"; readonly aim: Aim }
  /** `foundWith`: the seed that showed it once, which is tried first. */
  | { readonly kind: "bug"; readonly name: string; readonly foundWith?: number };

/** How the search for a planted bug went. */
export interface BugResult {
  readonly name: string;
  readonly rule: string;
  /** The invariant that it broke; `null`: not found. */
  readonly invariant: string | null;
  readonly seed: number;
  readonly seedsTried: number;
}

export type TaskResult =
  | { readonly kind: "seed"; readonly result: RunResult; readonly reached: readonly string[] }
  | { readonly kind: "scenario"; readonly result: DryRun }
  | { readonly kind: "aim"; readonly result: AimResult }
  | { readonly kind: "bug"; readonly result: BugResult };

/** Does one task. */
export async function doTask(factory: CoordinatorFactory, task: Task): Promise<TaskResult> {
  if (task.kind === "scenario") return { kind: "scenario", result: await playDry(factory, task.scenario) };
  if (task.kind === "aim") return { kind: "aim", result: await playAim(factory, task.aim) };
  if (task.kind === "bug") return { kind: "bug", result: await findBug(factory, task) };
  const { seed, policy, cover = false } = task;
  if (!cover) return { kind: "seed", result: await runSeed(factory, { seed, policy }), reached: [] };
  const reached: Reached = new Set();
  const covering = { rules: coveredRules({}, reached), prepare: (world: World) => coverWorld(world, reached) };
  const result = await runSeed(factory, { seed, policy, ...covering });
  return { kind: "seed", result, reached: [...reached] };
}

type BugTask = Extract<Task, { kind: "bug" }>;

async function findBug(factory: CoordinatorFactory, { name, foundWith }: BugTask): Promise<BugResult> {
  const bug = ALL_BUGS.find((known) => known.name === name);
  if (bug === undefined) throw new Error(`no planted bug is named ${name}`);
  const { rule, policy, rules, identityRules, wrapPorts, wrapSpoke, wrapSite, bites } = bug;
  const { spokes = 0, sites = 0, feed = false, faults, witness } = bug;
  const settings = (planned: WorldSettings): WorldSettings => ({ ...planned, witness: witness ?? planned.witness });
  // A planted bug that needs the rare faults names its schedule: so the others are found as soon as without them.
  const around = { spokes, sites, feed, faults, settings, rareFaults: false };
  const all = Array.from({ length: MOST_SEEDS_PER_BUG }, (_, index) => index + 1);
  for (const seed of foundWith === undefined ? all : [foundWith, ...all]) {
    const { violation } = await runSeed(factory, {
      seed,
      policy,
      rules,
      identityRules,
      wrapPorts,
      wrapSpoke,
      wrapSite,
      ...around,
    });
    if (violation === null || !bites.includes(violation.invariant)) continue;
    // What the true rules break as well was not found by the bug.
    if ((await runSeed(factory, { seed, policy, ...around })).violation !== null) continue;
    return { name, rule, invariant: violation.invariant, seed, seedsTried: seed };
  }
  return { name, rule, invariant: null, seed: 0, seedsTried: MOST_SEEDS_PER_BUG };
}
