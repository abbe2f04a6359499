/**
 * Purpose: one run of one seed: a pair under faults and load, then everything heals and the pair must come to rest.
 * Keeps true: everything about a run follows from (seed, policy) unless it is given otherwise, so that any run can be
 * had again.
 */
import type { Rules } from "../actors/rules.ts";
import type { IdentityRules } from "../adapters/peer-gate.ts";
import type { CoordinatorPorts } from "../coordinator/types.ts";
import type { Label } from "../core/ids.ts";
import { DEFAULT_COMMANDS, resolveFailover, type Policy } from "../core/settings.ts";
import { Balancer } from "./people/balancer.ts";
import { Caretaker } from "./people/caretaker.ts";
import { Client, type ClientTally } from "./people/clients.ts";
import { Editors, type RecordTally } from "./people/editors.ts";
import { healEverything, type Fault, type FaultKind } from "./faults/catalogue.ts";
import { unsettled } from "./invariants/agreement.ts";
import { watchInvariants } from "./invariants/all.ts";
import { unequalRecords } from "./invariants/equal-records.ts";
import { forkedHistory } from "./invariants/histories.ts";
import { untold } from "./invariants/feed.ts";
import { misrouted } from "./invariants/routing.ts";
import {
  CALM,
  planCopiedFolderFaults,
  planDiskFaults,
  planFaults,
  planFeedFaults,
  planImpostorFaults,
  planPlantFaults,
  planSiteFaults,
  planSpokeFaults,
  planStrangerFaults,
  playFaults,
  ROUGH,
  STORM,
  type Weather,
} from "./faults/nemesis.ts";
import { type Prng, streamOf } from "./ground/prng.ts";
import type { SiteInit } from "./world/sim-site.ts";
import type { SpokeInit } from "./world/sim-spoke.ts";
import type { PlaceParts } from "./world/place-parts.ts";
import type { TraceSink } from "./ground/trace.ts";
import { World, type Violation, type WorldSettings } from "./world/world.ts";
import type { CoordinatorFactory } from "./world/world-ground.ts";

/** How long faults are injected. */
const SAFETY_MS = 30_000;
/** Clients and editors go on for a while after the faults. */
const CLIENTS_STOP_AFTER_MS = 1_500;
/**
 * Within so long beyond a hold-down window a healed pair must have settled [I10]: a reconcile lock whose acquisition was
 * never answered stands for its 30 s, and longer where the witness's clock was stepped back.
 */
const SETTLE_LIMIT_MS = 75_000;
/**
 * What stalls is asked for again ever more seldom (`replication/cursor.ts`), and engines compare their records every 5 s:
 * so much later their records must be equal.
 */
const RECORDS_SETTLE_MS = 240_000;
/**
 * So long after their records are equal, no two places hold different operations under one number. One that has just learned
 * what was issued again finds at its next meeting what else stands there, and takes that in its place.
 */
const HISTORIES_SETTLE_MS = 20_000;
const LOOK_EVERY_MS = 50;
const CLIENTS = ["panel", "automation", "remote"];
const HOLD_DOWN_WINDOWS_MS = [5_000, 10_000, 60_000];
const AUTOMATIC_FAILOVERS = [1, 2, 3, 3];
/** Short enough in some seeds to be refreshed, and to lapse, while the engines reconcile. */
const RECONCILE_LOCKS_MS = [1_000, 3_000, 30_000];
/** So few in some seeds that a follower which was away needs a snapshot. */
const KEPT_COMMANDS = [0, 30, DEFAULT_COMMANDS.keep, DEFAULT_COMMANDS.keep];
const CONFLICT_POLICIES = ["leader-wins", "leader-wins", "reapply", "manual"] as const;
/** In so many seeds the role goes back to a preferred engine by itself [HO9]. */
const SWITCH_BACK_SHARE = 0.35;
const SWITCH_BACK_DELAYS_MS = [0, 500, 3_000];
const WITHOUT_WITNESS_SHARE = 0.08;
const PROOF_UNDER_CONSISTENCY_SHARE = 0.3;
const SINGLE_LINK_SHARE = 0.5;
const WITHOUT_SPOKES_SHARE = 0.5;
const MOST_SPOKES = 3;
const FEED_SHARE = 0.25;
/** Engines in processes of their own; what they tell of themselves differs. */
const OWN_ENGINE_SHARE = 0.4;
const SPOKE_INTERVALS_MS = [1_000, 3_000];
const PAGES_OPS = [7, 50, 1_000];
const SITES_SHARE = 0.1;
const TWO_SITES_SHARE = 0.5;
const SITE_MODES = ["sync", "sync", "publish", "subscribe"] as const;
const SITE_INTERVALS_MS = [1_000, 2_000];

/** What to run. */
export interface RunRequest {
  readonly seed: number;
  readonly policy: Policy;
  /** Instead of the faults that the seed plans. */
  readonly faults?: readonly Fault[] | undefined;
  readonly rules?: Partial<Rules> | undefined;
  readonly identityRules?: Partial<IdentityRules> | undefined;
  readonly wrapPorts?: ((ports: CoordinatorPorts, label: Label) => CoordinatorPorts) | undefined;
  readonly wrapSpoke?: ((parts: PlaceParts) => PlaceParts) | undefined;
  /** Spokes around the pair, instead of as many as the seed says. */
  readonly spokes?: number | undefined;
  readonly wrapSite?: ((parts: PlaceParts) => PlaceParts) | undefined;
  /** Sites that federate with the pair, instead of as many as the seed says. */
  readonly sites?: number | undefined;
  /** Whether changes are published, instead of what the seed says. */
  readonly feed?: boolean | undefined;
  /** Whether disks fail and strangers come; they do unless this is false. */
  readonly rareFaults?: boolean | undefined;
  readonly sink?: TraceSink | undefined;
  /** How long faults are injected, ms. */
  readonly safetyMs?: number | undefined;
  /** Changes the settings that the seed plans. */
  readonly settings?: ((planned: WorldSettings) => WorldSettings) | undefined;
  /** Whether faults come one at a time, instead of what the seed's weather says. */
  readonly singly?: boolean | undefined;
  /** Gets the world before anything runs in it. */
  readonly prepare?: ((world: World) => void) | undefined;
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
  readonly records: RecordTally;
  readonly traceHash: string;
  readonly violation: Violation | null;
}

/** Runs a seed against the coordinators that `factory` makes. */
export async function runSeed(factory: CoordinatorFactory, request: RunRequest): Promise<RunResult> {
  const { seed, policy } = request;
  const weather = weatherOf(seed);
  const planned = settingsOf(seed, policy, request);
  const settings = request.settings?.(planned) ?? planned;
  const { rules = {}, identityRules = {}, wrapPorts = (ports) => ports, sink = null } = request;
  const { wrapSpoke = (parts) => parts, wrapSite = (parts) => parts } = request;
  const world = new World({ factory, rules, identityRules, wrapPorts, wrapSpoke, wrapSite, sink }, settings);
  world.scripted = request.faults !== undefined;
  request.prepare?.(world);
  const singly = request.singly ?? weather.singly;
  watchInvariants(world, { boundedGaps: singly && policy === "on-air" && settings.witness });
  const counts = new Map<FaultKind, number>();
  const tally: ClientTally = { submitted: 0, acknowledgedPair: 0, acknowledgedLocal: 0, givenUp: 0, open: 0 };
  const records: RecordTally = { written: 0, resolved: 0 };
  const people = peopleOf(world, tally, records);
  const onRejection = (reason: unknown): void => world.thrown(reason);
  // Nothing that the coordinator throws ends a sweep: it is a broken invariant of this seed.
  process.on("unhandledRejection", onRejection);
  process.on("uncaughtException", onRejection);
  try {
    playFaults(world, request.faults ?? faultsOf(seed, settings, request.rareFaults), counts);
    world.boot();
    people.balancer.start();
    for (const one of people.busy) one.start();
    await world.runUntil(request.safetyMs ?? SAFETY_MS);
    await comeToRest(world, people, tally);
  } catch (error) {
    onRejection(error);
  } finally {
    // Node tells of a rejection between two turns of its loop: the last one's belong to this run.
    await new Promise<void>((resolve) => void setImmediate(resolve));
    process.off("unhandledRejection", onRejection);
    process.off("uncaughtException", onRejection);
  }
  const faults = [...counts].sort(([left], [right]) => (left < right ? -1 : 1));
  const { nowMs: virtualMs, steps, violation } = world;
  const traceHash = world.trace.hash();
  return { seed, policy, weather: weather.name, virtualMs, steps, faults, tally, records, traceHash, violation };
}

/** The faults that a seed plans, for the spokes, sites and feed that it has unless that is given otherwise. */
export function faultsOf(
  seed: number,
  around: Pick<WorldSettings, "spokes" | "sites" | "feed"> = aroundOf(seed),
  rareFaults = true,
): readonly Fault[] {
  const weather = weatherOf(seed);
  return [
    ...planFaults(seed, weather, SAFETY_MS),
    ...planImpostorFaults(seed, weather, SAFETY_MS),
    ...planPlantFaults(seed, weather, SAFETY_MS),
    ...(rareFaults ? planDiskFaults(seed, weather, SAFETY_MS) : []),
    ...(rareFaults ? planStrangerFaults(seed, weather, SAFETY_MS) : []),
    ...(rareFaults ? planCopiedFolderFaults(seed, weather, SAFETY_MS) : []),
    ...(around.spokes.length === 0 ? [] : planSpokeFaults(seed, weather, SAFETY_MS)),
    ...(around.sites.length === 0 ? [] : planSiteFaults(seed, weather, SAFETY_MS)),
    ...(around.feed ? planFeedFaults(seed, weather, SAFETY_MS) : []),
  ];
}

/** Those who are at work in a world. */
interface People {
  readonly busy: readonly (Client | Editors)[];
  readonly caretaker: Caretaker;
  readonly balancer: Balancer;
}

function peopleOf(world: World, tally: ClientTally, records: RecordTally): People {
  const clients = CLIENTS.map((name) => new Client(world, { name, tally }));
  const editors = world.around.length > 0 ? [new Editors(world, { tally: records })] : [];
  return { busy: [...clients, ...editors], caretaker: new Caretaker(world), balancer: new Balancer(world) };
}

async function comeToRest(world: World, people: People, tally: ClientTally): Promise<void> {
  const { failover } = world.settings;
  const limitMs = world.nowMs + failover.holdDownWindowMs + SETTLE_LIMIT_MS;
  healEverything(world);
  people.caretaker.healed();
  world.watchers.each((watch) => watch.healed?.());
  await world.run(CLIENTS_STOP_AFTER_MS);
  for (const one of people.busy) one.stop();
  let forkedSinceMs: number | null = null;
  for (;;) {
    if (world.violation !== null) return;
    const why = tally.open > 0 ? "clients still ask" : unsettled(world);
    const unequal = why === null ? notEqual(world) : null;
    if (why === null && unequal === null) break;
    if (unequal?.rule === "RP1") forkedSinceMs ??= world.nowMs;
    const isForked = unequal?.rule === "RP1" && world.nowMs - (forkedSinceMs ?? 0) >= HISTORIES_SETTLE_MS;
    if (unequal !== null && (isForked || world.nowMs >= limitMs + RECORDS_SETTLE_MS))
      return world.violate(unequal.rule, `not settled: ${unequal.why}`);
    if (world.nowMs >= limitMs && why !== null)
      return world.violate(why.includes("may act") ? "I10" : "I7", `not settled: ${why}`);
    await world.run(LOOK_EVERY_MS);
  }
  world.watchers.each((watch) => watch.settled?.());
}

/** What is not equal, or not told, around a pair that has settled; null when nothing is left. */
function notEqual(world: World): { readonly rule: string; readonly why: string } | null {
  const looks = [
    { rule: "R1", look: unequalRecords },
    { rule: "RP1", look: forkedHistory },
    { rule: "I13", look: untold },
    { rule: "I13", look: misrouted },
  ];
  for (const { rule, look } of looks) {
    const why = look(world);
    if (why !== null) return { rule, why };
  }
  return null;
}

function weatherOf(seed: number): Weather {
  return streamOf(seed, "weather").pick([CALM, ROUGH, ROUGH, STORM]);
}

/** The world of a seed. */
export function settingsOf(seed: number, policy: Policy, given: Around = {}): WorldSettings {
  const chance = streamOf(seed, "settings");
  const witness = !chance.chance(WITHOUT_WITNESS_SHARE);
  const proof = chance.chance(PROOF_UNDER_CONSISTENCY_SHARE);
  const linkNames = chance.chance(SINGLE_LINK_SHARE) ? ["red"] : ["red", "blue"];
  const holdDownWindowMs = chance.pick(HOLD_DOWN_WINDOWS_MS);
  const onConflict = chance.pick(CONFLICT_POLICIES);
  const more = streamOf(seed, "more settings");
  const keep = more.pick(KEPT_COMMANDS);
  const failover = resolveFailover(
    {
      ...{ policy, holdDownWindowMs },
      maxAutomaticFailovers: more.pick(AUTOMATIC_FAILOVERS),
      reconcileLockMs: more.pick(RECONCILE_LOCKS_MS),
      ...switchBackOf(streamOf(seed, "preferred")),
      ...(proof ? { deathProof: "refused" as const } : {}),
    },
    witness ? "memory" : "none",
  );
  const drift = failover.maxClockDriftPpm;
  return {
    seed,
    failover,
    commands: { ...DEFAULT_COMMANDS, onConflict, keep, checkpointEvery: checkpointEveryOf(keep, chance) },
    linkNames,
    witness,
    driftPpm: { a: chance.between(-drift, drift), b: chance.between(-drift, drift) },
    ...aroundOf(seed, given),
    engineTells: engineTellsOf(streamOf(seed, "engines")),
  };
}

function switchBackOf(chance: Prng): Partial<WorldSettings["failover"]> {
  if (!chance.chance(SWITCH_BACK_SHARE)) return {};
  return {
    preferred: chance.pick(["a", "b"] as const),
    switchBack: "when-ready",
    switchBackDelayMs: chance.pick(SWITCH_BACK_DELAYS_MS),
  };
}

function engineTellsOf(chance: Prng): WorldSettings["engineTells"] {
  if (!chance.chance(OWN_ENGINE_SHARE)) return null;
  return { instance: chance.chance(0.5), position: chance.chance(0.5) };
}

/** Only what a checkpoint covers is compacted away. */
function checkpointEveryOf(keep: number, chance: Prng): number {
  const every = chance.pick([20, 200, 1_000]);
  return keep < DEFAULT_COMMANDS.keep ? 20 : every;
}

type Around = Pick<RunRequest, "spokes" | "sites" | "feed">;

/** Who is around the pair. */
function aroundOf(seed: number, given: Around = {}): Pick<WorldSettings, "spokes" | "sites" | "feed"> {
  const hasFeed = streamOf(seed, "feed").chance(FEED_SHARE);
  return { spokes: spokesOf(seed, given.spokes), sites: sitesOf(seed, given.sites), feed: given.feed ?? hasFeed };
}

/** The spokes of a seed. */
function spokesOf(seed: number, given?: number): readonly SpokeInit[] {
  const chance = streamOf(seed, "spokes");
  const count = chance.chance(WITHOUT_SPOKES_SHARE) ? 0 : chance.whole(1, MOST_SPOKES);
  return Array.from({ length: given ?? count }, (_, index) => spokeOf(`s${index + 1}`, chance));
}

function spokeOf(name: string, chance: Prng): SpokeInit {
  return {
    name,
    route: chance.pick(["leader", "leader", "a", "b"] as const),
    intervalMs: chance.pick(SPOKE_INTERVALS_MS),
    pageOps: chance.pick(PAGES_OPS),
  };
}

/** The sites of a seed. */
function sitesOf(seed: number, given?: number): readonly SiteInit[] {
  const chance = streamOf(seed, "sites");
  const count = !chance.chance(SITES_SHARE) ? 0 : chance.chance(TWO_SITES_SHARE) ? 2 : 1;
  const intervalMs = chance.pick(SITE_INTERVALS_MS);
  return Array.from({ length: given ?? count }, (_, index) => ({
    name: `site${index + 1}`,
    mode: chance.pick(SITE_MODES),
    intervalMs,
    pageOps: chance.pick(PAGES_OPS),
  }));
}
