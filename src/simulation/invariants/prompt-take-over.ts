/**
 * DP1 and CP5: a follower that says ready takes over at once when the leader's process dies, also with one of two networks
 * dead, also right after the role has moved. Judged where death counts as proof and nothing else is wrong.
 */
import { otherLabel, type Label } from "../../core/ids.ts";
import type { Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";

/** From the closing of the dead process's sockets: a probe, a look at the record, a swap, with room for late timers. */
const LEADS_WITHIN_MS = 60;
/** So long before it must be quiet, apart from a dead link. */
const QUIET_MS = 400;

const KILLS = ["kill", "killed-again"];
const LINK_CUTS = ["one-link-cut", "killed-beside-a-dead-link"];

interface Due {
  readonly dead: Label;
  readonly changedMs: number;
  atMs: number;
}

export function promptTakeOver(world: World): Watch {
  let due: Due | null = null;
  return {
    died: (dead, how) => {
      due = null;
      const { failover, linkNames } = world.settings;
      const { faults, ground, nowMs } = world;
      if (how !== "killed" || failover.deathProof !== "refused" || ground.witness === null) return;
      const harmless = linkNames.length > 1 ? [...KILLS, ...LINK_CUTS] : KILLS;
      if (!faults.only(...harmless) || faults.changedBefore(nowMs) > nowMs - QUIET_MS) return;
      const peer = world.processes[otherLabel(dead)];
      if (!peer.running) return;
      const state = peer.coordinator?.state();
      if (state?.leader !== dead || !state.peer.links.some(({ up }) => up)) return;
      if (peer.coordinator?.ready() === true) due = { dead, changedMs: faults.changedMs, atMs: Infinity };
    },
    afterStep: () => {
      if (due === null) return;
      const { nowMs, scheduler, ground, faults, processes } = world;
      if (faults.changedMs !== due.changedMs || processes[otherLabel(due.dead)].mayAct()) due = null;
      else if (due.atMs === Infinity && ground.machines[due.dead].presence() !== "closing") {
        due.atMs = nowMs + LEADS_WITHIN_MS;
        scheduler.at(due.atMs, () => undefined);
      } else if (nowMs >= due.atMs) {
        world.violate("DP1", `${otherLabel(due.dead)} was ready, and did not take over when the leader's process died`);
      }
    },
  };
}
