/** Purpose: I8 [HO4]: one request of a person, one epoch, however often it is repeated, at either engine. */
import { otherLabel, type Label } from "../../core/ids.ts";
import type { Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";

/** So long before an answer nothing was wrong but what people do: then the other engine must know it too. */
const QUIET_MS = 1_000;
const BY_PEOPLE = ["force-leader", "handover", "maintenance", "lock-contention", "late-snapshot", "resolve-conflict"];

/** Watches force-leader requests. */
export function requests(world: World): Watch {
  /** The epochs that an engine must give when it is asked again. */
  const known: Readonly<Record<Label, Map<string, number>>> = { a: new Map(), b: new Map() };
  let disturbedMs = 0;

  /** Whether what `label` answers now reaches its peer for certain. */
  function isShared(label: Label): boolean {
    const { nowMs, processes } = world;
    if (nowMs - disturbedMs < QUIET_MS || !processes[otherLabel(label)].running) return false;
    return processes[label].coordinator?.state().peer.links.every(({ up }) => up) === true;
  }

  return {
    forced: (label, { requestId }, outcome) => {
      if (requestId === null || outcome.outcome !== "leads") return;
      const { epoch } = outcome.answer;
      const first = known[label].get(requestId);
      if (first !== undefined && first !== epoch)
        world.violate("I8", `request ${requestId} was answered with epoch ${first}, and by ${label} with ${epoch}`);
      known[label].set(requestId, epoch);
      const peers = known[otherLabel(label)];
      if (!peers.has(requestId) && isShared(label)) peers.set(requestId, epoch);
    },
    diskReplaced: (label) => known[label].clear(),
    afterStep: () => {
      if (world.faults.active.size > 0 && !world.faults.only(...BY_PEOPLE)) disturbedMs = world.nowMs;
    },
  };
}
