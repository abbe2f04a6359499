/**
 * Purpose: the operations of the one log that have no place in the programme: those on records, in the order in which
 * they arrived here, and what was set aside on the way.
 */
import type { Hlc } from "../core/hlc.ts";
import type { Op } from "../core/operation.ts";
import type { Json } from "../core/canonical-json.ts";
import type { VectorClock } from "../core/vector-clock.ts";

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

/** What compaction has dropped: arrivals through `through`; of each origin, operations through its entry in `clock`. */
export interface CompactionFloor {
  readonly through: Hlc;
  readonly clock: VectorClock;
}

export interface OpLog {
  /** Highest contiguous originSeq held, per origin of records. */
  vector(): VectorClock;
  /** Moves one entry on; never back. */
  raiseVector(origin: string, originSeq: number): void;
  /** Keeps a new operation. Throws when one of its identity is held. */
  add(arrived: ArrivedOp): void;
  find(origin: string, originSeq: number): ArrivedOp | null;
  /** Arrivals after `after` ("": from the first) that `exceptVia` neither brought nor made; at most `limit`, about `maxBytes`. */
  arrivedAfter(after: string, limit: number, maxBytes: number, exceptVia?: string): readonly ArrivedOp[];
  /** What `vector` lacks, each origin in order; at most `limit`, about `maxBytes`. */
  lackedBy(vector: VectorClock, limit: number, maxBytes: number): readonly Op[];
  /** The newest arrival; "" when there is none. */
  lastArrival(): Hlc;
  /** Newest first. */
  newest(limit: number): readonly ArrivedOp[];
  count(): number;

  /** Drops operations through the arrival `through` that no field needs any more; at most `limit`. How many went. */
  compact(through: Hlc, limit: number): number;
  /** null before anything was dropped. */
  floor(): CompactionFloor | null;

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
