/**
 * I19: once faults have ended, the pair has a ready follower within a stated bound, whatever happened before. It counts
 * from the last fault, and from the instant since which one engine leads without a break. Not counted is what waits for
 * somebody else by design: a hold by an operator, hold-down, a wall clock that somebody must put right, a lock that a tool holds.
 */
import { parseHolder } from "../../core/epoch.ts";
import { otherLabel, type Label } from "../../core/ids.ts";
import type { Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";

/** From the last fault to a ready follower: connections are made again, a whole state is sent, a lock is broken. */
export const READY_WITHIN_MS = 6_000;
const LOOK_EVERY_MS = 50;
const BY_DESIGN: ReadonlySet<string> = new Set(["maintenance", "hold-down", "clock-wrong"]);

export function readyFollower(world: World): Watch {
  let lookAtMs = 0;
  let sinceMs = 0;
  let leader: Label | null = null;
  return {
    afterStep: () => {
      const { nowMs } = world;
      if (nowMs < lookAtMs) return;
      lookAtMs = nowMs + LOOK_EVERY_MS;
      const acting = (["a", "b"] as const).filter((label) => world.processes[label].mayAct());
      const leads = acting.length === 1 ? (acting[0] as Label) : null;
      const follower = leads === null ? null : world.processes[otherLabel(leads)];
      // A frozen process is not asked: it would notice.
      const readiness = follower?.running === true ? (follower.coordinator?.readiness() ?? null) : null;
      const excused =
        leads !== leader ||
        readiness === null ||
        readiness.ready ||
        readiness.reasons.some((reason) => BY_DESIGN.has(reason)) ||
        world.faults.active.size > 0 ||
        isHeldByTool(world);
      leader = leads;
      if (excused) sinceMs = nowMs;
      sinceMs = Math.max(sinceMs, world.faults.changedMs);
      if (nowMs - sinceMs <= READY_WITHIN_MS) return;
      const why = readiness?.reasons.join(", ") ?? "";
      world.violate(
        "I19",
        `${leads} leads, and for ${READY_WITHIN_MS} ms without a fault its follower is not ready: ${why}`,
      );
    },
  };
}

function isHeldByTool(world: World): boolean {
  const lock = world.ground.witness?.server.lock.read() ?? null;
  return lock !== null && parseHolder(lock.holder) === null;
}
