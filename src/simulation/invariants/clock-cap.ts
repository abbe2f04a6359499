/**
 * R9: no store holds operations of more origins than a clock takes, nor any of a batch that goes beyond, and no engine
 * claims to.
 */
import { MAX_CLOCK_ENTRIES } from "../../core/vector-clock.ts";
import { isMadeUp } from "../world/inflation.ts";
import type { Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";

/** Watches how many origins there are. */
export function clockCap(world: World): Watch {
  return {
    sending: (from, message) => {
      const origins = message.type === "record-news" ? Object.keys(message.vector).length : 0;
      if (origins > MAX_CLOCK_ENTRIES) world.violate("R9", `${from} claims to hold operations of ${origins} origins`);
    },
    recorded: (place, { origin }) => {
      const origins = world.contentOf(place)?.replica.vector.size ?? 0;
      if (origins > MAX_CLOCK_ENTRIES) world.violate("R9", `${place} holds operations of ${origins} origins`);
      if (isMadeUp(origin)) world.violate("R9", `${place} took ${origin} of a batch of too many origins`);
    },
  };
}
