/**
 * Purpose: I1 and I6 (`consistency`: never two that may act), I3 (never two under one epoch), and under calm weather I10
 * (`on-air`: never longer without a leader than the failure matrix allows).
 * Why sampling is enough: an engine begins to be able to act only in a step, and stops by time alone; so an overlap
 * shows right after the step in which the second one could. A frozen engine cannot act; it is asked in the step in
 * which it wakes, before anything else of it runs.
 */
import type { Label } from "../../core/ids.ts";
import type { Entitlement } from "./entitlement.ts";
import type { Watch } from "../world/watch.ts";
import type { SimProcess } from "../world/sim-process.ts";
import type { World } from "../world/world.ts";

function isHeldDown({ running, coordinator }: SimProcess): boolean {
  return running && (coordinator?.state().alarms.some(({ code }) => code === "hold-down") ?? false);
}

/** Longest time without a leader after one fault under `on-air`: silence, an unmoved record, an election, and a margin. */
const LONGEST_GAP_MS = 2_000;

/** Watches who may act. */
export function whoActs(
  world: World,
  entitlement: Pick<Entitlement, "claims">,
  init: { readonly boundedGaps: boolean },
): Watch {
  const { a, b } = world.processes;
  const consistency = world.settings.failover.policy === "consistency";
  const ledEpoch: Record<Label, number> = { a: 0, b: 0 };
  let actedAtMs: number | null = null;
  let gapsCount = init.boundedGaps;
  return {
    told: (label, event) => {
      if (event.type === "role" && event.role === "leader") ledEpoch[label] = event.epoch;
    },
    healed: () => void (gapsCount = false),
    afterStep: () => {
      const aActs = a.mayAct();
      const bActs = b.mayAct();
      if (aActs) entitlement.claims("a");
      if (bActs) entitlement.claims("b");
      if (aActs && bActs) {
        if (consistency) world.violate("I1", `both may act: a in epoch ${ledEpoch.a}, b in epoch ${ledEpoch.b}`);
        else if (ledEpoch.a === ledEpoch.b) world.violate("I3", `both lead under epoch ${ledEpoch.a}`);
      }
      if (aActs || bActs) actedAtMs = world.nowMs;
      else if (gapsCount && actedAtMs !== null && world.nowMs - actedAtMs > LONGEST_GAP_MS) {
        // The role has moved as often as it may [CP6].
        if ([a, b].some(isHeldDown)) actedAtMs = world.nowMs;
        else world.violate("I10", `nobody leads since ${actedAtMs.toFixed(1)} ms, in calm weather under on-air`);
      }
    },
  };
}
