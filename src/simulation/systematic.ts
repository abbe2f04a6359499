/**
 * Aimed schedules: for every moment that the pair comes to in some scenario, each fault that can occur there, at that very
 * instant. A moment is the entry of a statechart into a state, a durable write, a message on its way, or a rewrite of the
 * witness record. The scenarios contain a fault of their own, so that the aimed one is the second and strikes recovery.
 */
import type { CommandSettings, FailoverSettings, Policy } from "../core/settings.ts";
import { otherLabel, type Label } from "../core/ids.ts";
import {
  coveredRules,
  everything,
  type Explained,
  leavesOf,
  noteStep,
  oneSidedRules,
  type Reached,
} from "./coverage.ts";
import { workOf, type Fault, type FaultKind } from "./faults/catalogue.ts";
import { playFaults } from "./faults/nemesis.ts";
import type { TraceSink } from "./ground/trace.ts";
import { runSeed, type RunResult } from "./run.ts";
import type { FederationMode } from "../replication/hub.ts";
import { WRITES } from "./world/paired-store.ts";
import type { ChartStep, Violation, World, WorldSettings } from "./world/world.ts";
import type { CoordinatorFactory } from "./world/world-ground.ts";

/** The pair has found itself by then. */
const FROM_MS = 2_500;
const SAFETY_MS = 7_000;
/** What a pair is given to answer the last fault by itself, before everything is healed. */
const ANSWER_MS = 1_500;
/** Who leads then is the leader of the scenario. */
const CAST_AT_MS = 2_400;
/** A seed whose world has a witness. */
const SEED = 2;

type Cast = "leader" | "follower";

interface ScenarioFault {
  readonly kind: FaultKind;
  readonly target: Cast;
  readonly atMs: number;
  readonly forMs: number;
  readonly amount: number;
}

interface Scenario {
  readonly name: string;
  readonly faults: readonly ScenarioFault[];
  /** How long faults may strike, instead of `SAFETY_MS`. */
  readonly safetyMs?: number;
  readonly commands?: Partial<CommandSettings>;
  readonly failover?: Partial<FailoverSettings>;
  /** Instead of one link. */
  readonly linkNames?: readonly string[];
  /** A site that federates with the pair; none unless it says so. */
  readonly site?: FederationMode;
}

function fault(kind: FaultKind, target: Cast, atMs: number, forMs: number, amount = 0.5): ScenarioFault {
  return { kind, target, atMs, forMs, amount };
}

/** Both lead for a while, or one of them has commands that nobody else has: there is something to reconcile. */
const SPLIT: readonly ScenarioFault[] = [
  fault("cut", "leader", 3_000, 1_600),
  fault("witness-cut", "leader", 3_000, 1_600),
  // A person forces the other one, at once.
  fault("force-leader", "follower", 3_150, 5, 0.0001),
];

const SHORT_LOG = { keep: 0, checkpointEvery: 10 };
/** The first election is one of them. */
const FEW_CHANGES = { maxAutomaticFailovers: 2, holdDownWindowMs: 10_000 };

const SCENARIOS: readonly Scenario[] = [
  { name: "calm", faults: [] },
  { name: "leader killed", faults: [fault("kill", "leader", 3_000, 1_500)] },
  { name: "leader frozen", faults: [fault("pause", "leader", 3_000, 1_500)] },
  { name: "leader isolated", faults: [fault("isolation", "leader", 3_000, 2_000)] },
  {
    name: "follower away, log short",
    faults: [fault("power-off", "follower", 2_600, 1_800)],
    commands: SHORT_LOG,
  },
  { name: "handover", faults: [fault("handover", "leader", 3_000, 0)] },
  { name: "forced", faults: [fault("force-leader", "follower", 3_000, 50)] },
  { name: "clean restart", faults: [fault("clean-restart", "leader", 3_000, 1_000)] },
  { name: "witness down", faults: [fault("witness-down", "leader", 3_000, 2_000)] },
  { name: "link cut", faults: [fault("cut", "leader", 3_000, 2_000)] },
  { name: "engine failed", faults: [fault("unhealthy-engine", "leader", 3_000, 1_500)] },
  {
    name: "renewed while publishing",
    faults: [fault("feed-answers-lost", "leader", 4_600, 1_000), fault("returns-from-alone", "follower", 3_000, 600)],
  },
  {
    name: "both engines dead",
    faults: [
      fault("engine-killed", "leader", 3_000, 1_500),
      fault("engine-killed", "follower", 3_000, 1_500),
      ...[4_495, 4_505, 4_515, 4_525, 4_550, 4_600].map((atMs) => fault("late-snapshot", "leader", atMs, 0)),
    ],
  },
  {
    name: "split, lock taken",
    faults: [...SPLIT, fault("lock-contention", "follower", 4_500, 0, 0.99)],
    safetyMs: 9_500,
  },
  { name: "returns from alone", faults: [fault("returns-from-alone", "follower", 3_000, 1_000)] },
  { name: "forced at once", faults: [fault("force-leader", "follower", 3_000, 50, 0.0001)] },
  {
    name: "follower ill, handover",
    faults: [fault("disk-full", "follower", 2_800, 2_000), fault("handover", "leader", 3_000, 0)],
  },
  {
    name: "handover, slow network",
    faults: [fault("slow-network", "leader", 2_900, 2_000, 0.99), fault("handover", "leader", 3_200, 0)],
  },
  {
    name: "snapshots posted late",
    faults: [
      fault("late-snapshot", "follower", 3_000, 0, 0.1),
      fault("late-snapshot", "follower", 4_000, 0, 0.1006),
      fault("lock-contention", "leader", 5_000, 0),
    ],
  },
  { name: "held", faults: [fault("maintenance", "leader", 2_600, 3_000), fault("kill", "leader", 3_200, 1_000)] },
  { name: "disk of the follower wiped", faults: [fault("disk-wiped", "follower", 2_800, 600)] },
  { name: "disk of the leader restored", faults: [fault("disk-restored", "leader", 2_600, 1_500)] },
  {
    name: "new disk beside a record of strangers",
    faults: [
      fault("cut", "leader", 2_700, 2_500),
      fault("witness-strange", "leader", 2_700, 2_500, 0.2),
      fault("disk-wiped", "follower", 2_800, 600),
    ],
    safetyMs: 8_500,
  },
  { name: "split", faults: SPLIT, safetyMs: 9_000 },
  {
    name: "split, loser slow, witness away",
    faults: [
      ...SPLIT,
      fault("slow-network", "leader", 4_900, 5_000, 0.99),
      fault("witness-cut", "follower", 7_900, 2_000),
    ],
    failover: { reconcileLockMs: 1_000 },
    safetyMs: 11_000,
  },
  {
    name: "split, link first",
    faults: [fault("cut", "leader", 3_000, 1_200), ...SPLIT.slice(1)],
    safetyMs: 9_000,
  },
  {
    name: "split, winner killed",
    faults: [
      fault("killed-while-reconciling", "leader", 3_000, 6_000),
      fault("force-leader", "follower", 3_150, 5, 0.0001),
      fault("lock-contention", "leader", 8_500, 0),
    ],
    safetyMs: 10_000,
  },
  {
    name: "split, a person decides",
    faults: [
      ...SPLIT,
      fault("resolve-conflict", "follower", 8_000, 0),
      fault("resolve-conflict", "follower", 8_300, 0, 0.9),
    ],
    commands: { onConflict: "manual" },
    safetyMs: 9_000,
  },
  { name: "witness strange", faults: [fault("witness-strange", "leader", 3_000, 2_000, 0.2)] },
  { name: "engine dead", faults: [fault("engine-killed", "follower", 3_000, 800)] },
  { name: "engine frozen", faults: [fault("engine-frozen", "follower", 3_000, 4_000)], safetyMs: 8_500 },
  // What was accepted a moment before, and no command after it.
  {
    name: "engine of the leader slow, then failed, and nobody sends",
    faults: [
      fault("slow-engine", "leader", 2_500, 2_500, 0.99),
      fault("unhealthy-engine", "leader", 2_900, 2_000, 0.4),
    ],
    failover: { maxAutomaticFailovers: 3 },
  },
  { name: "feed refuses", faults: [fault("feed-refuses", "leader", 3_000, 1_500)] },
  { name: "site", faults: [fault("site-cut", "leader", 3_500, 1_500, 0.9)], site: "sync" },
  { name: "site replaced", faults: [fault("site-replaced", "leader", 3_000, 2_500, 0.9)], site: "sync" },
  { name: "site paused", faults: [fault("peer-pause", "leader", 3_000, 1_500, 0.2)], site: "sync" },
  // From here on scenarios for one decision each, which random schedules come to seldom.
  {
    name: "leader without power, follower frozen meanwhile",
    faults: [fault("power-off", "leader", 3_000, 3_500), fault("pause", "follower", 3_100, 900)],
  },
  { name: "follower frozen", faults: [fault("pause", "follower", 3_892, 898, 0.5 / 977)] },
  {
    name: "held here, then there",
    faults: [fault("maintenance", "leader", 2_600, 400), fault("maintenance", "follower", 3_600, 700)],
  },
  {
    name: "wall clock leaps",
    faults: [3_033, 3_733, 4_433, 5_133].map((atMs) => fault("clock-step", "leader", atMs, 0, 0.99)),
  },
  // A grant takes so long that the witness, which does not answer, is waited for beyond its end.
  {
    name: "handovers, late, without the witness",
    faults: [
      fault("slow-network", "leader", 2_900, 3_900, 0.24),
      fault("witness-cut", "follower", 2_900, 3_900),
      ...[3_200, 4_600, 6_000].map((atMs) => fault("handover", "leader", atMs, 0)),
    ],
  },
  // The grant comes when the leader waits no longer.
  {
    name: "handovers, too late",
    faults: [
      fault("slow-network", "leader", 2_900, 3_900, 0.655),
      ...[3_200, 4_400, 5_600].map((atMs) => fault("handover", "leader", atMs, 0)),
    ],
  },
  // What is still on its way when the target has asked cannot be stored there.
  {
    name: "handovers to one that stores nothing",
    faults: [
      fault("slow-network", "leader", 2_900, 3_900, 0.24),
      ...[3_200, 4_600].flatMap((atMs) => [
        fault("handover", "leader", atMs, 0),
        fault("disk-full", "follower", atMs + 176, 500),
      ]),
    ],
  },
  // A handover comes to nothing, so that the peer is asked for its vote while it leads, or takes over itself.
  {
    name: "forced over a slow network",
    faults: [
      fault("slow-network", "leader", 2_900, 3_000, 0.655),
      ...[3_200, 5_000].map((atMs) => fault("force-leader", "follower", atMs, 5, 0.0001)),
      ...[3_850, 3_950, 4_050, 4_150, 4_250].map((atMs) => fault("force-leader", "leader", atMs, 5, 0.0001)),
    ],
  },
  {
    name: "asked for its role while frozen",
    faults: [fault("pause", "leader", 3_000, 420), fault("force-leader", "follower", 3_100, 5, 0.0001)],
  },
  // Its votes end before it has executed what it accepted.
  {
    name: "leader isolated, engine slow",
    faults: [fault("slow-engine", "leader", 2_500, 4_000, 0.99), fault("isolation", "leader", 3_000, 2_000)],
  },
  { name: "isolated when the switch is asked again", faults: [fault("isolation", "leader", 4_900, 1_700)] },
  {
    name: "leader starts again alone",
    faults: [fault("power-off", "follower", 2_600, 4_200), fault("kill", "leader", 3_500, 200)],
    safetyMs: 8_000,
  },
  { name: "disk wiped, log short", faults: [fault("disk-wiped", "follower", 2_800, 600)], commands: SHORT_LOG },
  {
    name: "frozen, handed back, frozen",
    faults: [
      fault("pause", "leader", 3_000, 1_300),
      fault("handover", "follower", 4_900, 0),
      fault("pause", "leader", 5_500, 1_300),
    ],
    failover: FEW_CHANGES,
    safetyMs: 8_000,
  },
  {
    name: "frozen, then the other one",
    faults: [fault("pause", "leader", 3_000, 1_300), fault("pause", "follower", 6_300, 1_300)],
    failover: FEW_CHANGES,
    safetyMs: 8_500,
  },
];

type Shot = readonly [kind: FaultKind, at: "self" | "peer", forMs: number];

/** What is aimed, at whom seen from the moment, for how long: under each policy, since votes and who may act depend on it. */
const AIMED: readonly Shot[] = [
  ["kill", "self", 800],
  ["kill", "peer", 800],
  ["pause", "self", 900],
  ["pause", "peer", 900],
  ["cut", "self", 900],
  ["one-way-cut", "self", 900],
  ["one-way-cut", "peer", 900],
  ["witness-cut", "self", 900],
];

/** The same, of which each is aimed under one policy only, in turns: the way that they strike does not depend on it. */
const AIMED_IN_TURNS: readonly Shot[] = [
  ["power-off", "self", 800],
  ["clean-restart", "self", 800],
  ["isolation", "self", 900],
  ["slow-network", "self", 900],
  ["witness-down", "self", 900],
  ["witness-strange", "self", 900],
  ["witness-amnesia", "self", 0],
  ["witness-old-copy", "self", 0],
  ["clock-wrong", "self", 900],
  ["engine-killed", "self", 800],
  ["engine-frozen", "self", 900],
  ["unhealthy-engine", "self", 900],
  ["force-leader", "peer", 50],
  ["handover", "peer", 0],
  ["maintenance", "self", 900],
  ["feed-down", "self", 900],
  ["disk-full", "self", 900],
  ["disk-full", "peer", 900],
  ["disk-read-only", "self", 900],
  ["disk-stalled", "self", 900],
  ["disk-restored", "self", 900],
  ["disk-wiped", "peer", 700],
  ["stray-engine", "self", 900],
  ["copied-folder", "self", 6_000],
];

/** Faults that ask something of the coordinator itself. */
const AFTER_THE_STEP: ReadonlySet<FaultKind> = new Set(["clean-restart"]);

/** One aimed fault. */
export interface Aim {
  readonly policy: Policy;
  readonly scenario: string;
  /** `leadership enters role.candidate`, say. */
  readonly moment: string;
  /** When the moment came without an aimed fault. */
  readonly atMs: number;
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

export interface AimPlan {
  readonly aims: readonly Aim[];
  /** What the scenarios come to without an aimed fault. */
  readonly reached: Reached;
  /** Invariants that a scenario breaks by itself. */
  readonly broken: readonly string[];
}

/** One scenario without an aimed fault: what it comes to. */
export interface DryRun {
  readonly policy: Policy;
  readonly scenario: string;
  /** Each moment once, in order, with the time that it came. */
  readonly moments: readonly Pick<Aim, "moment" | "atMs">[];
  readonly reached: readonly string[];
  readonly violation: Violation | null;
}

/** Every scenario whose name has the text `only`, under each policy, in order. */
export function scenariosOf(policies: readonly Policy[], only = ""): readonly Pick<DryRun, "policy" | "scenario">[] {
  const names = SCENARIOS.map(({ name }) => name).filter((name) => name.includes(only));
  return policies.flatMap((policy) => names.map((scenario) => ({ policy, scenario })));
}

/** Plays one of them. */
export async function playDry(
  factory: CoordinatorFactory,
  { policy, scenario }: Pick<DryRun, "policy" | "scenario">,
): Promise<DryRun> {
  const came = new Map<string, number>();
  const reached: Reached = new Set();
  const onMoment = (world: World, moment: string): void => {
    if (!came.has(moment)) came.set(moment, world.nowMs);
  };
  const { violation } = await play(factory, { policy, scenario: scenarioOf(scenario), onMoment, reached });
  const moments = [...came].map(([moment, atMs]) => ({ moment, atMs }));
  return { policy, scenario, moments, reached: [...reached], violation };
}

/** Each moment of the `runs` under each policy, in the scenario that comes to it first, with every fault, in order. */
export function planAims(runs: readonly DryRun[]): AimPlan {
  const aims: Aim[] = [];
  const came = new Map<string, Pick<Aim, "policy" | "scenario" | "atMs">>();
  const policies = [...new Set(runs.map(({ policy }) => policy))];
  for (const [turn, policy] of policies.entries()) {
    const ofThisTurn = AIMED_IN_TURNS.filter((_shot, index) => (index + turn) % policies.length === 0);
    const seen = new Set<string>();
    for (const { scenario, moments } of runs.filter((run) => run.policy === policy)) {
      for (const { moment, atMs } of moments.filter((one) => !seen.has(one.moment))) {
        seen.add(moment);
        came.set(moment, { policy, scenario, atMs });
        for (const [kind, at, forMs] of [...AIMED, ...ofThisTurn])
          aims.push({ policy, scenario, moment, atMs, kind, at, forMs });
      }
    }
  }
  // What comes under one policy only is struck there by everything.
  for (const [moment, where] of came) {
    const aimed = new Set(aims.filter((aim) => aim.moment === moment).map(({ kind, at }) => `${kind} on ${at}`));
    for (const [kind, at, forMs] of AIMED_IN_TURNS)
      if (!aimed.has(`${kind} on ${at}`)) aims.push({ ...where, moment, kind, at, forMs });
  }
  const broken = runs.flatMap(({ policy, scenario, violation }) =>
    violation === null ? [] : [`${policy}, "${scenario}": ${violation.invariant}, ${violation.detail}`],
  );
  return { aims, reached: new Set(runs.flatMap(({ reached }) => reached)), broken };
}

function scenarioOf(wanted: string): Scenario {
  const scenario = SCENARIOS.find(({ name }) => name === wanted);
  if (scenario === undefined) throw new Error(`no scenario is named ${wanted}`);
  return scenario;
}

/**
 * Every state of every statechart and every durable write, with every fault: what the scenarios never come to. What
 * `explained` names is left out.
 */
export function holesOf({ aims, reached }: AimPlan, explained: Explained): readonly string[] {
  const struck = new Set(aims.map(({ moment, kind, at }) => `${moment} × ${kind} on ${at}`));
  const moments = [
    ...everything()
      .filter((key) => key.startsWith("state ") && !explained.has(key))
      .map((key) => key.replace(/^state (\S+) /u, "$1 enters ")),
    ...[...WRITES].filter((method) => !explained.has(`write ${method}`)).map((method) => `wrote ${method}`),
  ];
  const unstruck = moments.flatMap((moment) => {
    const missing = [...AIMED, ...AIMED_IN_TURNS]
      .map(([kind, at]) => `${moment} × ${kind} on ${at}`)
      .filter((key) => !struck.has(key) && !explained.has(key));
    return missing.length === AIMED.length + AIMED_IN_TURNS.length ? [`${moment} × every fault`] : missing;
  });
  return [...unstruck, ...oneSidedRules(reached).filter((key) => !explained.has(key))];
}

/** Plays one, until the pair has answered the last fault; `sink` gets every step. */
export async function playAim(factory: CoordinatorFactory, aim: Aim, sink?: TraceSink): Promise<AimResult> {
  const scenario = scenarioOf(aim.scenario);
  const lastMs = Math.max(aim.atMs + aim.forMs, ...scenario.faults.map(({ atMs, forMs }) => atMs + forMs));
  const safetyMs = Math.min(scenario.safetyMs ?? SAFETY_MS, lastMs + ANSWER_MS);
  let reached = false;
  const onMoment = (world: World, moment: string, label: Label): void => {
    if (reached || moment !== aim.moment) return;
    reached = true;
    strike(world, aim, aim.at === "self" ? label : otherLabel(label));
  };
  const run = await play(factory, { policy: aim.policy, scenario: { ...scenario, safetyMs }, onMoment, sink });
  return { aim, reached, run };
}

function strike(world: World, { kind, forMs, moment }: Aim, target: Label): void {
  const aimed = { kind, target, atMs: world.nowMs, forMs, amount: 0.5 };
  world.trace.note(world.nowMs, "world", `fault ${kind}`, 0, () => `${target}, aimed at: ${moment}`);
  world.faults.begin(aimed, world.nowMs);
  // A signal or a request never comes in the middle of a step.
  if (AFTER_THE_STEP.has(kind)) world.scheduler.at(world.nowMs, () => workOf(kind).begin(world, aimed));
  else workOf(kind).begin(world, aimed);
  world.scheduler.after(forMs, () => {
    world.faults.end(aimed, world.nowMs);
    workOf(kind).end(world, aimed);
  });
}

interface Play {
  readonly policy: Policy;
  readonly scenario: Scenario;
  readonly onMoment: (world: World, moment: string, label: Label) => void;
  /** Gets what is reached; nothing is noted without it. */
  readonly reached?: Reached;
  readonly sink?: TraceSink | undefined;
}

function play(factory: CoordinatorFactory, { policy, scenario, onMoment, reached, sink }: Play): Promise<RunResult> {
  const { faults, safetyMs = SAFETY_MS } = scenario;
  const prepare = (world: World): void => {
    world.diesWithinSteps = true;
    const tell = (label: Label, what: string): void => {
      if (world.nowMs >= FROM_MS && world.nowMs < safetyMs) onMoment(world, what, label);
    };
    world.onChart = (label, step) => {
      if (reached !== undefined) noteStep(step, reached);
      for (const state of entered(step)) tell(label, `${step.chart} enters ${state}`);
    };
    world.scheduler.at(CAST_AT_MS, () => playFaults(world, cast(world, faults), new Map()));
    world.watch({
      submitting: (label) => tell(label, "was asked to accept"),
      wrote: (label, method) => tell(label, `wrote ${method}`),
      sent: (from, { type }) => tell(from, `sent ${type}`),
      swapSent: (from) => tell(from, "sent a rewrite"),
      swapped: (from) => tell(from, "was rewritten for"),
    });
  };
  return runSeed(factory, {
    ...{ seed: SEED, policy, faults: [], spokes: 0, sites: 0, feed: true, safetyMs, prepare, sink },
    ...(reached === undefined ? {} : { rules: coveredRules({}, reached) }),
    // The aimed fault may come while the scenario's own goes on.
    singly: faults.length === 0,
    settings: (planned) => worldOf(scenario, planned),
  });
}

function cast({ processes }: World, faults: readonly ScenarioFault[]): readonly Fault[] {
  const leader: Label = processes.b.mayAct() ? "b" : "a";
  return faults.map((one) => ({ ...one, target: one.target === "leader" ? leader : otherLabel(leader) }));
}

function worldOf({ commands, failover, linkNames, site }: Scenario, planned: WorldSettings): WorldSettings {
  return {
    ...planned,
    commands: { ...planned.commands, ...commands },
    failover: { ...planned.failover, ...failover },
    linkNames: linkNames ?? planned.linkNames,
    sites: site === undefined ? [] : [{ name: "site1", mode: site, intervalMs: 1_000, pageOps: 50 }],
    // Beside the coordinators, so that they can die and hang by themselves.
    engineTells: { instance: true, position: true },
  };
}

/** The states that a step has come to. */
function entered({ from, to }: ChartStep): readonly string[] {
  const before = new Set(leavesOf(from));
  return leavesOf(to).filter((state) => !before.has(state));
}
