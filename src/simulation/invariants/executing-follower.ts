/**
 * I19: a follower that says it is ready executes what its leader has executed, also where no further command comes. What its
 * log has and its engine has not is late at the next take-over. Judged where no fault is at work.
 */
import { otherLabel, type Label } from "../../core/ids.ts";
import type { Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";

/** The lead time of a command and a heartbeat of its leader. */
const EXECUTED_WITHIN_MS = 500;
const LOOK_EVERY_MS = 20;

export function executingFollower(world: World): Watch {
  let lookAtMs = 0;
  const executed: Record<Label, { seq: number; sinceMs: number }> = {
    a: { seq: 0, sinceMs: 0 },
    b: { seq: 0, sinceMs: 0 },
  };
  /** Through here an engine was given its commands: it may still be at the last one, or never answer. */
  const given: Record<Label, number> = { a: 0, b: 0 };
  /** Only a leader that may act is asked: one that is frozen would notice. */
  const executedByLeader = (label: Label): number => {
    const { coordinator } = world.processes[label];
    return world.processes[label].mayAct() ? (coordinator?.syncHealth().lastExecutedSeq ?? 0) : 0;
  };
  return {
    booted: (label) => void (given[label] = 0),
    executing: (label, { seq }) => void (given[label] = seq),
    afterStep: () => {
      const { nowMs } = world;
      if (nowMs < lookAtMs) return;
      lookAtMs = nowMs + LOOK_EVERY_MS;
      for (const label of ["a", "b"] as const) {
        const { running, coordinator } = world.processes[label];
        const health = running ? (coordinator?.syncHealth() ?? null) : null;
        const seen = executed[label];
        const lags =
          health !== null &&
          health.lastExecutedSeq === seen.seq &&
          given[label] <= seen.seq &&
          seen.seq < health.lastCommandSeq &&
          world.faults.active.size === 0 &&
          seen.seq < executedByLeader(otherLabel(label)) &&
          coordinator?.ready() === true;
        if (!lags) executed[label] = { seq: health?.lastExecutedSeq ?? 0, sinceMs: nowMs };
        if (nowMs - Math.max(executed[label].sinceMs, world.faults.changedMs) <= EXECUTED_WITHIN_MS) continue;
        const kept = (health?.lastCommandSeq ?? 0) - seen.seq;
        world.violate(
          "I19",
          `${label} reports ready and has not executed ${kept} commands for ${EXECUTED_WITHIN_MS} ms`,
        );
      }
    },
  };
}
