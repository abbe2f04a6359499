/** Decides from what one engine has told whether it is on air, and what the tally says when nobody is seen there. */
import type { Label } from "../../core/ids.ts";
import type { StateMessage, Values } from "../inspected.ts";
import { roleWord } from "./state-paths.ts";

/** What is looked at of one engine. */
interface Seen {
  readonly reachable: boolean;
  readonly outdated: boolean;
  readonly values: Values;
  readonly state: StateMessage | null;
}

/** Who was last seen on air. */
export interface LastOnAir {
  readonly label: Label;
  /** Unix ms of this browser's clock. */
  readonly atMs: number;
}

/** A take-over ends well within this time; until then the tally does not say that nobody is on air. */
const CHANGING_MS = 1_000;

/**
 * Whether the engine is on air. Its statechart comes at once, its own word at whole fifths of a second: while it is live it
 * must lead by the first, and where the second speaks of a leader, by that as well.
 */
export function isOnAir(engine: Seen, isLive: boolean): boolean {
  const leads = roleWord(engine.values["leadership"]) === "leader";
  if (!isLive || !leads) return leads;
  const word = engine.state?.state;
  return engine.reachable && !engine.outdated && word !== undefined && (word.role !== "leader" || word.mayAct);
}

export type Absence = "not-connected" | "changing" | "nobody";

/** Why no engine is shown on air. Not hearing an engine does not mean that it is off air. */
export function absence(engines: readonly Pick<Seen, "reachable">[], last: LastOnAir | null, nowMs: number): Absence {
  if (engines.every(({ reachable }) => !reachable)) return "not-connected";
  return last !== null && nowMs - last.atMs < CHANGING_MS ? "changing" : "nobody";
}
