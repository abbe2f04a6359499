/** HO3: the later word of a person stands: while an engine lives, the hold that it obeys is never replaced by an older one. */
import { laterHlc } from "../../core/hlc.ts";
import type { Label } from "../../core/ids.ts";
import type { Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";

export function holds(world: World): Watch {
  const known: Record<Label, string | null> = { a: null, b: null };
  return {
    booted: (label) => void (known[label] = world.contentOf(label)?.maintenance?.stamp ?? null),
    told: (label, event) => {
      if (event.type !== "maintenance") return;
      const before = known[label];
      const { stamp, on } = event.maintenance;
      known[label] = stamp;
      if (before === null || laterHlc(before, stamp) === stamp) return;
      world.violate("HO3", `${label} now obeys "${on ? "hold" : "no hold"}" of ${stamp}, after a word of ${before}`);
    },
  };
}
