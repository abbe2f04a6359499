/** Purpose: R7: an engine's log is compacted only below what every spoke that ever asked there has said to have. */
import type { Watch } from "../watch.ts";
import type { World } from "../world.ts";

/** Watches the floors of the engines' logs. */
export function compaction(world: World): Watch {
  const acknowledged = new Map<string, Map<string, string>>();
  return {
    asked: (spoke, from, after) => {
      const known = acknowledged.get(from) ?? new Map<string, string>();
      acknowledged.set(from, known);
      if (after >= (known.get(spoke) ?? "")) known.set(spoke, after);
    },
    compacted: (place) => {
      const through = world.contentOf(place)?.replica.floor?.through ?? "";
      for (const [spoke, after] of acknowledged.get(place) ?? []) {
        if (through > after)
          world.violate("R7", `${place} compacted through ${through}, ${spoke} has ${after || "none"}`);
      }
    },
  };
}
