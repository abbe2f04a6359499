/**
 * Purpose: R2: no place takes an operation twice. R3: nobody is given back what it made or
 * brought itself; a snapshot also gives what was brought.
 */
import { recordOrigin } from "../../core/operation.ts";
import type { Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";

/** Watches operations on records. */
export function operations(world: World): Watch {
  const held = new Map<string, Set<string>>();
  // What each place took from each other.
  const brought = new Map<string, Set<string>>();
  return {
    replaced: (site) => {
      held.delete(site);
      brought.delete(site);
    },
    diskReplaced: (label) => {
      const ops = world.contentOf(label)?.replica.arrivals ?? [];
      held.set(label, new Set(ops.map(({ op }) => `${op.origin}/${op.originSeq}`)));
      brought.delete(label);
    },
    recorded: (place, { origin, originSeq }, via) => {
      if (world.isRewritten(origin)) return;
      const known = setOf(held, place);
      const id = `${origin}/${originSeq}`;
      if (known.has(id)) world.violate("R2", `${place} took ${id} twice, the second time from ${via || "itself"}`);
      known.add(id);
      setOf(brought, place).add(`${via}:${id}`);
    },
    pulled: (place, from, { ops, snapshot }) => {
      const engineId = world.contentOf(place)?.engineId;
      // One that reads a whole log again gets its own operations too [RP2].
      if (engineId === undefined || world.hasRewritten) return;
      const own = recordOrigin(engineId);
      for (const { origin, originSeq } of ops) {
        const id = `${origin}/${originSeq}`;
        if (origin === own) world.violate("R3", `${from} gave ${place} its own ${id}`);
        if (snapshot === undefined && setOf(brought, from).has(`${own}:${id}`))
          world.violate("R3", `${from} gave back ${id} to ${place}`);
      }
    },
  };
}

function setOf(sets: Map<string, Set<string>>, place: string): Set<string> {
  const known = sets.get(place) ?? new Set();
  sets.set(place, known);
  return known;
}
