/**
 * Aimed schedules: for every moment that the pair comes to in some scenario, each fault that can occur there, at that very
 * instant. A moment is the entry of a statechart into a state, a durable write, a message on its way, or a rewrite of the
 * witness record. The scenarios contain a fault of their own, so that the aimed one is the second and strikes recovery.
 */
import type { Policy } from "../core/settings.ts";
import { otherLabel, type Label } from "../core/ids.ts";
import { workOf, type Fault, type FaultKind } from "./faults/catalogue.ts";
import { runSeed, type RunResult } from "./run.ts";
import type { World } from "./world/world.ts";
import type { CoordinatorFactory } from "./world/world-ground.ts";

/** The pair has found itself by then. */
const FROM_MS = 2_500;
const SAFETY_MS = 7_000;
/** A seed whose world has a witness. */
const SEED = 2;

interface Scenario {
  readonly name: string;
  readonly faults: readonly Fault[];
  /** Commands kept in the log: with few a follower that was away needs a snapshot. */
  readonly keep?: number;
}

function fault(kind: FaultKind, target: Label, atMs: number, forMs: number): Fault {
  return { kind, target, atMs, forMs, amount: 0.5 };
}

const SCENARIOS: readonly Scenario[] = [
  { name: "calm", faults: [] },
  { name: "leader killed", faults: [fault("kill", "a", 3_000, 1_500)] },
  { name: "leader frozen", faults: [fault("pause", "a", 3_000, 1_500)] },
  { name: "leader isolated", faults: [fault("isolation", "a", 3_000, 2_000)] },
  { name: "follower away, log short", faults: [fault("power-off", "b", 2_600, 1_800)], keep: 0 },
  { name: "handover", faults: [fault("handover", "b", 3_000, 0)] },
  { name: "forced", faults: [fault("force-leader", "b", 3_000, 50)] },
  { name: "clean restart", faults: [fault("clean-restart", "a", 3_000, 1_000)] },
  { name: "witness down", faults: [fault("witness-down", "a", 3_000, 2_000)] },
  { name: "link cut", faults: [fault("cut", "a", 3_000, 2_000)] },
  { name: "engine failed", faults: [fault("unhealthy-engine", "a", 3_000, 1_500)] },
  { name: "held", faults: [fault("maintenance", "a", 2_600, 3_000), fault("kill", "a", 3_200, 1_000)] },
];

/** What is aimed, at whom seen from the moment, for how long. */
const AIMED: readonly (readonly [kind: FaultKind, at: "self" | "peer", forMs: number])[] = [
  ["kill", "self", 800],
  ["kill", "peer", 800],
  ["power-off", "self", 800],
  ["pause", "self", 900],
  ["pause", "peer", 900],
  ["cut", "self", 900],
  ["one-way-cut", "self", 900],
  ["one-way-cut", "peer", 900],
  ["witness-cut", "self", 900],
  ["witness-amnesia", "self", 0],
  ["witness-old-copy", "self", 0],
  ["disk-full", "self", 900],
  ["disk-full", "peer", 900],
];

/** One aimed fault. */
export interface Aim {
  readonly policy: Policy;
  readonly scenario: string;
  /** `a leadership enters candidate`, say. */
  readonly moment: string;
  readonly kind: FaultKind;
  readonly at: "self" | "peer";
  readonly forMs: number;
}

export interface AimResult {
  readonly aim: Aim;
  /** Whether the moment came. */
  readonly reached: boolean;
  readonly run: RunResult;
}

/** Every moment of every scenario under `policies`, with every fault, in order. */
export async function planAims(factory: CoordinatorFactory, policies: readonly Policy[]): Promise<readonly Aim[]> {
  const aims: Aim[] = [];
  for (const policy of policies) {
    const seen = new Set<string>();
    for (const scenario of SCENARIOS) {
      const moments: string[] = [];
      await play(factory, policy, scenario, (_world, moment) => {
        if (seen.has(moment)) return;
        seen.add(moment);
        moments.push(moment);
      });
      for (const moment of moments) {
        for (const [kind, at, forMs] of AIMED) aims.push({ policy, scenario: scenario.name, moment, kind, at, forMs });
      }
    }
  }
  return aims;
}

/** Plays one. */
export async function playAim(factory: CoordinatorFactory, aim: Aim): Promise<AimResult> {
  const scenario = SCENARIOS.find(({ name }) => name === aim.scenario);
  if (scenario === undefined) throw new Error(`no scenario is named ${aim.scenario}`);
  let reached = false;
  const run = await play(factory, aim.policy, scenario, (world, moment, label) => {
    if (reached || moment !== aim.moment) return;
    reached = true;
    strike(world, aim, aim.at === "self" ? label : otherLabel(label));
  });
  return { aim, reached, run };
}

function strike(world: World, { kind, forMs, moment }: Aim, target: Label): void {
  const aimed = { kind, target, atMs: world.nowMs, forMs, amount: 0.5 };
  world.trace.note(world.nowMs, "world", `fault ${kind}`, 0, () => `${target}, aimed at: ${moment}`);
  world.faults.begin(aimed, world.nowMs);
  workOf(kind).begin(world, aimed);
  world.scheduler.after(forMs, () => {
    world.faults.end(aimed, world.nowMs);
    workOf(kind).end(world, aimed);
  });
}

type OnMoment = (world: World, moment: string, label: Label) => void;

function play(factory: CoordinatorFactory, policy: Policy, scenario: Scenario, onMoment: OnMoment): Promise<RunResult> {
  const prepare = (world: World): void => {
    world.diesWithinSteps = true;
    const tell = (label: Label, what: string): void => {
      if (world.nowMs >= FROM_MS && world.nowMs < SAFETY_MS) onMoment(world, `${label} ${what}`, label);
    };
    world.onChart = (label, { chart, from, to }) => {
      if (from !== to) tell(label, `${chart} enters ${to}`);
    };
    world.watch({
      wrote: (label, method) => tell(label, `wrote ${method}`),
      sent: (from, { type }) => tell(from, `sent ${type}`),
      swapSent: (from) => tell(from, "sent a rewrite"),
      swapped: (from) => tell(from, "was rewritten for"),
    });
  };
  return runSeed(factory, {
    ...{ seed: SEED, policy, faults: scenario.faults, spokes: 0, sites: 0, feed: true, safetyMs: SAFETY_MS, prepare },
    // The aimed fault may come while the scenario's own goes on.
    singly: scenario.faults.length === 0,
    commands: scenario.keep === undefined ? undefined : { keep: scenario.keep, checkpointEvery: 10 },
  });
}
