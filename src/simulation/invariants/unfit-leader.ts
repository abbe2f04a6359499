/**
 * EN7: a leader whose disk refuses writes gives its role to a fit peer at once. Judged where nothing else is wrong: no
 * other fault for a while, no hold by an operator, no hold-down.
 */
import { otherLabel, type Label } from "../../core/ids.ts";
import type { Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";

/** The first refused write, a beat, an offer and its answer. */
const MOVED_WITHIN_MS = 1_500;
const LOOK_EVERY_MS = 50;
const HELD: readonly string[] = ["hold-down", "maintenance-blocks-failover"];

export function unfitLeader(world: World): Watch {
  let lookAtMs = 0;
  let sinceMs = 0;
  return {
    afterStep: () => {
      const { nowMs } = world;
      if (nowMs < lookAtMs) return;
      lookAtMs = nowMs + LOOK_EVERY_MS;
      const unfit = (["a", "b"] as const).find((label) => mustGiveAway(world, label));
      if (unfit === undefined) sinceMs = nowMs;
      sinceMs = Math.max(sinceMs, world.faults.changedMs);
      if (nowMs - sinceMs > MOVED_WITHIN_MS)
        world.violate("EN7", `the disk of ${unfit} is full, and it leads on beside a peer that is ready`);
    },
  };
}

function mustGiveAway(world: World, label: Label): boolean {
  const own = world.processes[label];
  const peer = world.processes[otherLabel(label)];
  if (
    !own.disk.refuses ||
    peer.disk.refuses ||
    !own.mayAct() ||
    !world.faults.only("disk-full", "leaders-disk-full", "disk-read-only")
  )
    return false;
  if (!peer.running || peer.mayAct() || peer.coordinator?.ready() !== true) return false;
  const alarms = [own, peer].flatMap(({ coordinator }) => coordinator?.state().alarms ?? []).map(({ code }) => code);
  const maintenance = [own, peer].some(({ coordinator }) => coordinator?.state().maintenance?.on === true);
  return alarms.includes("store-failed") && !maintenance && !HELD.some((code) => (alarms as string[]).includes(code));
}
