/**
 * CK3 and CK4: an engine whose stamps nobody can take writes no record, does not say that it is ready, and raises
 * `clock-wrong`.
 * How: judged only where it must know, since it has just heard its peer; and a clock that any place ever showed counts as one
 * that it may still remember.
 */
import { MAX_DRIFT_MS, parseHlc } from "../../core/hlc.ts";
import { otherLabel, type Label } from "../../core/ids.ts";
import type { Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";
import type { WallClocks } from "./wall-clocks.ts";

/**
 * An engine that has heard its peer for so long without a longer break must know what its clock shows: it takes a round
 * trip, over the slowest network as well.
 */
const HEARD_FOR_MS = 3_000;
/** One that hears nobody works alone (decision 0054). */
const LONGEST_BREAK_MS = 300;
/** By how much it may be mistaken about a clock whose answers took long. */
const MISTAKEN_MS = 5_000;
/** The alarm is looked after at each heartbeat. */
const TOLD_WITHIN_MS = 1_000;

const UNHEARD = { sinceMs: Infinity, lastMs: -Infinity };

/** Watches what an engine does whose wall clock is ahead of all others. */
export function unusableStamps(world: World, clocks: WallClocks): Watch {
  /** Since when it hears its peer without a break, and when it did so last. */
  const heard: Record<Label, { sinceMs: number; lastMs: number }> = { a: { ...UNHEARD }, b: { ...UNHEARD } };
  const wrongSinceMs: Record<Label, number | null> = { a: null, b: null };
  const forget = (label: Label): void => {
    heard[label] = { ...UNHEARD };
    wrongSinceMs[label] = null;
  };
  const mustKnow = (label: Label): boolean => {
    const { sinceMs, lastMs } = heard[label];
    return world.nowMs - sinceMs >= HEARD_FOR_MS && world.nowMs - lastMs <= LONGEST_BREAK_MS;
  };
  /** By how much `unixMs` is ahead of what any other place's clock would show, now. */
  const aheadMs = (label: Label, unixMs: number): number =>
    unixMs - clocks.trueUnixMs - Math.max(...clocks.errorsOfOthersMs(label));
  const isUnusable = (label: Label, unixMs: number): boolean =>
    mustKnow(label) && aheadMs(label, unixMs) > MAX_DRIFT_MS + MISTAKEN_MS;
  return {
    booted: forget,
    woke: forget,
    // Its peer is dead: it hears nobody.
    died: (label) => forget(otherLabel(label)),
    delivered: (to, { type }) => {
      if (type !== "heartbeat") return;
      const { sinceMs, lastMs } = heard[to];
      const { nowMs } = world;
      heard[to] = { sinceMs: nowMs - lastMs > LONGEST_BREAK_MS ? nowMs : sinceMs, lastMs: nowMs };
    },
    recorded: (place, op, via) => {
      // A person who gives up an operation puts nothing of this engine in its place.
      if (via !== "" || op.kind === "skip" || (place !== "a" && place !== "b")) return;
      if (isUnusable(place, parseHlc(op.hlc).unixMs))
        world.violate("CK3", `${place} wrote ${op.origin}/${op.originSeq} under ${op.hlc}, which nobody can take`);
    },
    readyAnswered: (label, ready) => {
      const unixMs = clocks.unixMs(label) ?? 0;
      if (!isUnusable(label, unixMs)) return void (wrongSinceMs[label] = null);
      const ahead = `its clock is ${Math.round(aheadMs(label, unixMs))} ms ahead of all others`;
      if (ready) world.violate("CK3", `${label} says that it is ready, ${ahead}`);
      wrongSinceMs[label] ??= world.nowMs;
      if (world.nowMs - wrongSinceMs[label] <= TOLD_WITHIN_MS) return;
      const { alarms } = world.processes[label].coordinator?.state() ?? { alarms: [] };
      if (!alarms.some(({ code }) => code === "clock-wrong"))
        world.violate("CK4", `${label} raises no clock-wrong, ${ahead}`);
    },
  };
}
