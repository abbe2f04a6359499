/** Purpose: what people do and their tools do in the middle of it all: force, hand over, hold, restore. */
import { type FaultWork, nothingToEnd, scaled, secondAmount, sometimesQuiet } from "./fault.ts";
import {
  askForHandover,
  askForMaintenance,
  contendForLock,
  forceLeader,
  postSnapshotLate,
  resolveConflict,
} from "../people/operator.ts";
import { type Label, otherLabel } from "../../core/ids.ts";
import type { PlannedFault } from "./fault.ts";
import type { World } from "../world/world.ts";

const IMMEDIATE_SHARE = 0.5;
const LAPSED_SHARE = 0.5;
const REAPPLIED_SHARE = 0.5;
const SAME_ENGINE_SHARE = 0.5;

export const personFaults = {
  "force-leader": {
    weight: 4,
    lastsMs: [5, 800],
    begin: (world, fault) => force(world, fault, fault.target),
    // The same request again, often at the other engine: it must get the first answer [HO4].
    end: (world, fault) => {
      const elsewhere = (fault.amount * 1_511) % 1 > SAME_ENGINE_SHARE;
      force(world, fault, elsewhere ? otherLabel(fault.target) : fault.target);
    },
  },
  handover: {
    weight: 5,
    lastsMs: [0, 0],
    begin: (world, fault) => {
      sometimesQuiet(world, fault);
      askForHandover(world, fault.target);
    },
    end: nothingToEnd,
  },
  maintenance: {
    weight: 3,
    lastsMs: [500, 6_000],
    begin: (world, { target }) => askForMaintenance(world, target, true),
    end: (world, { target }) => askForMaintenance(world, target, false),
  },
  "lock-contention": {
    weight: 2,
    lastsMs: [0, 0],
    begin: (world, fault) => contendForLock(world, fault.target, scaled(fault, 1_000, 4_000)),
    end: nothingToEnd,
  },
  "resolve-conflict": {
    weight: 2,
    lastsMs: [0, 0],
    begin: (world, fault) => {
      resolveConflict(world, fault.target, secondAmount(fault) < REAPPLIED_SHARE ? "reapply" : "keep");
    },
    end: nothingToEnd,
  },
  "late-snapshot": {
    weight: 3,
    lastsMs: [0, 0],
    begin: (world, fault) => {
      const afterMs = scaled(fault, 100, 3_000);
      const lapses = secondAmount(fault) < LAPSED_SHARE;
      postSnapshotLate(world, fault.target, { afterMs, ttlMs: lapses ? afterMs / 2 : afterMs + 1_000 });
    },
    end: nothingToEnd,
  },
} satisfies Record<string, FaultWork>;

function force(world: World, fault: PlannedFault, label: Label): void {
  forceLeader(world, label, {
    mode: secondAmount(fault) < IMMEDIATE_SHARE ? "immediate" : "graceful",
    reason: "a person at the desk",
    requestId: `force-${fault.atMs.toFixed(3)}`,
    expectedEpoch: null,
    acceptDualAir: false,
    by: "operator",
  });
}
