/**
 * Purpose: R6: a place's stamps never fall, over all its lives, and a stamp from outside that is too far ahead of a
 * spoke's wall clock never advances them. (For the engines of the pair see `command-stamps.ts`.)
 */
import { MAX_DRIFT_MS, parseHlc } from "../../core/hlc.ts";
import { recordOrigin } from "../../core/operation.ts";
import type { Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";

/** A counter that is full carries over into the next ms. */
const CARRY_MS = 1;

/** Stamps that are less far ahead pass by themselves. */
const HEALED_FROM_MS = 10_000;

/** Watches stamps. */
export function stamps(world: World): Watch {
  const highest = new Map<string, string>();
  const own = new Map<string, string>();
  const wallMs = new Map<string, number>();
  const placeOf = (name: string): World["around"][number] | undefined =>
    world.around.find((known) => known.name === name);
  const noteWall = (name: string): number => {
    const most = Math.max(wallMs.get(name) ?? 0, placeOf(name)?.clock.unixMs(world.nowMs) ?? Infinity);
    wallMs.set(name, most);
    return most;
  };
  /** Whether a stamp was so far ahead that a place begins again at the present once its clock was corrected [CK2]. */
  const isHealed = (name: string, stamp: string): boolean => {
    const clock = name === "a" || name === "b" ? world.processes[name].machine.clock : placeOf(name)?.clock;
    return clock !== undefined && parseHlc(stamp).unixMs - clock.unixMs(world.nowMs) > HEALED_FROM_MS;
  };
  /** Looked at in the step in which it happens: a moment later the clock has gone on. */
  const noteHealed = (): void => {
    for (const [place, most] of highest) {
      const hlc = world.contentOf(place)?.hlc;
      if (hlc !== undefined && hlc < most && isHealed(place, most)) highest.set(place, hlc);
    }
  };
  return {
    afterStep: noteHealed,
    clockSteps: (place) => void noteWall(place),
    replaced: (site) => {
      highest.delete(site);
      own.delete(site);
    },
    diskReplaced: (label) => {
      highest.delete(label);
      own.delete(label);
    },
    recorded: (place, op) => {
      const content = world.contentOf(place);
      if (content === null) return;
      const { hlc, engineId } = content;
      const most = highest.get(place) ?? "";
      if (hlc < most && !isHealed(place, most)) world.violate("R6", `${place}'s stamp fell to ${hlc}`);
      highest.set(place, hlc);
      const aheadMs = parseHlc(hlc).unixMs - noteWall(place);
      if (aheadMs > MAX_DRIFT_MS + CARRY_MS) {
        world.violate("R6", `${place}'s stamps are ${aheadMs.toFixed(0)} ms ahead of its clock after ${op.hlc}`);
      }
      if (op.origin !== recordOrigin(engineId) || world.isRewritten(op.origin)) return;
      const before = own.get(place) ?? "";
      if (op.hlc <= before) world.violate("R6", `${place} wrote ${op.originSeq} under ${op.hlc}, after ${before}`);
      own.set(place, op.hlc);
    },
  };
}
