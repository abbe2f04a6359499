/**
 * Purpose: one run of one seed: a pair under faults and load, then everything heals and the pair must come to rest.
 * Keeps true: everything about a run follows from (seed, policy) unless it is given otherwise, so that any run can be
 * had again.
 */
import type { Rules } from "../actors/rules.ts";
import type { CoordinatorPorts } from "../coordinator/types.ts";
import type { Label } from "../core/ids.ts";
import { DEFAULT_COMMANDS, resolveFailover, type Policy } from "../core/settings.ts";
import { Client, type ClientTally } from "./clients.ts";
import { healEverything, type Fault, type FaultKind } from "./faults.ts";
import { unsettled } from "./invariants/agreement.ts";
import { watchInvariants } from "./invariants/all.ts";
import { CALM, planFaults, playFaults, ROUGH, STORM, type Weather } from "./nemesis.ts";
import { streamOf } from "./prng.ts";
import type { TraceSink } from "./trace.ts";
import { World, type Violation, type WorldSettings } from "./world.ts";
import type { CoordinatorFactory } from "./world-ground.ts";

/** How long faults are injected. */
const SAFETY_MS = 30_000;
/** Clients send on for a while after the faults. */
const CLIENTS_STOP_AFTER_MS = 1_500;
/**
 * Within so long beyond a hold-down window a healed pair must have settled [I10]: a reconcile lock whose acquisition was
 * never answered stands for its 30 s, and longer where the witness's clock was stepped back.
 */
const SETTLE_LIMIT_MS = 75_000;
const LOOK_EVERY_MS = 50;
const CLIENTS = ["panel", "automation", "remote"];
const HOLD_DOWN_WINDOWS_MS = [5_000, 10_000, 60_000];
const CONFLICT_POLICIES = ["leader-wins", "leader-wins", "reapply", "manual"] as const;
const WITHOUT_WITNESS_SHARE = 0.08;
const PROOF_UNDER_CONSISTENCY_SHARE = 0.3;
const SINGLE_LINK_SHARE = 0.5;

/** What to run. */
export interface RunRequest {
  readonly seed: number;
  readonly policy: Policy;
  /** Instead of the faults that the seed plans. */
  readonly faults?: readonly Fault[] | undefined;
  readonly rules?: Partial<Rules> | undefined;
  readonly wrapPorts?: ((ports: CoordinatorPorts, label: Label) => CoordinatorPorts) | undefined;
  readonly sink?: TraceSink | undefined;
}

/** What came of it. */
export interface RunResult {
  readonly seed: number;
  readonly policy: Policy;
  readonly weather: Weather["name"];
  readonly virtualMs: number;
  readonly steps: number;
  readonly faults: readonly (readonly [FaultKind, number])[];
  readonly tally: ClientTally;
  readonly traceHash: string;
  readonly violation: Violation | null;
}

/** Runs a seed against the coordinators that `factory` makes. */
export async function runSeed(factory: CoordinatorFactory, request: RunRequest): Promise<RunResult> {
  const { seed, policy } = request;
  const weather = weatherOf(seed);
  const settings = settingsOf(seed, policy);
  const { rules = {}, wrapPorts = (ports) => ports, sink = null } = request;
  const world = new World({ factory, rules, wrapPorts, sink }, settings);
  watchInvariants(world, { boundedGaps: weather.singly && policy === "on-air" && settings.witness });
  const counts = new Map<FaultKind, number>();
  const tally: ClientTally = { submitted: 0, acknowledgedPair: 0, acknowledgedLocal: 0, givenUp: 0, open: 0 };
  const clients = CLIENTS.map((name) => new Client(world, { name, tally }));
  const onRejection = (reason: unknown): void =>
    world.violate("no-throw", reason instanceof Error ? (reason.stack ?? reason.message) : String(reason));
  process.on("unhandledRejection", onRejection);
  try {
    playFaults(world, request.faults ?? planFaults(seed, weather, SAFETY_MS), counts);
    world.boot();
    for (const client of clients) client.start();
    await world.runUntil(SAFETY_MS);
    await comeToRest(world, clients, tally);
  } finally {
    process.off("unhandledRejection", onRejection);
  }
  const faults = [...counts].sort(([left], [right]) => (left < right ? -1 : 1));
  const { nowMs: virtualMs, steps, violation } = world;
  return {
    seed,
    policy,
    weather: weather.name,
    virtualMs,
    steps,
    faults,
    tally,
    traceHash: world.trace.hash(),
    violation,
  };
}

/** The faults that a seed plans. */
export function faultsOf(seed: number): readonly Fault[] {
  return planFaults(seed, weatherOf(seed), SAFETY_MS);
}

async function comeToRest(world: World, clients: readonly Client[], tally: ClientTally): Promise<void> {
  const { failover } = world.settings;
  const limitMs = world.nowMs + failover.holdDownWindowMs + SETTLE_LIMIT_MS;
  healEverything(world);
  world.watchers.each((watch) => watch.healed?.());
  await world.run(CLIENTS_STOP_AFTER_MS);
  for (const client of clients) client.stop();
  let why: string | null = "not looked at";
  while (why !== null && world.violation === null) {
    if (world.nowMs >= limitMs) return world.violate(why.includes("may act") ? "I10" : "I7", `not settled: ${why}`);
    await world.run(LOOK_EVERY_MS);
    why = tally.open > 0 ? "clients still ask" : unsettled(world);
  }
  if (world.violation === null) world.watchers.each((watch) => watch.settled?.());
}

function weatherOf(seed: number): Weather {
  return streamOf(seed, "weather").pick([CALM, ROUGH, ROUGH, STORM]);
}

/** The world of a seed. */
export function settingsOf(seed: number, policy: Policy): WorldSettings {
  const chance = streamOf(seed, "settings");
  const witness = !chance.chance(WITHOUT_WITNESS_SHARE);
  const proof = chance.chance(PROOF_UNDER_CONSISTENCY_SHARE);
  const linkNames = chance.chance(SINGLE_LINK_SHARE) ? ["red"] : ["red", "blue"];
  const holdDownWindowMs = chance.pick(HOLD_DOWN_WINDOWS_MS);
  const onConflict = chance.pick(CONFLICT_POLICIES);
  const failover = resolveFailover(
    { policy, holdDownWindowMs, ...(proof ? { deathProof: "refused" as const } : {}) },
    witness ? "memory" : "none",
  );
  const drift = failover.maxClockDriftPpm;
  return {
    seed,
    failover,
    commands: { ...DEFAULT_COMMANDS, onConflict, checkpointEvery: chance.pick([20, 200, 1_000]) },
    linkNames,
    witness,
    driftPpm: { a: chance.between(-drift, drift), b: chance.between(-drift, drift) },
  };
}
