/**
 * Purpose: who pulls here, and through which arrival each has everything.
 * Keeps true: bounded; what one has never goes back; one that stayed away too long is waited for no more, and is given a
 * snapshot when it comes again.
 */
import type { VectorClock } from "../core/vector-clock.ts";
import { parseCursor, type SyncCursor } from "./cursor.ts";
import type { ReplicationBasics } from "./record-log.ts";
import type { UseClock } from "./use-clock.ts";

/** Callers that are remembered. One goes for a new one: of the token with the most names, the one unseen for longest. */
const MAX_CALLERS = 256;
/** A caller that was not seen for so long, by `UseClock`, no longer holds up compaction. */
export const FORGET_AFTER_MS = 30 * 86_400_000;
/** How often it is noted that a caller was seen. */
const NOTE_SEEN_MS = 60_000;
/** How often it is noted how far it has come: one that catches up comes with every page, and waits for its answer. */
const NOTE_CURSOR_MS = 1_000;

/** What the store says of a caller. */
interface Note {
  readonly cursor: string;
  /** By `UseClock`. */
  readonly seenAtUseMs: number;
  /** What an older version goes by. */
  readonly seenAtUnixMs: number;
}

interface Caller {
  /** Never below the noted one. A crash may forget it: that only holds up compaction. */
  readonly cursor: string;
  readonly note: Note;
}

const PREFIX = "caller:";

/** Who calls `/sync`. */
export interface SyncCaller {
  /** The origin under which it says that it writes; "": it does not say. */
  readonly origin: string;
  /** The name of the token that it showed; null where none is asked for, or it is known by other means. */
  readonly token: string | null;
  /** Whether its token has role `spoke`: it may only bring operations of origins that are bound to the token. */
  readonly isSpoke?: boolean;
}

/**
 * Under which name a caller is known. Anybody can say any origin, so what was said with one token counts for no other:
 * else one could hide operations from another caller, or acknowledge what that one does not have.
 */
export function callerName({ origin, token }: SyncCaller): string {
  return token === null || origin === "" ? origin : `${origin}@${token}`;
}

/** The origin of a name that `callerName` made. */
export function originOfCaller(name: string): string {
  return name.split("@", 1)[0] ?? "";
}

export class Callers {
  readonly #basics: ReplicationBasics;
  readonly #use: UseClock;
  readonly #isSpoke: boolean;
  readonly #known = new Map<string, Caller>();

  constructor(basics: ReplicationBasics & { readonly use: UseClock }, init: { readonly isSpoke: boolean }) {
    this.#basics = basics;
    this.#use = basics.use;
    this.#isSpoke = init.isSpoke;
    for (const [key, value] of basics.replica.peerState.withPrefix(PREFIX)) {
      const note = parse(value, this.#use.nowMs);
      if (note !== null) this.#known.set(key.slice(PREFIX.length), { cursor: note.cursor, note });
    }
  }

  /** `name` has everything through `cursor`. */
  acknowledged(name: string, cursor: string): void {
    if (name === "") return;
    const { nowMs } = this.#use;
    const known = this.#known.get(name);
    const highest = known === undefined || cursor > known.cursor ? cursor : known.cursor;
    if (known !== undefined && nowMs - known.note.seenAtUseMs < dueAfterMs(known.note, highest)) {
      this.#known.set(name, { cursor: highest, note: known.note });
      return;
    }
    const note = { cursor: highest, seenAtUseMs: nowMs, seenAtUnixMs: this.#basics.clock.unixMs() };
    const others = [...this.#known.keys()].filter((other) => other !== name);
    const gone = others.length < MAX_CALLERS ? [] : oldestOfMost(others).slice(0, others.length + 1 - MAX_CALLERS);
    const { replica } = this.#basics;
    replica.transaction(() => {
      replica.peerState.set(PREFIX + name, JSON.stringify(note));
      for (const oldest of gone) replica.peerState.delete(PREFIX + oldest);
    });
    // Only now: who is known must be known after a restart too.
    for (const one of [name, ...gone]) this.#known.delete(one);
    this.#known.set(name, { cursor: highest, note });
  }

  /** The arrival through which every known caller has everything; null: nobody is known. */
  allHave(): string | null {
    const since = this.#use.nowMs - FORGET_AFTER_MS;
    const pulling = [...this.#known.values()].filter(({ note }) => note.seenAtUseMs >= since);
    // Those that this engine gives to have what they have taken.
    const cursors = [...pulling, ...this.#given().map(({ pushed }) => ({ cursor: pushed }))];
    return cursors.reduce<string | null>(
      (least, { cursor }) => (least === null || cursor < least ? cursor : least),
      null,
    );
  }

  /** What is held by all engines of each place that this engine gives to, as far as they tell it. */
  holdings(): readonly VectorClock[] {
    return this.#given().flatMap(({ held }) => (held === null ? [] : [held]));
  }

  /** What is kept of a hub that this engine is a spoke of no more waits for nobody. */
  #given(): readonly SyncCursor[] {
    if (!this.#isSpoke) return [];
    return this.#basics.replica.peerState.withPrefix("peer:").flatMap(([key, value]) => {
      const at = key.endsWith(":cursor") ? parseCursor(value) : null;
      return at === null || !at.pushes ? [] : [at];
    });
  }
}

/** The names of the token that has the most of them: nobody makes the hub forget others by calling itself many names. */
function oldestOfMost(names: readonly string[]): readonly string[] {
  const byToken = new Map<string, string[]>();
  for (const name of names) {
    const token = name.slice(originOfCaller(name).length);
    byToken.set(token, [...(byToken.get(token) ?? []), name]);
  }
  return [...byToken.values()].reduce((most, some) => (some.length > most.length ? some : most), []);
}

/** How old `note` may become where `cursor` is what is known now. */
function dueAfterMs(note: Note, cursor: string): number {
  return note.cursor === cursor ? NOTE_SEEN_MS : NOTE_CURSOR_MS;
}

/** Malformed notes count as none. An older version made those without `seenAtUseMs`: then it counts as seen now. */
function parse(value: string, nowMs: number): Note | null {
  try {
    const { cursor, seenAtUnixMs, seenAtUseMs = nowMs } = JSON.parse(value) as Partial<Note>;
    if (typeof cursor !== "string" || typeof seenAtUnixMs !== "number" || typeof seenAtUseMs !== "number") return null;
    return { cursor, seenAtUnixMs, seenAtUseMs: Math.min(seenAtUseMs, nowMs) };
  } catch {
    return null;
  }
}
