/**
 * Purpose: R7: what a log has compacted away, every place that ever asked there has said to have, and does hold; what an
 * engine or a spoke has, both engines of the pair do.
 */
import type { Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";

/** Watches what goes from logs. */
export function compaction(world: World): Watch {
  const ofPair = ["a", "b", ...world.spokes.map(({ name }) => name)];
  const acknowledged = new Map<string, Map<string, string>>();
  const restored = new Set<string>();
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
        const { arrival } = gone.find((one) => one.arrival > held) ?? {};
        if (arrival !== undefined)
          world.violate("R7", `${place} compacted ${arrival}, ${caller} has ${held || "none"}`);
      }
      for (const holder of new Set([...callersOf(place).keys(), ...(ofPair.includes(place) ? ["a", "b"] : [])])) {
        if (restored.has(holder)) continue;
        const vector = world.contentOf(holder)?.replica.vector;
        const lost = gone.find(
          ({ op }) => !world.isRewritten(op.origin) && op.originSeq > (vector?.get(op.origin) ?? 0),
        );
        if (lost === undefined) continue;
        world.violate("R7", `${place} compacted ${lost.op.origin}/${lost.op.originSeq}, ${holder} does not hold it`);
      }
    },
  };
}
