/**
 * How far an exchange with one other place has come, as it is kept under `peer:<name>:cursor`.
 * Keeps true: it belongs to one life of the other's log, (hubId, generation), and begins again for another. It only
 * rises; where an operation could not be taken, `cursor` stays before it while `ahead` goes on, so that one stalled
 * origin holds up no other and is still asked for again.
 */
import { clockFault, type VectorClock } from "../core/vector-clock.ts";
import type { PeerState } from "../ports/replica.ts";
import { peerKey } from "./peer-keys.ts";

export interface SyncCursor {
  readonly hubId: string;
  readonly generation: string;
  /** Through here everything of theirs was taken. */
  readonly cursor: string;
  /** Through here everything of theirs was looked at. */
  readonly ahead: string;
  /** Through this own arrival everything was given to them. */
  readonly pushed: string;
  /** Through this own arrival everything was offered to them. */
  readonly offered: string;
  /** Exchanges since `cursor` and `ahead` went apart. */
  readonly tries: number;
  /** Exchanges since `pushed` and `offered` went apart. */
  readonly offers: number;
  /** Whether anything is given to them: then compaction waits for `pushed`. */
  readonly pushes: boolean;
  /** What every engine there holds: compaction waits for that too. null: it has not told. */
  readonly held: VectorClock | null;
  /** What the other side holds, as far as this side has seen; left out: not known. It never loses that by itself. */
  readonly theirs?: VectorClock;
}

export function freshCursor(hubId: string, generation: string, pushes: boolean): SyncCursor {
  return { hubId, generation, cursor: "", ahead: "", pushed: "", offered: "", tries: 0, offers: 0, pushes, held: null };
}

export function cursorKey(name: string): string {
  return peerKey(name, "cursor");
}

/** Whether something is held back. */
export function isStalled({ cursor, ahead, pushed, offered }: SyncCursor): boolean {
  return cursor !== ahead || pushed !== offered;
}

/** The kept one; null when there is none or it is malformed. */
export function readCursor(state: PeerState, name: string): SyncCursor | null {
  return parseCursor(state.get(cursorKey(name)));
}

export function parseCursor(value: string | null): SyncCursor | null {
  if (value === null) return null;
  try {
    const read = JSON.parse(value) as SyncCursor;
    const { hubId, generation, cursor, ahead, pushed, offered, tries, offers, held, theirs, ...rest } = read;
    const whole = [hubId, generation, cursor, ahead, pushed, offered].every((text) => typeof text === "string");
    const counts = Number.isSafeInteger(tries) && Number.isSafeInteger(offers);
    if (!whole || !counts) return null;
    const known = theirs === undefined || clockFault(theirs) !== null ? {} : { theirs };
    const at = { hubId, generation, cursor, ahead, pushed, offered, tries, offers, ...known };
    return { ...rest, ...at, held: clockFault(held) === null ? held : null };
  } catch {
    return null;
  }
}

/** Exchanges at most before something that stalls is looked at again. */
const LOOK_AT_LEAST_EVERY = 64;

/**
 * Where the next exchange begins. What stalls is looked at again in the 1st, 2nd, 4th, 8th … exchange after it stalled:
 * soon when it may pass by itself, seldom, but within a bound, when a person is waited for.
 */
export function beginning(from: SyncCursor): SyncCursor {
  const tries = from.cursor === from.ahead ? 0 : from.tries + 1;
  const offers = from.pushed === from.offered ? 0 : from.offers + 1;
  const ahead = isDue(tries) ? from.cursor : from.ahead;
  const offered = isDue(offers) ? from.pushed : from.offered;
  return { ...from, ahead, offered, tries, offers };
}

/** In the 1st, 2nd, 4th, 8th … try, and within a bound. */
function isDue(tries: number): boolean {
  return (tries & (tries - 1)) === 0 || tries % LOOK_AT_LEAST_EVERY === 0;
}

/** A person has repaired something: whatever stalls, anywhere, is looked at again in the next exchange. */
export function lookAgain(state: PeerState): void {
  for (const [key, value] of state.withPrefix("peer:")) {
    const at = key.endsWith(":cursor") ? parseCursor(value) : null;
    if (at !== null && isStalled(at)) state.set(key, JSON.stringify({ ...at, tries: 0, offers: 0 }));
  }
}
