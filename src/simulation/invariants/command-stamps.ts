/**
 * CK1: a command's stamp that is too far ahead never moves the stamps of the engine that takes it. The stamp that an engine
 * keeps is never further ahead than `MAX_DRIFT_MS` of the furthest that its own wall clock ever was.
 */
import { MAX_DRIFT_MS, parseHlc } from "../../core/hlc.ts";
import type { Label } from "../../core/ids.ts";
import type { Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";

/** A counter that is full carries over into the next ms. */
const CARRY_MS = 1;

export function commandStamps(world: World): Watch {
  const furthestMs: Record<Label, number> = { a: 0, b: 0 };
  const wallMs = (label: Label): number => world.processes[label].machine.clock.unixMs(world.nowMs);
  return {
    // A stamp may be given before a step and be written after it, where the disk stalled or refused in between.
    wallStepped: (label, byMs) => void (furthestMs[label] = Math.max(furthestMs[label], wallMs(label) - byMs)),
    // What it wrote on the older or newer disk was by another clock.
    diskReplaced: (label) => void (furthestMs[label] = Infinity),
    wrote: (label) => {
      const mostMs = (furthestMs[label] = Math.max(furthestMs[label], wallMs(label)));
      const hlc = world.contentOf(label)?.hlc ?? "";
      const aheadMs = parseHlc(hlc).unixMs - mostMs;
      if (aheadMs <= MAX_DRIFT_MS + CARRY_MS) return;
      world.violate("CK1", `${label} keeps the stamp ${hlc}, ${aheadMs.toFixed(0)} ms ahead of its own clock`);
    },
  };
}
