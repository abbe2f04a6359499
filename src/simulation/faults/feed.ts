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
  "feed-refuses": {
    weight: 2,
    lastsMs: [500, 6_000],
    begin: (world) => set(world, { refuses: true }),
    end: (world) => set(world, { refuses: false }),
  },
  "feed-answers-lost": {
    weight: 3,
    lastsMs: [100, 3_000],
    begin: (world) => set(world, { answers: false }),
    end: (world) => set(world, { answers: true }),
  },
} satisfies Record<string, FaultWork>;

function set(
  world: World,
  change: { readonly up?: boolean; readonly answers?: boolean; readonly refuses?: boolean },
): void {
  if (world.ground.feed !== null) Object.assign(world.ground.feed, change);
}
