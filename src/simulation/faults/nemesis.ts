/**
 * Purpose: the adversary: plans faults from a seed, plays a plan, counts what it did.
 * Keeps true: a plan ends before the safety phase does, so that everything can be demanded afterwards.
 */
import {
  COPIED_FOLDER_FAULT_KINDS,
  FAULTS,
  FEED_FAULT_KINDS,
  IMPOSTOR_FAULT_KINDS,
  PAIR_FAULT_KINDS,
  PLANT_FAULT_KINDS,
  RANDOM_DISK_FAULT_KINDS,
  SITE_FAULT_KINDS,
  SPOKE_FAULT_KINDS,
  STRANGER_FAULT_KINDS,
  workOf,
  type Fault,
  type FaultKind,
} from "./catalogue.ts";
import { type Prng, streamOf } from "../ground/prng.ts";
import type { World } from "../world/world.ts";

/** How hard a run is tried. `calm`: one fault at a time, so that bounds on time can be demanded under `on-air`. */
export interface Weather {
  readonly name: "calm" | "rough" | "storm";
  readonly meanPauseMs: number;
  readonly singly: boolean;
}

export const CALM: Weather = { name: "calm", meanPauseMs: 5_000, singly: true };
export const ROUGH: Weather = { name: "rough", meanPauseMs: 2_500, singly: false };
export const STORM: Weather = { name: "storm", meanPauseMs: 700, singly: false };

/** The pair may find itself first. */
const FIRST_AT_MS = 2_500;
/** Between two faults of a calm run the pair must come to rest. */
const REST_MS = 6_000;

/** Faults of a calm run: those after which the matrix of the protocol promises a leader, whatever happens. */
const CALM_KINDS: readonly FaultKind[] = [
  "kill",
  "power-off",
  "returns-from-alone",
  "pause",
  "stall",
  "cut",
  "one-way-cut",
  "one-link-cut",
  "witness-cut",
  "witness-down",
  "witness-amnesia",
  "witness-old-copy",
  "witness-strange",
  "clock-step",
  "handover",
  "clean-restart",
  "slow-engine",
  "killed-beside-a-dead-link",
  "killed-again",
  "killed-while-reconciling",
  "leaders-disk-full",
  "handed-around",
  "restart-in-the-past",
];

/** Faults that are followed by another one, and how soon. */
const SECOND_SHARE = 0.2;
const SOONEST_SECOND_MS = 200;
const LATEST_SECOND_MS = 2_000;
/** Faults of the plant are so much rarer than those of the pair. */
const PLANT_PAUSES = 4;
/** Disks fail and are exchanged seldom, also in a storm: an engine that just came back from one must find its peer. */
const DISK_PAUSES = 6;
const LEAST_DISK_PAUSE_MS = 12_000;
/** Strangers come seldom: while they are there, one or two more coordinators are played. */
const STRANGER_PAUSES = 6;
const LEAST_STRANGER_PAUSE_MS = 15_000;
/** Of spokes, as many as there are for the pair. */
const SPOKES_REST_MS = 1_000;
/** Worlds in which one spoke reaches nobody from the beginning until everything heals. */
const AWAY_SHARE = 0.3;

/** The faults of the pair under `seed`, in order, all over by `untilMs`. */
export function planFaults(seed: number, weather: Weather, untilMs: number): readonly Fault[] {
  const kinds = weather.singly ? CALM_KINDS : PAIR_FAULT_KINDS;
  const restMs = weather.singly ? REST_MS : null;
  return plan(...streamsOf(seed, "nemesis"), { kinds, meanPauseMs: weather.meanPauseMs, restMs, untilMs });
}

/** The same for its spokes: they never bring the pair out of step, so that they need not be tried singly. */
export function planSpokeFaults(seed: number, weather: Weather, untilMs: number): readonly Fault[] {
  const chance = streamOf(seed, "nemesis of spokes");
  const away = chance.chance(AWAY_SHARE);
  const amount = rounded(chance.next());
  const meanPauseMs = Math.min(weather.meanPauseMs, ROUGH.meanPauseMs) + SPOKES_REST_MS;
  const planned = plan(chance, streamOf(seed, "nemesis of spokes, afterwards"), {
    kinds: SPOKE_FAULT_KINDS,
    meanPauseMs,
    restMs: null,
    untilMs,
  });
  return away ? [{ kind: "spoke-cut", atMs: 0, forMs: untilMs, target: "a", amount }, ...planned] : planned;
}

/** The same for the sites. */
export function planSiteFaults(seed: number, weather: Weather, untilMs: number): readonly Fault[] {
  const meanPauseMs = Math.min(weather.meanPauseMs, ROUGH.meanPauseMs);
  return besides(seed, "nemesis of sites", { kinds: SITE_FAULT_KINDS, meanPauseMs, untilMs });
}

/** The same for the broker that takes the feed. */
export function planFeedFaults(seed: number, weather: Weather, untilMs: number): readonly Fault[] {
  const { meanPauseMs } = weather;
  return besides(seed, "nemesis of the feed", { kinds: FEED_FAULT_KINDS, meanPauseMs, untilMs });
}

/** The same for the plant around the pair. Not in calm weather, where nothing may come on top of a fault. */
export function planPlantFaults(seed: number, weather: Weather, untilMs: number): readonly Fault[] {
  if (weather.singly) return [];
  const meanPauseMs = PLANT_PAUSES * weather.meanPauseMs;
  return besides(seed, "nemesis of the plant", { kinds: PLANT_FAULT_KINDS, meanPauseMs, untilMs });
}

/** The same for the disks of the two engines. Not in calm weather. */
export function planDiskFaults(seed: number, weather: Weather, untilMs: number): readonly Fault[] {
  if (weather.singly) return [];
  const meanPauseMs = Math.max(LEAST_DISK_PAUSE_MS, DISK_PAUSES * weather.meanPauseMs);
  return besides(seed, "nemesis of disks", { kinds: RANDOM_DISK_FAULT_KINDS, meanPauseMs, untilMs });
}

/** The same for an impostor. */
export function planImpostorFaults(seed: number, weather: Weather, untilMs: number): readonly Fault[] {
  const meanPauseMs = 8 * weather.meanPauseMs;
  return besides(seed, "nemesis of identity", { kinds: IMPOSTOR_FAULT_KINDS, meanPauseMs, untilMs });
}

/** The same for whole engines of others. */
export function planStrangerFaults(seed: number, weather: Weather, untilMs: number): readonly Fault[] {
  if (weather.singly) return [];
  const meanPauseMs = Math.max(LEAST_STRANGER_PAUSE_MS, STRANGER_PAUSES * weather.meanPauseMs);
  return besides(seed, "nemesis of strangers", { kinds: STRANGER_FAULT_KINDS, meanPauseMs, untilMs });
}

/** The same for an engine on a copy of a data folder. */
export function planCopiedFolderFaults(seed: number, weather: Weather, untilMs: number): readonly Fault[] {
  if (weather.singly) return [];
  const meanPauseMs = Math.max(LEAST_STRANGER_PAUSE_MS, STRANGER_PAUSES * weather.meanPauseMs);
  return besides(seed, "nemesis of copied folders", { kinds: COPIED_FOLDER_FAULT_KINDS, meanPauseMs, untilMs });
}

/** Faults of one concern beside the others, in streams of their own, so that the other faults of a seed stay what they are. */
function besides(seed: number, concern: string, init: Omit<PlanInit, "restMs">): readonly Fault[] {
  return plan(...streamsOf(seed, concern), { ...init, restMs: null });
}

/** One for the faults, another for those that follow them. */
function streamsOf(seed: number, concern: string): [Prng, Prng] {
  return [streamOf(seed, concern), streamOf(seed, `${concern}, afterwards`)];
}

interface PlanInit {
  readonly kinds: readonly FaultKind[];
  readonly meanPauseMs: number;
  /** Between the end of a fault and the next one; null: they may overlap. */
  readonly restMs: number | null;
  readonly untilMs: number;
}

function plan(chance: Prng, afterwards: Prng, { kinds, meanPauseMs, restMs, untilMs }: PlanInit): readonly Fault[] {
  const lots = kinds.flatMap((kind) => Array.from({ length: FAULTS[kind].weight }, () => kind));
  const planned: Fault[] = [];
  let atMs = FIRST_AT_MS;
  for (;;) {
    atMs += restMs === null ? chance.waiting(meanPauseMs) : chance.between(0, 1_000);
    const kind = chance.pick(lots);
    const [shortest, longest] = workOf(kind).lastsMs;
    // Short faults are as telling as long ones: drawn evenly on a logarithmic scale.
    const drawnMs = shortest === longest ? shortest : shortest * (longest / Math.max(shortest, 1)) ** chance.next();
    const target = chance.chance(0.5) ? "a" : "b";
    const amount = chance.next();
    if (atMs >= untilMs) return planned;
    const forMs = Math.min(drawnMs, untilMs - atMs);
    planned.push({ kind, atMs: rounded(atMs), forMs: rounded(forMs), target, amount: rounded(amount) });
    if (restMs !== null) atMs += forMs + restMs;
    else if (afterwards.chance(SECOND_SHARE)) {
      // A second fault inside the recovery from the first.
      const secondMs = atMs + afterwards.between(SOONEST_SECOND_MS, LATEST_SECOND_MS);
      const next = afterwards.pick(lots);
      const [least, most] = workOf(next).lastsMs;
      const lastsMs = Math.min(least === most ? least : afterwards.between(least, most), untilMs - secondMs);
      const at = afterwards.chance(0.5) ? "a" : "b";
      if (secondMs < untilMs)
        planned.push({
          ...{ kind: next, atMs: rounded(secondMs), forMs: rounded(lastsMs), target: at },
          amount: rounded(afterwards.next()),
        });
    }
  }
}

/** Puts every fault of `plan` on the world's calendar; what begins is counted in `counts`. */
export function playFaults(world: World, plan: readonly Fault[], counts: Map<FaultKind, number>): void {
  for (const fault of plan) {
    const work = workOf(fault.kind);
    world.scheduler.at(fault.atMs, () => {
      counts.set(fault.kind, (counts.get(fault.kind) ?? 0) + 1);
      world.trace.note(
        world.nowMs,
        "world",
        `fault ${fault.kind}`,
        fault.amount,
        () => `${fault.target} ${fault.forMs} ms`,
      );
      world.faults.begin(fault, world.nowMs);
      work.begin(world, fault);
      world.scheduler.after(fault.forMs, () => {
        world.trace.note(world.nowMs, "world", `over: ${fault.kind}`, fault.amount, fault.target);
        world.faults.end(fault, world.nowMs);
        work.end(world, fault);
      });
    });
  }
}

/** Plans are printed and typed in again: three decimals are enough, and exact. */
function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
