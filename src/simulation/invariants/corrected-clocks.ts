/**
 * CK2: an origin that is left because of its stamps is left by a writer whose clock is right again, and only what bears
 * stamps that are too far ahead is withdrawn. What is written from then on bears present stamps.
 * How: a clock counts as right when some other place's clock showed about the same at any time of the run, since nobody can
 * know better.
 */
import { MAX_DRIFT_MS, parseHlc } from "../../core/hlc.ts";
import { announced } from "../../replication/own-origin.ts";
import type { Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";
import type { WallClocks } from "./wall-clocks.ts";

/** A clock may be so far behind and still count as right (docs/decisions/0054). */
const MOST_BEHIND_MS = 10_000;
/** By how much a place may be mistaken about the clock of another one, whose answer took long. */
const MISTAKEN_MS = 5_000;
/** A counter that is full carries over into the next ms. */
const CARRY_MS = 1;

/** Watches what an origin leaves behind. */
export function correctedClocks(world: World, clocks: WallClocks): Watch {
  const written = new Map<string, string>();
  const isRight = (place: string): boolean => {
    const own = clocks.errorMs(place);
    return clocks
      .errorsOfOthersMs(place)
      .some((error) => own - error <= MAX_DRIFT_MS + MISTAKEN_MS && error - own <= MOST_BEHIND_MS + MISTAKEN_MS);
  };
  return {
    recorded: (place, op, via) => {
      if (via !== "") return;
      written.set(`${op.origin}/${op.originSeq}`, op.hlc);
      const notice = announced(op);
      const wallMs = clocks.unixMs(place);
      if (notice?.withdraws !== true || wallMs === null) return;
      const limitMs = wallMs + MAX_DRIFT_MS + CARRY_MS;
      const first = written.get(`${notice.before}/${(op.clock[notice.before] ?? 0) + 1}`);
      const at = `${place} leaves ${notice.before} for ${op.origin}`;
      if (!isRight(place))
        world.violate("CK2", `${at}, but its clock is ${Math.round(clocks.errorMs(place))} ms from the time`);
      if (parseHlc(op.hlc).unixMs > limitMs)
        world.violate("CK2", `${at} under ${op.hlc}, which is still too far ahead`);
      // An engine that was restored may have lost the one of that number.
      if (first !== undefined && !world.isRewritten(op.origin) && parseHlc(first).unixMs <= wallMs)
        world.violate("CK2", `${at} and withdraws ${first}, which others could take`);
    },
  };
}
