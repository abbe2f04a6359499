/** I18: nothing without the pinned key changes anything [ID1], and no number goes out of reach [EP6]. */
import type { Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";

/** No run takes so many leaderships: an epoch above it came from a number that somebody made up. */
const MOST_EPOCHS = 1_000_000;

const LABELS = ["a", "b"] as const;

export function impostors(world: World): Watch {
  return {
    fooled: (at, how) => world.violate("I18", `${at} ${how}`),
    afterStep: () => {
      for (const label of LABELS) {
        const highest = world.contentOf(label)?.highestEpoch ?? 0;
        if (highest > MOST_EPOCHS) world.violate("I18", `${label} has seen epoch ${highest}, which nobody led in`);
      }
    },
  };
}
