/**
 * Purpose: who pulls here, and through which arrival each has everything.
 * Keeps true: bounded; what one has never goes back; one that stayed away too long is waited for no more, and is given a
 * snapshot when it comes again.
 */
import type { VectorClock } from "../core/vector-clock.ts";
import { parseCursor, type SyncCursor } from "./cursor.ts";
import type { ReplicationBasics } from "./record-log.ts";

/** Callers that are remembered; the one unseen for longest goes first. */
const MAX_CALLERS = 256;
/** A caller that was not seen for so long no longer holds up compaction. */
export const FORGET_AFTER_MS = 30 * 86_400_000;
/** How often it is noted that a caller was seen. */
const NOTE_SEEN_MS = 60_000;

interface Caller {
  readonly cursor: string;
  readonly seenAtUnixMs: number;
}

const PREFIX = "caller:";

/** Who calls `/sync`. */
export interface SyncCaller {
  /** The origin under which it says that it writes; "": it does not say. */
  readonly origin: string;
  /** The name of the token that it showed; null where none is asked for, or it is known by other means. */
  readonly token: string | null;
}

/**
 * Under which name a caller is known. Anybody can say any origin, so what was said with one token counts for no other:
 * else one could hide operations from another caller, or acknowledge what that one does not have.
 */
export function callerName({ origin, token }: SyncCaller): string {
  return token === null || origin === "" ? origin : `${origin}@${token}`;
}

export class Callers {
  readonly #basics: ReplicationBasics;
  readonly #known = new Map<string, Caller>();

  constructor(basics: ReplicationBasics) {
    this.#basics = basics;
    for (const [key, value] of basics.replica.peerState.withPrefix(PREFIX)) {
      const caller = parse(value);
      if (caller !== null) this.#known.set(key.slice(PREFIX.length), caller);
    }
  }

  /** `name` has everything through `cursor`. */
  acknowledged(name: string, cursor: string): void {
    if (name === "") return;
    const nowMs = this.#basics.clock.unixMs();
    const known = this.#known.get(name);
    const higher = known === undefined || cursor > known.cursor;
    if (!higher && nowMs - known.seenAtUnixMs < NOTE_SEEN_MS) return;
    const caller = { cursor: higher ? cursor : known.cursor, seenAtUnixMs: nowMs };
    const others = [...this.#known.keys()].filter((other) => other !== name);
    const gone = others.slice(0, Math.max(0, others.length + 1 - MAX_CALLERS));
    const { replica } = this.#basics;
    replica.transaction(() => {
      replica.peerState.set(PREFIX + name, JSON.stringify(caller));
      for (const oldest of gone) replica.peerState.delete(PREFIX + oldest);
    });
    // Only now: who is known must be known after a restart too.
    for (const one of [name, ...gone]) this.#known.delete(one);
    this.#known.set(name, caller);
  }

  /** The arrival through which every known caller has everything; null: nobody is known. */
  allHave(): string | null {
    const since = this.#basics.clock.unixMs() - FORGET_AFTER_MS;
    const pulling = [...this.#known.values()].filter(({ seenAtUnixMs }) => seenAtUnixMs >= since);
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

  #given(): readonly SyncCursor[] {
    return this.#basics.replica.peerState.withPrefix("peer:").flatMap(([key, value]) => {
      const at = key.endsWith(":cursor") ? parseCursor(value) : null;
      return at === null || !at.pushes ? [] : [at];
    });
  }
}

/** Malformed notes count as none. */
function parse(value: string): Caller | null {
  try {
    const { cursor, seenAtUnixMs } = JSON.parse(value) as Partial<Caller>;
    return typeof cursor === "string" && typeof seenAtUnixMs === "number" ? { cursor, seenAtUnixMs } : null;
  } catch {
    return null;
  }
}
