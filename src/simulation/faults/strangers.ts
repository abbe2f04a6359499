/** Engines that are not the pair's, under its name: see `world/sim-strangers.ts` [A35]. */
import type { SimStrangers, StrangerKind, Visit } from "../world/sim-strangers.ts";
import type { FaultWork, PlannedFault } from "./fault.ts";

/** Strangers that are stopped, and not killed. */
const CLEANLY_SHARE = 0.5;

const visits = new WeakMap<PlannedFault, { readonly strangers: SimStrangers; readonly visit: Visit }>();

function visiting(kind: StrangerKind, weight: number): FaultWork {
  return {
    weight,
    lastsMs: [500, 8_000],
    begin: ({ strangers }, fault) => {
      const visit = strangers.come(kind, fault.target);
      if (visit !== null) visits.set(fault, { strangers, visit });
    },
    end: (_world, fault) => {
      const there = visits.get(fault);
      visits.delete(fault);
      there?.strangers.leave(there.visit, fault.amount < CLEANLY_SHARE);
    },
  };
}

export const strangerFaults = {
  "stray-engine": visiting("stray", 2),
  "second-pair": visiting("pair", 2),
  "impostor-process": visiting("impostor", 1),
} satisfies Record<string, FaultWork>;
