/**
 * VT7: a record that is not this pair's is never overwritten and never obeyed. Content that is no record at all is watched
 * where it is overwritten (`world/sim-ports.ts`).
 */
import type { Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";
import { STRANGERS_EPOCH } from "../faults/witness.ts";

export function strangers(world: World): Watch {
  const { a, b } = world.processes;
  return {
    swapped: (from, previous) => {
      if (previous === null) return;
      const ids = [a.disk.content?.engineId, b.disk.content?.engineId];
      if (!ids.includes(previous.engineId))
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
