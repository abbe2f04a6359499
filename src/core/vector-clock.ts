/**
 * Vector clocks: per origin, the highest contiguous originSeq held. They say whether one side has all that the
 * other has, or whether both have something of their own.
 * Source: Fidge 1988, Mattern 1989. Clocks are values, never changed in place.
 */
import { ChangeoverError } from "./errors.ts";
import { isReachable, MAX_NUMBER } from "./epoch.ts";

/** origin → highest contiguous originSeq held. */
export type VectorClock = Readonly<Record<string, number>>;

/** How two clocks stand to each other. */
export type ClockOrder = "before" | "after" | "equal" | "concurrent";

/** Entries that a merged clock may have: more is an inflation attack, not a plant. */
export const MAX_CLOCK_ENTRIES = 256;

/** Characters of an origin that a clock may name. */
const MAX_ORIGIN_CHARS = 128;

/** What `clock` holds of `origin`; 0 for an unknown one, also when it is named like something every object inherits. */
export function counterOf(clock: VectorClock, origin: string): number {
  return Object.hasOwn(clock, origin) ? (clock[origin] ?? 0) : 0;
}

/** `before`: b has all of a and more. `after`: the reverse. `concurrent`: each has something that the other lacks. */
export function compareClocks(a: VectorClock, b: VectorClock): ClockOrder {
  let aAhead = false;
  let bAhead = false;
  for (const origin of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const left = counterOf(a, origin);
    const right = counterOf(b, origin);
    if (left > right) aAhead = true;
    if (right > left) bAhead = true;
  }
  if (aAhead && bAhead) return "concurrent";
  if (aAhead) return "after";
  return bAhead ? "before" : "equal";
}

/** The component-wise maximum. */
export function mergeClocks(a: VectorClock, b: VectorClock): VectorClock {
  const merged: Record<string, number> = { ...a };
  for (const [origin, seq] of Object.entries(b)) merged[origin] = Math.max(counterOf(a, origin), seq);
  return merged;
}

/** What both count: the component-wise minimum, without what one of them does not know. */
export function leastClock(a: VectorClock, b: VectorClock): VectorClock {
  const both = Object.entries(a).map(([origin, seq]) => [origin, Math.min(seq, counterOf(b, origin))] as const);
  return Object.fromEntries(both.filter(([, seq]) => seq > 0));
}

/** As `mergeClocks`, but throws `clock_cap` when the result would have more than `maxEntries` entries. */
export function mergeClocksCapped(a: VectorClock, b: VectorClock, maxEntries = MAX_CLOCK_ENTRIES): VectorClock {
  const merged = mergeClocks(a, b);
  const entries = Object.keys(merged).length;
  if (entries > maxEntries) {
    throw new ChangeoverError("clock_cap", `a clock of ${entries} entries, at most ${maxEntries} are accepted`, {
      details: { entries, maxEntries },
    });
  }
  return merged;
}

/** `clock` with `origin` moved on to `seq`; never back. */
export function advanceClock(clock: VectorClock, origin: string, seq: number): VectorClock {
  return seq > counterOf(clock, origin) ? { ...clock, [origin]: seq } : clock;
}

/** What is wrong with a clock that another engine or place sent; null: nothing. Never throws. */
export function clockFault(value: unknown): string | null {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return "must be an object";
  let entries = 0;
  for (const origin in value) {
    entries++;
    if (entries > MAX_CLOCK_ENTRIES) return `must have at most ${MAX_CLOCK_ENTRIES} entries`;
    if (origin === "" || origin.length > MAX_ORIGIN_CHARS || origin === "__proto__") {
      return `must be keyed by origins, not by ${JSON.stringify(origin.slice(0, 40))}`;
    }
    const seq = (value as Readonly<Record<string, unknown>>)[origin];
    if (!isReachable(seq)) return `must count ${origin.slice(0, 40)} with a whole number from 0 to ${MAX_NUMBER}`;
  }
  return null;
}

/** Reads a clock from outside or from disk. Throws `corrupt_clock`: a corrupt clock is an error, never an empty clock. */
export function parseClock(value: unknown): VectorClock {
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw corrupt("it is not an object");
  for (const [origin, seq] of Object.entries(value)) {
    if (origin === "__proto__") throw corrupt("no origin is called __proto__");
    if (!Number.isSafeInteger(seq) || (seq as number) < 0) throw corrupt(`entry ${origin} is ${String(seq)}`);
  }
  return value as VectorClock;
}

function corrupt(why: string): ChangeoverError {
  return new ChangeoverError("corrupt_clock", `not a vector clock: ${why}; entries are whole numbers of at least 0`);
}
