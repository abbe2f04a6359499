/**
 * VT7: a record that is not this pair's is never overwritten and never obeyed. Content that is no record at all is watched
 * where it is overwritten (`world/sim-ports.ts`).
 */
import type { Label } from "../../core/ids.ts";
import type { Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";
import { STRANGERS_EPOCH } from "../faults/witness.ts";

export function strangers(world: World): Watch {
  const { a, b } = world.processes;
  const isOfPair = (label: Label, engineId: string): boolean => {
    const content = world.contentOf(label);
    return content?.engineId === engineId || content?.pinnedPeer?.engineId === engineId;
  };
  /** A person has said that these engines may overwrite what they find. */
  const adopting = new Set<Label>();
  return {
    adoptsWitness: (label) => void adopting.add(label),
    swapped: (from, previous) => {
      if (previous === null) return;
      if (adopting.delete(from)) return;
      if (!isOfPair(from, previous.engineId))
        world.violate("VT7", `${from} overwrote the record of ${previous.engineId}`);
    },
    afterStep: () => {
      for (const process of [a, b]) {
        const highest = process.disk.content?.highestEpoch ?? 0;
        if (highest >= STRANGERS_EPOCH) world.violate("VT7", `${process.label} obeyed a stranger: epoch ${highest}`);
      }
    },
  };
}
