/**
 * Faults of the disks: read-only, slow, restored from an older copy, copied from the other engine, exchanged for an empty
 * one. A disk is exchanged while its process does not run. Where that makes it another engine, the people who did it
 * adopt it at the survivor, as the runbook says [ID2].
 */
import type { DiskContent } from "../../adapters/memory-disk.ts";
import { ownerOf } from "../../core/epoch.ts";
import { findFork } from "../../core/fork.ts";
import { type Label, otherLabel } from "../../core/ids.ts";
import { endOfShape } from "../../core/log-rules.ts";
import { adoptPeer } from "../people/operator.ts";
import type { DiskCopy } from "../world/sim-disk.ts";
import type { World } from "../world/world.ts";
import { bothWays, cutOff, heal } from "./network.ts";
import { type FaultWork, type PlannedFault, scaled } from "./fault.ts";

const BOOTS_AFTER_MS = 400;
const REFUSED_AFTER_MS = 800;
const LATEST_ADOPTION_MS = 5_000;
const EMPTY: DiskCopy = { content: null, bytes: null };
const SMALL_CLOSES_MS = 3;
/** The backup is older than the restored engine's absence. */
const RESTORED_AFTER_SHARE = 0.6;
/** Restored engines that come up with their network cable pulled, and for how long it stays so. */
const ALONE_SHARE = 0.4;
const ALONE_MS = 2_500;

export const diskFaults = {
  "disk-read-only": {
    weight: 3,
    lastsMs: [200, 4_000],
    begin: (world, { target }) => void (world.processes[target].disk.readOnly = true),
    end: (world, { target }) => void (world.processes[target].disk.readOnly = false),
  },
  "disk-stalled": {
    weight: 3,
    lastsMs: [200, 3_000],
    begin: (world, fault) => void (world.processes[fault.target].disk.stallMs = scaled(fault, 5, 900)),
    end: (world, { target }) => void (world.processes[target].disk.stallMs = 0),
  },
  "disk-restored": {
    weight: 3,
    lastsMs: [400, 8_000],
    begin: (world, fault) => {
      const backup = world.processes[fault.target].disk.copy();
      world.scheduler.after(fault.forMs * RESTORED_AFTER_SHARE, () => {
        if (exchange(world, fault, backup) && isAlone(fault)) cutOff(bothWays(world));
      });
    },
    // Where it comes up alone at first, it may write what it wrote before, under the same numbers [RP1].
    end: (world, fault) => {
      world.processes[fault.target].boot();
      lookAtLater(world, fault);
      if (isAlone(fault)) world.scheduler.after(ALONE_MS, () => heal(bothWays(world)));
    },
  },
  "disk-wiped": {
    weight: 2,
    lastsMs: [300, 4_000],
    begin: (world, fault) => exchange(world, fault, EMPTY),
    end: (world, fault) => {
      world.processes[fault.target].boot();
      lookAtLater(world, fault);
    },
  },
  // The survivor has refused the new engine when it dies too, for longer than the patience of [CP4].
  "survivor-dies": {
    weight: 2,
    lastsMs: [9_000, 9_000],
    begin: (world, fault) => {
      if (!exchange(world, fault, EMPTY)) return;
      world.scheduler.after(BOOTS_AFTER_MS, () => world.processes[fault.target].boot());
      const survivor = world.processes[otherLabel(fault.target)];
      world.scheduler.after(BOOTS_AFTER_MS + REFUSED_AFTER_MS, () => survivor.kill(SMALL_CLOSES_MS));
    },
    end: (world, { target }) => {
      for (const label of ["a", "b"] as const) world.processes[label].boot();
      adoptPeer(world, otherLabel(target));
    },
  },
} satisfies Record<string, FaultWork>;

/**
 * Kills the process and puts another disk in. Not while the other engine lacks a command of this one, which may be ahead or on
 * the losing side of a split: nobody could bring it back.
 */
function exchange(world: World, fault: PlannedFault, copy: DiskCopy): boolean {
  const { target } = fault;
  const [own, kept] = [world.contentOf(target), world.contentOf(otherLabel(target))];
  // Without a witness a blank engine may lead blind while the survivor is silent: see decision 0045.
  if (copy.content === null && world.ground.witness === null && !world.scripted) return false;
  if (own === null || kept?.pinnedPeer?.engineId !== own.engineId || !world.faults.active.has(fault)) return false;
  if (findFork(kept.shape, own.shape) < endOfShape(own.shape).seq) return false;
  if (copy.content !== null && !world.scripted && forgetsEpoch(world, copy.content, target)) return false;
  world.processes[target].kill(SMALL_CLOSES_MS);
  world.mayRewrite(own.engineId);
  world.processes[target].replaceDisk(copy);
  return true;
}

/** People look some time later whether the survivor lets it in. */
function lookAtLater(world: World, fault: PlannedFault): void {
  world.scheduler.after(scaled(fault, 0, LATEST_ADOPTION_MS), () => adoptPeer(world, otherLabel(fault.target)));
}

/**
 * Whether the engine has led since the copy was made, by its log or by what the router was asked. Where neither the other engine
 * nor the witness can tell it, it leads under the same epoch again: see decision 0052.
 */
function forgetsEpoch(world: World, { highestEpoch }: DiskContent, target: Label): boolean {
  const epochs = (world.contentOf(target)?.shape ?? []).map(({ epoch }) => epoch);
  return [...epochs, world.ground.router.epoch].some((epoch) => epoch > highestEpoch && ownerOf(epoch) === target);
}

function isAlone({ amount }: PlannedFault): boolean {
  return amount < ALONE_SHARE;
}
