/**
 * Purpose: the catalogue of faults of quality.md, and how all of them are taken back at once.
 * Keeps true: a fault is plain data, so that a schedule can be printed, cut down and played again.
 */
import type { FaultWork, PlannedFault } from "./fault.ts";
import { diskFaults } from "./disks.ts";
import { feedFaults } from "./feed.ts";
import { impostorFaults } from "./impostor.ts";
import { networkFaults } from "./network.ts";
import { personFaults } from "./person.ts";
import { plantFaults } from "./plant.ts";
import { processFaults } from "./process.ts";
import { siteFaults } from "./sites.ts";
import { spokeFaults } from "./spokes.ts";
import { copiedFolderFaults, strangerFaults } from "./strangers.ts";
import { witnessFaults } from "./witness.ts";
import { liftMaintenance, restartLostEngines } from "../people/operator.ts";
import type { SimPlace } from "../world/sim-place.ts";
import type { World } from "../world/world.ts";

const pairFaults = { ...processFaults, ...networkFaults, ...witnessFaults, ...personFaults };

/** Every kind of fault. */
export const FAULTS = {
  ...pairFaults,
  ...spokeFaults,
  ...siteFaults,
  ...feedFaults,
  ...impostorFaults,
  ...plantFaults,
  ...diskFaults,
  ...strangerFaults,
  ...copiedFolderFaults,
};

export type FaultKind = keyof typeof FAULTS;
export type Fault = PlannedFault<FaultKind>;

export const FAULT_KINDS = Object.keys(FAULTS) as FaultKind[];
export const PAIR_FAULT_KINDS = Object.keys(pairFaults) as FaultKind[];
export const COPIED_FOLDER_FAULT_KINDS = Object.keys(copiedFolderFaults) as FaultKind[];
export const DISK_FAULT_KINDS = Object.keys(diskFaults) as FaultKind[];
/** Without those that put an empty disk in: see decision 0052. */
export const RANDOM_DISK_FAULT_KINDS: readonly FaultKind[] = ["disk-read-only", "disk-stalled", "disk-restored"];
export const FEED_FAULT_KINDS = Object.keys(feedFaults) as FaultKind[];
export const IMPOSTOR_FAULT_KINDS = Object.keys(impostorFaults) as FaultKind[];
export const PLANT_FAULT_KINDS = Object.keys(plantFaults) as FaultKind[];
export const SPOKE_FAULT_KINDS = Object.keys(spokeFaults) as FaultKind[];
export const STRANGER_FAULT_KINDS = Object.keys(strangerFaults) as FaultKind[];
export const SITE_FAULT_KINDS = Object.keys(siteFaults) as FaultKind[];

/** How a kind works. */
export function workOf(kind: FaultKind): FaultWork {
  return FAULTS[kind];
}

const FORGETFUL_DEVICE_SHARE = 0.1;

/** Takes back whatever faults may have left behind, and lets the operators lift their holds. */
export function healEverything(world: World): void {
  world.faults.clear(world.nowMs);
  for (const link of world.ground.links) {
    link.from.a.healWholly();
    link.from.b.healWholly();
  }
  for (const way of [world.ground.witnessWays.a, world.ground.witnessWays.b]) {
    way.there.healWholly();
    way.back.healWholly();
  }
  if (world.ground.witness !== null) {
    world.ground.witness.up = true;
    world.ground.witness.stalledUntilMs = 0;
    world.ground.witness.clearStrange();
  }
  // Devices are switched on again, too; some come back without their route [HO7].
  if (world.chanceOf("devices").chance(FORGETFUL_DEVICE_SHARE)) world.ground.scriptTarget.routedTo = null;
  for (const process of [world.processes.a, world.processes.b]) {
    Object.assign(process.disk, { full: false, readOnly: false, stallMs: 0 });
    process.engineFaults.slowMs = 0;
    process.engineFaults.health = "ok";
    process.engineProcess?.start();
    process.engineProcess?.thaw();
    process.engineProcess?.unhang();
    process.machine.clock.disciplineUnix(world.nowMs);
    process.wake("as-due");
    process.boot();
  }
  if (world.ground.feed !== null) Object.assign(world.ground.feed, { up: true, answers: true, refuses: false });
  liftMaintenance(world);
  restartLostEngines(world);
  for (const site of world.sites) Object.assign(site, { inflates: false, rebuilt: true });
  for (const place of world.around) healPlace(world, place);
}

function healPlace(world: World, place: SimPlace): void {
  for (const { there, back } of [place.ways.a, place.ways.b]) {
    there.healWholly();
    back.healWholly();
  }
  place.disk.full = false;
  world.watchers.each((watch) => watch.clockSteps?.(place.name));
  place.clock.disciplineUnix(world.nowMs);
  place.boot();
}
