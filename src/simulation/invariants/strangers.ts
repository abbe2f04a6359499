/**
 * VT7: a record that is not this pair's is never overwritten and never obeyed. Content that is no record at all is watched
 * where it is overwritten (`world/sim-ports.ts`).
 */
import type { Label } from "../../core/ids.ts";
import { isStranger } from "../ground/witness-host.ts";
import type { SimProcess } from "../world/sim-process.ts";
import type { Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";
import { STRANGERS_EPOCH } from "../faults/witness.ts";

/** From the last fault to the alarm: the record is read every heartbeat, and before the first contact it may be the peer's. */
const NAMED_WITHIN_MS = 2_500;
const LOOK_EVERY_MS = 50;
/** Somebody whom its peer has refused has met the pair, and knows whose record it is. */
const NAMING: ReadonlySet<string> = new Set(["witness-foreign", "refused-by-peer"]);
/** What may be under way while strangers must be named. */
const STRANGE_FAULTS = ["stray-engine", "second-pair", "impostor-process", "copied-folder", "witness-strange"];

/**
 * A35: where the record in the witness is another pair's, each engine that reads it says so in an alarm, on both sides.
 */
export function namedStrangers(world: World): Watch {
  const sinceMs = new Map<SimProcess, number>();
  let lookAtMs = 0;
  return {
    afterStep: () => {
      const { nowMs, faults } = world;
      if (nowMs < lookAtMs) return;
      lookAtMs = nowMs + LOOK_EVERY_MS;
      const standing = world.ground.witness?.server.standing ?? null;
      const isQuiet = standing !== null && !("content" in standing) && faults.only(...STRANGE_FAULTS);
      const standsForStranger = isQuiet && isStranger(standing.engineId);
      const look = (process: SimProcess, isStrange: boolean): void => {
        if (!isQuiet || !isStrange || !process.running) return void sinceMs.delete(process);
        const quietMs = nowMs - Math.max(sinceMs.get(process) ?? nowMs, faults.changedMs);
        if (!sinceMs.has(process)) sinceMs.set(process, nowMs);
        if (quietMs <= NAMED_WITHIN_MS) return;
        const alarms = process.coordinator?.state().alarms ?? [];
        if (alarms.some(({ code }) => NAMING.has(code))) return;
        const { engineId } = process.disk.content ?? {};
        world.violate(
          "A35",
          `${engineId ?? process.label} does not say that the record is that of ${standing.engineId}`,
        );
      };
      for (const process of [world.processes.a, world.processes.b]) look(process, standsForStranger);
      // To a copy the record is its own pair's.
      const { visit } = world.strangers;
      const others = visit === null || visit.kind === "copy" ? [] : visit.processes;
      for (const process of others) look(process, isQuiet && !standsForStranger);
    },
  };
}

export function strangers(world: World): Watch {
  const { a, b } = world.processes;
  const isOfPair = (label: Label, engineId: string): boolean => {
    const content = world.contentOf(label);
    return content?.engineId === engineId || content?.pinnedPeer?.engineId === engineId;
  };
  /** A person has said that these engines may overwrite what they find. */
  const adopting = new Set<Label>();
  return {
    adoptsWitness: (label) => void adopting.add(label),
    swapped: (from, previous, next) => {
      if (previous === null) return;
      // Its own record: it may have been sent before the disk was exchanged.
      if (previous.engineId === next.engineId) return;
      if (adopting.delete(from)) return;
      if (!isOfPair(from, previous.engineId))
        world.violate("VT7", `${from} overwrote the record of ${previous.engineId}`);
    },
    afterStep: () => {
      for (const process of [a, b]) {
        const highest = process.disk.content?.highestEpoch ?? 0;
        if (highest >= STRANGERS_EPOCH) world.violate("VT7", `${process.label} obeyed a stranger: epoch ${highest}`);
      }
    },
  };
}
