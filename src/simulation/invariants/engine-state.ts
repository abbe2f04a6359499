/**
 * I16: no engine whose state is not the pair's is on air or reports ready [EN9–EN11], and no such state is stored as the
 * pair's. What is stored is judged at once: a state belongs to its position. The rest is judged for engines in processes
 * of their own, which can lose their state behind the coordinator's back; so it has a moment to find out.
 */
import type { Json } from "../../core/canonical-json.ts";
import { otherLabel, type Label } from "../../core/ids.ts";
import type { LeadershipCause } from "../../core/messages.ts";
import { pastOfState } from "../ports/sim-engine.ts";
import type { Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";

/** From the loss of the state until the coordinator must know: a closed connection, a look, an answer. */
const KNOWN_WITHIN_MS = 150;
/** A leader without a state gives its role to a fit peer, where nothing else is wrong [EN6]. */
const MOVED_WITHIN_MS = 1_500;
/** Where nobody has chosen: the other engine is fitter, or it is not asked [HO3]. */
const BY_PEOPLE: ReadonlySet<LeadershipCause> = new Set(["forced", "handover"]);

export function engineState(world: World): Watch {
  const awakeMs: Record<Label, number> = { a: 0, b: 0 };
  let onAirSinceMs = 0;
  /** Whether this engine lacks its state for so long that its coordinator must know. */
  const isKnownLost = (label: Label): boolean => {
    const { engineProcess, engineMemory, coordinator, running } = world.processes[label];
    const lostMs = engineProcess?.lostStateMs ?? null;
    if (lostMs === null || !running || coordinator === null) return false;
    // One that executes its log again from the beginning knows that its engine is empty.
    const executedSeq = engineMemory?.past?.seq ?? 0;
    if (engineMemory !== null && coordinator.syncHealth().lastExecutedSeq <= executedSeq) return false;
    return world.nowMs - Math.max(lostMs, awakeMs[label]) > KNOWN_WITHIN_MS;
  };
  return {
    booted: (label) => void (awakeMs[label] = world.nowMs),
    woke: (label) => void (awakeMs[label] = world.nowMs),
    wrote: (label, method) => {
      if (method === "saveCheckpoint" || method === "adopt") judgeStored(world, label);
    },
    readyAnswered: (label, ready) => {
      if (ready && isKnownLost(label)) world.violate("I16", `${label} reports ready, its engine has lost its state`);
    },
    told: (label, event) => {
      if (event.type !== "role" || event.role !== "leader" || event.cause === null || BY_PEOPLE.has(event.cause))
        return;
      if (isKnownLost(label))
        world.violate("I16", `${label} took the role (${event.cause}), its engine has lost its state`);
    },
    leaderAnswered: (label, leads) => {
      if (!leads) return;
      const { nowMs, faults } = world;
      if (!isKnownLost(label) || !isFit(world, otherLabel(label)) || isHeld(world)) onAirSinceMs = nowMs;
      onAirSinceMs = Math.max(onAirSinceMs, faults.changedMs);
      if (faults.only("engine-killed") && nowMs - onAirSinceMs > MOVED_WITHIN_MS)
        world.violate("I16", `${label} is on air with an engine that has lost its state, beside one that is ready`);
    },
  };
}

function judgeStored(world: World, label: Label): void {
  const checkpoint = world.contentOf(label)?.checkpoint ?? null;
  if (checkpoint === null) return;
  const past = pastOfState(world.ground.pasts, JSON.parse(checkpoint.state) as Json);
  const { epoch, seq } = checkpoint.position;
  if (past === undefined) return world.violate("I16", `${label} stored a state that no engine of this pair had`);
  if ((past?.seq ?? 0) === seq && (past?.epoch ?? 0) === epoch) return;
  // An engine that outlived its coordinator and does not say how far it is may be ahead of it; it knows commands again.
  if (world.ground.engines !== null && (past?.seq ?? 0) > seq) return;
  world.violate(
    "I16",
    `${label} stored the state after ${past?.epoch ?? 0}/${past?.seq ?? 0} as that of ${epoch}/${seq}`,
  );
}

function isFit(world: World, label: Label): boolean {
  const { running, coordinator, engineProcess } = world.processes[label];
  return running && coordinator?.ready() === true && (engineProcess?.lostStateMs ?? null) === null;
}

function isHeld(world: World): boolean {
  return [world.processes.a, world.processes.b].some(({ running, coordinator }) => {
    if (!running || coordinator === null) return false;
    const { maintenance, alarms } = coordinator.state();
    return maintenance?.on === true || alarms.some(({ code }) => code === "hold-down");
  });
}
