/** Engines that are not the pair's, under its name: see `world/sim-strangers.ts` [A35]. */
import type { SimStrangers, StrangerKind, Visit } from "../world/sim-strangers.ts";
import { type FaultWork, type PlannedFault, secondAmount } from "./fault.ts";

/** Strangers that are stopped, and not killed. */
const CLEANLY_SHARE = 0.5;
/** Copied configurations that name an address at which nobody listens; at the others nothing answers. */
const REFUSED_SHARE = 0.7;

const visits = new WeakMap<PlannedFault, { readonly strangers: SimStrangers; readonly visit: Visit }>();

function visiting(kind: StrangerKind, weight: number, longestMs = 8_000): FaultWork {
  return {
    weight,
    lastsMs: [500, longestMs],
    begin: ({ strangers }, fault) => {
      const peer = kind === "copy" && secondAmount(fault) < REFUSED_SHARE ? "refuses" : "silent";
      const visit = strangers.come({ kind, as: fault.target, peer });
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

/** Planned beside the other strangers, which keep their schedules. A copy is behind, and patient before it may lead [CP4]. */
export const copiedFolderFaults = {
  "copied-folder": visiting("copy", 1, 12_000),
} satisfies Record<string, FaultWork>;
