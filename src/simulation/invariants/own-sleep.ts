/**
 * CP5: what was missed while an engine slept does not count against its peer. A peer that lived all along, and was heard
 * until the engine fell asleep, is not silent before `missLimit` intervals after the waking.
 */
import { otherLabel, type Label } from "../../core/ids.ts";
import type { Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";

export function ownSleep(world: World): Watch {
  const { heartbeatMs, missLimit, leaseMs } = world.settings.failover;
  const silentAfterMs = heartbeatMs * missLimit;
  const heardMs: Record<Label, number> = { a: -Infinity, b: -Infinity };
  const bornMs: Record<Label, number> = { a: 0, b: 0 };
  /** Until then its peer cannot be silent for this engine. */
  const patientUntilMs: Record<Label, number> = { a: -Infinity, b: -Infinity };
  return {
    booted: (label) => {
      bornMs[label] = world.nowMs;
      Object.assign(patientUntilMs, { [label]: -Infinity });
      heardMs[label] = -Infinity;
    },
    died: (label) => void (patientUntilMs[otherLabel(label)] = -Infinity),
    delivered: (to, { type }) => {
      if (type === "heartbeat") heardMs[to] = world.nowMs;
    },
    woke: (label, forMs) => {
      const { nowMs, processes } = world;
      const { rate } = processes[label].machine.clock;
      const asleepMs = nowMs - forMs;
      const peer = otherLabel(label);
      const wasHeard = heardMs[label] > asleepMs - heartbeatMs * 1.5;
      const lived = processes[peer].alive && bornMs[peer] < asleepMs;
      if (forMs * rate > leaseMs / 2 && wasHeard && lived) patientUntilMs[label] = nowMs + silentAfterMs / rate;
    },
    told: (label, event) => {
      if (event.type !== "alarm" || !event.raised || event.alarm.code !== "peer-unreachable") return;
      if (world.nowMs >= patientUntilMs[label] - 1) return;
      world.violate("CP5", `${label} says "${event.alarm.detail}" right after it slept itself`);
    },
  };
}
