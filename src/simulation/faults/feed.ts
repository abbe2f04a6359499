/** Purpose: faults of the broker that takes the feed. */
import type { FaultWork } from "./fault.ts";
import type { World } from "../world/world.ts";

export const feedFaults = {
  "feed-down": {
    weight: 3,
    lastsMs: [200, 6_000],
    begin: (world) => set(world, { up: false }),
    end: (world) => set(world, { up: true }),
  },
  "feed-answers-lost": {
    weight: 3,
    lastsMs: [100, 3_000],
    begin: (world) => set(world, { answers: false }),
    end: (world) => set(world, { answers: true }),
  },
} satisfies Record<string, FaultWork>;

function set(world: World, change: { readonly up?: boolean; readonly answers?: boolean }): void {
  if (world.ground.feed !== null) Object.assign(world.ground.feed, change);
}
