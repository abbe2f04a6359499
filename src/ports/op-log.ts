/**
 * Purpose: the operations of the one log that have no place in the programme: those on records, in the order in which
 * they arrived here, and what was set aside on the way.
 */
import { type Hlc, laterHlc } from "../core/hlc.ts";
import type { Op } from "../core/operation.ts";
import type { Json } from "../core/canonical-json.ts";
import { counterOf, mergeClocks, type VectorClock } from "../core/vector-clock.ts";

/** An operation, and how it came here. */
export interface ArrivedOp {
  readonly op: Op;
  /** This engine's own stamp of the arrival: the order of transfer. */
  readonly arrival: Hlc;
  /** Who brought it; "" for what was made here. */
  readonly via: string;
}

/** An operation that could not be taken. */
export interface SetAside {
  readonly origin: string;
  readonly originSeq: number;
  /** Who brought it. */
  readonly via: string;
  /** Why, one fixed word. */
  readonly reason: string;
  /** What came, as it came. */
  readonly content: Json;
  /** How often it was tried. */
  readonly attempts: number;
  /** Tried often enough: its origin stands still until a person skips it. */
  readonly dead: boolean;
  readonly atUnixMs: number;
}

/**
 * Where this log may have holes, made by its own compaction or by that of a log it was filled from: among the arrivals
 * through `through`, in each origin's operations through its entry in `clock`. What is not held is needed no more.
 */
export interface CompactionFloor {
  readonly through: Hlc;
  readonly clock: VectorClock;
}

/** A floor under both. */
export function mergeFloors(one: CompactionFloor | null, other: CompactionFloor): CompactionFloor {
  if (one === null) return other;
  return { through: laterHlc(one.through, other.through), clock: mergeClocks(one.clock, other.clock) };
}

/**
 * Of each origin, how far a floor may count: `arrived` is the highest that has arrived through it, `later` the lowest that
 * came after it. What came later and is lower than something earlier, over a hole that was closed, is not counted: whoever
 * was told so would not take it any more.
 */
export function countable(arrived: VectorClock, later: VectorClock): VectorClock {
  const counted = Object.entries(arrived).map(([origin, seq]) => {
    const next = counterOf(later, origin);
    return [origin, next === 0 ? seq : Math.min(seq, next - 1)] as const;
  });
  return Object.fromEntries(counted.filter(([, seq]) => seq > 0));
}

export interface OpLog {
  /** Highest contiguous originSeq held, per origin of records. */
  vector(): VectorClock;
  /** Moves one entry on; never back. */
  raiseVector(origin: string, originSeq: number): void;
  /**
   * Per origin of the vector, the digest of its history through there; null where it is not known, because the log was
   * filled from a snapshot, or by an older version [RP1].
   */
  heads(): Readonly<Record<string, string | null>>;
  /** The digest of the history of `origin` through `originSeq`; "" through 0; null where it is not known. */
  headAt(origin: string, originSeq: number): string | null;
  /** Takes over what another place knows, where this one holds `originSeq` operations and knows no digest. */
  adoptHead(origin: string, originSeq: number, head: string): void;
  /** Keeps a new operation. Throws when one of its identity is held. */
  add(arrived: ArrivedOp): void;
  find(origin: string, originSeq: number): ArrivedOp | null;
  /**
   * Takes the operations of `origin` above `keepThrough` out of the log, and its entry of the vector back to there. What
   * they were, in order. Their fields still name them as heads: the caller puts those right in the same transaction.
   */
  withdraw(origin: string, keepThrough: number): readonly ArrivedOp[];
  /** Every operation on one field that is held. */
  ofField(entity: string, field: string): readonly Op[];
  /**
   * Arrivals after `after` ("": from the first) that `exceptVia` neither brought nor made, nor `alsoVia`, another name of
   * the same caller, brought; at most `limit`, about `maxBytes`.
   */
  arrivedAfter(
    after: string,
    limit: number,
    maxBytes: number,
    exceptVia?: string,
    alsoVia?: string,
  ): readonly ArrivedOp[];
  /** What `vector` lacks, each origin in order; at most `limit`, about `maxBytes`. */
  lackedBy(vector: VectorClock, limit: number, maxBytes: number): readonly Op[];
  /** The newest arrival; "" when there is none. */
  lastArrival(): Hlc;
  /** Newest first. */
  newest(limit: number): readonly ArrivedOp[];
  count(): number;

  /** The newest arrival through which `clock` counts all that came after `after`, looking at `limit` at most. */
  coveredBy(clock: VectorClock, after: Hlc, limit: number): Hlc;
  /**
   * Drops operations through the arrival `through` that no field needs any more; at most `limit`. How many went. None above
   * one of its origin that came later, none that the vector does not count, none over which such a one stands.
   */
  compact(through: Hlc, limit: number): number;
  /** null where nothing is missing. */
  floor(): CompactionFloor | null;
  /** Notes holes that came from elsewhere; what was noted before stays noted. */
  raiseFloor(floor: CompactionFloor): void;

  /** Keeps or replaces the note of this identity. */
  setAside(note: SetAside): void;
  findSetAside(origin: string, originSeq: number): SetAside | null;
  forgetSetAside(origin: string, originSeq: number): void;
  /** Dead ones first, then newest first. */
  allSetAside(limit: number): readonly SetAside[];
  /** Keeps what claims the identity of another operation. The same claim is kept once; the newest 1 000 stay. */
  quarantine(claim: Omit<SetAside, "attempts" | "dead">): void;
  /** Newest first. */
  quarantined(limit: number): readonly Omit<SetAside, "attempts" | "dead">[];
}
