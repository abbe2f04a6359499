/**
 * Faults of the disks: read-only, slow, restored from an older copy, copied from the other engine, exchanged for an empty
 * one. A disk is exchanged while its process does not run. Where that makes it another engine, the people who did it
 * adopt it at the survivor, as the runbook says [ID2].
 */
import type { DiskContent } from "../../adapters/memory-disk.ts";
import { comparePositions } from "../../core/claim.ts";
import type { LogPosition } from "../../core/command.ts";
import { otherLabel, type Label } from "../../core/ids.ts";
import { adoptPeer } from "../people/operator.ts";
import type { DiskCopy } from "../world/sim-disk.ts";
import type { World } from "../world/world.ts";
import { type FaultWork, type PlannedFault, scaled } from "./fault.ts";

const EMPTY: DiskCopy = { content: null, bytes: null };
const SMALL_CLOSES_MS = 3;
/** The backup is older than the restored engine's absence. */
const RESTORED_AFTER_SHARE = 0.6;

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
      world.scheduler.after(fault.forMs * RESTORED_AFTER_SHARE, () => exchange(world, fault, backup));
    },
    end: (world, { target }) => world.processes[target].boot(),
  },
  "disk-wiped": {
    weight: 2,
    lastsMs: [300, 4_000],
    begin: (world, fault) => exchange(world, fault, EMPTY),
    end: (world, { target }) => bootAnother(world, target),
  },
} satisfies Record<string, FaultWork>;

/** Kills the process and puts another disk in. Not while the other engine lacks something: nobody could bring it back. */
function exchange(world: World, fault: PlannedFault, copy: DiskCopy): void {
  const { target } = fault;
  const [own, kept] = [world.contentOf(target), world.contentOf(otherLabel(target))];
  // Without a witness a blank engine may lead blind while the survivor is silent: see decision 0045.
  if (copy.content === null && world.ground.witness === null) return;
  if (own === null || kept?.pinnedPeer?.engineId !== own.engineId || !world.faults.active.has(fault)) return;
  if (comparePositions(endOf(kept), endOf(own)) < 0) return;
  world.processes[target].kill(SMALL_CLOSES_MS);
  world.processes[target].replaceDisk(copy);
}

function endOf({ shape }: DiskContent): LogPosition {
  const end = shape.at(-1);
  return { epoch: end?.epoch ?? 0, seq: end?.to ?? 0 };
}

function bootAnother(world: World, target: Label): void {
  world.processes[target].boot();
  adoptPeer(world, otherLabel(target));
}
