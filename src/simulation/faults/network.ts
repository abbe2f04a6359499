/** Purpose: faults of the links between the two machines. */
import type { Label } from "../../core/ids.ts";
import { type FaultWork, type PlannedFault, scaled } from "./fault.ts";
import type { Path } from "../ground/network.ts";
import type { World } from "../world/world.ts";

const SHORTEST_FLAP_MS = 50;
const LONGEST_FLAP_MS = 500;

export const networkFaults = {
  cut: {
    weight: 8,
    lastsMs: [100, 8_000],
    begin: (world) => cutOff(bothWays(world)),
    end: (world) => heal(bothWays(world)),
  },
  "one-way-cut": {
    weight: 6,
    lastsMs: [100, 8_000],
    begin: (world, { target }) => cutOff(pathsFrom(world, target)),
    end: (world, { target }) => heal(pathsFrom(world, target)),
  },
  "one-link-cut": {
    weight: 3,
    lastsMs: [100, 8_000],
    begin: (world, fault) => cutOff(pathsOfOneLink(world, fault)),
    end: (world, fault) => heal(pathsOfOneLink(world, fault)),
  },
  flapping: {
    weight: 4,
    lastsMs: [1_000, 6_000],
    begin: (world, fault) => {
      const halfPeriodMs = scaled(fault, SHORTEST_FLAP_MS, LONGEST_FLAP_MS);
      for (let atMs = 0; atMs + halfPeriodMs < fault.forMs; atMs += 2 * halfPeriodMs) {
        world.scheduler.after(atMs, () => cutOff(bothWays(world)));
        world.scheduler.after(atMs + halfPeriodMs, () => heal(bothWays(world)));
      }
    },
    end: () => undefined,
  },
  isolation: {
    weight: 5,
    lastsMs: [300, 6_000],
    begin: (world, { target }) => cutOff([...bothWays(world), ...witnessPaths(world, target)]),
    end: (world, { target }) => heal([...bothWays(world), ...witnessPaths(world, target)]),
  },
  "slow-network": {
    weight: 4,
    lastsMs: [300, 5_000],
    begin: (world, fault) => pathsFrom(world, fault.target).forEach((path) => path.slow(scaled(fault, 5, 700))),
    end: (world, { target }) => pathsFrom(world, target).forEach((path) => path.slow(0)),
  },
} satisfies Record<string, FaultWork>;

/** The two paths between an engine and the witness. */
export function witnessPaths(world: World, label: Label): Path[] {
  const { there, back } = world.ground.witnessWays[label];
  return [there, back];
}

export function cutOff(paths: readonly Path[]): void {
  for (const path of paths) path.cutOff();
}

export function heal(paths: readonly Path[]): void {
  for (const path of paths) path.heal();
}

export function bothWays(world: World): Path[] {
  return [...pathsFrom(world, "a"), ...pathsFrom(world, "b")];
}

function pathsFrom(world: World, label: Label): Path[] {
  return world.ground.links.map((link) => link.from[label]);
}

export function pathsOfOneLink(world: World, fault: PlannedFault): Path[] {
  const { links } = world.ground;
  const link = links[Math.floor(fault.amount * links.length)];
  return link === undefined ? [] : [link.from.a, link.from.b];
}
