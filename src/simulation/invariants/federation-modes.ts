/** Purpose: R10: a site that only publishes asks nobody; what one that only subscribes wrote stands nowhere else. */
import type { Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";

/** Watches who asks whom, and whose changes get where. */
export function federationModes(world: World): Watch {
  const modes = new Map(world.sites.map(({ name, init }) => [name, init.mode]));
  const silent = new Set<string>();
  return {
    asked: (place, to) => {
      if (modes.get(place) === "publish") world.violate("R10", `${place} only publishes, and asked ${to}`);
    },
    recorded: (place, { origin, originSeq }, via) => {
      if (via !== "" && silent.has(origin)) {
        world.violate("R10", `${place} took ${origin}/${originSeq}, written where nobody is served`);
      }
      if (via === "" && modes.get(place) === "subscribe") silent.add(origin);
    },
  };
}
