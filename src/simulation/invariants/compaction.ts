/**
 * Purpose: R7: what a log has compacted away, every place that ever asked there has said to have, and does hold; what an
 * engine or a spoke has, both engines of the pair do.
 */
import type { Op } from "../../core/operation.ts";
import type { Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";

/** Watches what goes from logs. */
export function compaction(world: World): Watch {
  const ofPair = ["a", "b", ...world.spokes.map(({ name }) => name)];
  const acknowledged = new Map<string, Map<string, string>>();
  const restored = new Set<string>();
  const holds = (place: string, { origin, originSeq }: Op): boolean =>
    originSeq <= (world.contentOf(place)?.replica.vector.get(origin) ?? 0);
  const callersOf = (place: string): ReadonlyMap<string, string> => acknowledged.get(place) ?? new Map();
  return {
    replaced: (site) => {
      acknowledged.delete(site);
      for (const callers of acknowledged.values()) callers.delete(site);
    },
    // What was compacted when both held it cannot come back from there; the other engine has it [RP2].
    diskReplaced: (label) => {
      restored.add(label);
      acknowledged.delete(label);
      for (const callers of acknowledged.values()) callers.delete(label);
    },
    asked: (place, from, held) => {
      const known = callersOf(from);
      if (held >= (known.get(place) ?? "")) acknowledged.set(from, new Map(known).set(place, held));
    },
    compacted: (place, gone) => {
      for (const [caller, held] of callersOf(place)) {
        // One that asks a restored place from the beginning may have told it before, and the older copy knows that.
        const unheard = gone.filter((one) => one.arrival > held);
        const { arrival } = unheard.find(({ op }) => !restored.has(place) || !holds(caller, op)) ?? {};
        if (arrival !== undefined)
          world.violate("R7", `${place} compacted ${arrival}, ${caller} has ${held || "none"}`);
      }
      for (const holder of new Set([...callersOf(place).keys(), ...(ofPair.includes(place) ? ["a", "b"] : [])])) {
        if (restored.has(holder)) continue;
        const lost = gone.find(({ op }) => !world.isRewritten(op.origin) && !holds(holder, op));
        if (lost === undefined) continue;
        world.violate("R7", `${place} compacted ${lost.op.origin}/${lost.op.originSeq}, ${holder} does not hold it`);
      }
    },
  };
}
