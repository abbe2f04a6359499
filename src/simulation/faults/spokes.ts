/**
 * Purpose: faults of the spokes, of the ways to them, and of the logs that they follow.
 * `target` is the engine that one is about; which spoke it is follows from the amount.
 */
import { type FaultWork, nothingToEnd, type PlannedFault, scaled, secondAmount, unlessRefused } from "./fault.ts";
import { writePoison } from "../people/editors.ts";
import type { Label } from "../../core/ids.ts";
import type { SimPlace } from "../world/sim-place.ts";
import type { SimSpoke } from "../world/sim-spoke.ts";
import type { World } from "../world/world.ts";

export const spokeFaults = {
  "spoke-cut": {
    weight: 6,
    lastsMs: [200, 12_000],
    begin: (world, fault) => pathsOf(world, fault).forEach((path) => path.cutOff()),
    end: (world, fault) => {
      for (const path of pathsOf(world, fault)) path.heal();
      spokeOf(world, fault)?.exchange();
    },
  },
  "spoke-answers-lost": {
    weight: 4,
    lastsMs: [200, 5_000],
    begin: (world, fault) => spokeOf(world, fault)?.ways[fault.target].back.cutOff(),
    end: (world, fault) => spokeOf(world, fault)?.ways[fault.target].back.heal(),
  },
  "spoke-slow": {
    weight: 3,
    lastsMs: [300, 5_000],
    begin: (world, fault) => pathsOf(world, fault).forEach((path) => path.slow(scaled(fault, 20, 600))),
    end: (world, fault) => pathsOf(world, fault).forEach((path) => path.slow(0)),
  },
  "spoke-kill": {
    weight: 6,
    lastsMs: [50, 5_000],
    begin: (world, fault) => spokeOf(world, fault)?.kill(),
    end: (world, fault) => spokeOf(world, fault)?.boot(),
  },
  "spoke-clock-step": {
    weight: 3,
    lastsMs: [0, 0],
    begin: (world, fault) => spokeOf(world, fault)?.stepClock(scaled(fault, -6_000, 6_000)),
    end: nothingToEnd,
  },
  "spoke-disk-full": {
    weight: 3,
    lastsMs: [200, 4_000],
    begin: (world, fault) => setDiskFull(spokeOf(world, fault), true),
    end: (world, fault) => setDiskFull(spokeOf(world, fault), false),
  },
  "spoke-poison": {
    weight: 1,
    lastsMs: [0, 0],
    begin: (world, fault) => {
      const spoke = spokeOf(world, fault);
      if (spoke !== undefined) writePoison(world, spoke);
    },
    end: nothingToEnd,
  },
  "hub-compaction": {
    weight: 5,
    lastsMs: [0, 0],
    begin: (world, fault) => compact(world, fault.target, spokeOf(world, fault)),
    end: nothingToEnd,
  },
  "hub-generation": {
    weight: 1,
    lastsMs: [0, 0],
    begin: (world, { target }) => void unlessRefused(() => beginGeneration(world, target)),
    end: nothingToEnd,
  },
} satisfies Record<string, FaultWork>;

function beginGeneration(world: World, target: Label): void {
  world.processes[target].ports?.store.replica.peerState.delete("generation");
}

function spokeOf(world: World, fault: PlannedFault): SimSpoke | undefined {
  return world.spokes[Math.floor(secondAmount(fault) * world.spokes.length)];
}

function pathsOf(world: World, fault: PlannedFault): SimSpoke["ways"]["a"]["there"][] {
  const ways = spokeOf(world, fault)?.ways;
  return ways === undefined ? [] : [ways.a.there, ways.a.back, ways.b.there, ways.b.back];
}

export function setDiskFull(place: SimPlace | undefined, full: boolean): void {
  if (place !== undefined) place.disk.full = full;
  if (!full) place?.boot();
}

/** The hour has come at which logs are compacted, at the engine and at one place around it. */
export function compact(world: World, target: Label, place: SimPlace | undefined): void {
  const { running, coordinator } = world.processes[target];
  const hubs = [
    { name: target, hub: running ? coordinator?.replication.hub : null },
    { name: place?.name ?? "", hub: place?.replication?.hub },
  ];
  for (const { name, hub } of hubs) {
    const held = world.contentOf(name)?.replica.arrivals ?? [];
    unlessRefused(() => hub?.compact());
    const still = new Set(world.contentOf(name)?.replica.arrivals);
    const gone = held.filter((arrived) => !still.has(arrived));
    if (gone.length > 0) world.watchers.each((watch) => watch.compacted?.(name, gone));
  }
}
