/**
 * Purpose: R7: a log is compacted only below what every place that ever asked there has said to have; that of an engine or
 * a spoke, only below what both engines of the pair do hold.
 */
import { counterOf } from "../../core/vector-clock.ts";
import type { Watch } from "../watch.ts";
import type { World } from "../world.ts";

/** Watches the floors of logs. */
export function compaction(world: World): Watch {
  const ofPair = ["a", "b", ...world.spokes.map(({ name }) => name)];
  const acknowledged = new Map<string, Map<string, string>>();
  return {
    replaced: (site) => void acknowledged.delete(site),
    asked: (place, from, after) => {
      const known = acknowledged.get(from) ?? new Map<string, string>();
      acknowledged.set(from, known);
      if (after >= (known.get(place) ?? "")) known.set(place, after);
    },
    compacted: (place) => {
      const { through = "", clock = {} } = world.contentOf(place)?.replica.floor ?? {};
      for (const [caller, after] of acknowledged.get(place) ?? []) {
        if (through > after)
          world.violate("R7", `${place} compacted through ${through}, ${caller} has ${after || "none"}`);
      }
      if (!ofPair.includes(place)) return;
      for (const label of ["a", "b"] as const) {
        const vector = world.contentOf(label)?.replica.vector;
        for (const origin of Object.keys(clock)) {
          const [gone, held] = [counterOf(clock, origin), vector?.get(origin) ?? 0];
          if (gone > held) world.violate("R7", `${place} compacted ${origin} through ${gone}, ${label} holds ${held}`);
        }
      }
    },
  };
}
