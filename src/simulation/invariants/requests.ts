/** Purpose: I8: one request of a person, one epoch, however often it is repeated there. */
import type { Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";

/** Watches force-leader requests. */
export function requests(world: World): Watch {
  const epochs = new Map<string, number>();
  return {
    forced: (label, request, outcome) => {
      if (request.requestId === null || outcome.outcome !== "leads") return;
      const key = `${label}:${request.requestId}`;
      const first = epochs.get(key);
      if (first === undefined) epochs.set(key, outcome.answer.epoch);
      else if (first !== outcome.answer.epoch) {
        world.violate("I8", `request ${key} was answered with epoch ${first} and with ${outcome.answer.epoch}`);
      }
    },
  };
}
