/** Purpose: R7: a log is compacted only below what every place that ever asked there has said to have. */
import type { Watch } from "../watch.ts";
import type { World } from "../world.ts";

/** Watches the floors of logs. */
export function compaction(world: World): Watch {
  const acknowledged = new Map<string, Map<string, string>>();
  return {
    replaced: (site) => void acknowledged.delete(site),
    asked: (place, from, after) => {
      const known = acknowledged.get(from) ?? new Map<string, string>();
      acknowledged.set(from, known);
      if (after >= (known.get(place) ?? "")) known.set(place, after);
    },
    compacted: (place) => {
      const through = world.contentOf(place)?.replica.floor?.through ?? "";
      for (const [caller, after] of acknowledged.get(place) ?? []) {
        if (through > after)
          world.violate("R7", `${place} compacted through ${through}, ${caller} has ${after || "none"}`);
      }
    },
  };
}
