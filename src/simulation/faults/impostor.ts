/** Somebody at the address of an engine who speaks the protocol and lacks the pinned key [ID1]. */
import { TRICKS } from "../world/sim-impostor.ts";
import { type FaultWork, nothingToEnd } from "./fault.ts";

/** Between two attempts. */
const EVERY_MS = 120;

export const impostorFaults = {
  impostor: {
    weight: 1,
    lastsMs: [120, 2_000],
    begin: (world, { target, forMs, amount }) => {
      const first = Math.floor(amount * TRICKS.length);
      for (let attempt = 0; attempt * EVERY_MS <= forMs; attempt += 1) {
        const trick = TRICKS[(first + attempt) % TRICKS.length] ?? "own-key";
        world.scheduler.after(attempt * EVERY_MS, () => {
          // Whoever comes first is pinned: before the pair has met, the network must be trusted.
          const key = world.contentOf(target)?.pinnedPeer?.key ?? null;
          if (key !== null) world.impostor.knock(target, trick);
        });
      }
    },
    end: nothingToEnd,
  },
} satisfies Record<string, FaultWork>;
