/**
 * Alarms tell the truth: once the pair has settled, no alarm stands on an engine whose cause is gone. Some stay until a
 * person has looked, and some by design until time has passed; they are listed with the reason.
 */
import type { AlarmCode } from "../../core/events.ts";
import type { Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";

/** Alarms that may stand on a pair that has settled. */
const MAY_STAND: ReadonlySet<AlarmCode> = new Set<AlarmCode>([
  // Conflicts, dead letters and what was set aside wait for a person.
  "conflicts-open",
  "outbox-dead-letter",
  "op-dead-letter",
  "op-quarantined",
  "op-unsigned",
  "quota-near",
  // Stays for ten minutes, so that a person sees what was healed.
  "history-forked",
  // Last for their window.
  "hold-down",
  "engine-hook",
  "loop-stalled",
  // Cleared by the next command, exchange or probe, which may not have come yet.
  "commands-late",
  "state-drift",
  "lockstep-degraded",
  "clocks-far-apart",
  "clock-wrong",
  "hub-unreachable",
  "hub-out-of-step",
  "federation-failing",
  "federation-refused",
  "outbox-behind",
  "store-failed",
  // The simulated router loses answers, and a leader goes on asking it [HO7].
  "changeover-unconfirmed",
  "peer-refused",
]);

/** Judges the alarms at the end. */
export function alarms(world: World): Watch {
  return {
    settled: () => {
      for (const { label, coordinator } of [world.processes.a, world.processes.b]) {
        for (const { code, detail } of coordinator?.state().alarms ?? []) {
          if (!MAY_STAND.has(code)) world.violate("alarms", `${label} still raises ${code} at rest: ${detail}`);
        }
      }
    },
  };
}
