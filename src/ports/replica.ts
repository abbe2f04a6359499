/**
 * What an engine remembers of records and of those it replicates with: beside `Store`, in the same file, the
 * same log and the same transactions.
 * Every writing method is one transaction, or part of the one that `transaction` runs: then all of it is
 * durable when that returns, or none of it happened. Nothing here is asynchronous.
 */
import type { Conflict } from "../core/command.ts";
import { type Hlc, laterHlc } from "../core/hlc.ts";
import type { Op, Heads } from "../core/operation.ts";
import type { Json } from "../core/canonical-json.ts";
import { counterOf, mergeClocks, type VectorClock } from "../core/vector-clock.ts";
import type { ControlEvent, StackMark } from "../core/control-event.ts";
import type { Published } from "./feed-sink.ts";

export interface Replica {
  readonly ops: OpLog;
  readonly records: RecordStore;
  readonly peerState: PeerState;
  readonly conflicts: ConflictStore;
  readonly outbox: OutboxStore;
  /** The highest stamp kept; what `raiseHlc` was given. Falls only by `resetHlc`. */
  hlc(): Hlc;
  raiseHlc(hlc: Hlc): void;
  /** Begins again at `hlc`: the clock was ahead and was corrected [CK2]. */
  resetHlc(hlc: Hlc): void;
  /** Runs `work` as one transaction; whatever it throws undoes all of it. Not to be nested. */
  transaction<Result>(work: () => Result): Result;
}

/** The conflicts of `Store`, for the same transaction. */
export interface ConflictStore {
  save(conflicts: readonly Conflict[]): void;
  find(id: string): Conflict | null;
}

/** Small facts about those this engine replicates with, under keys such as `peer:<name>:cursor`. */
export interface PeerState {
  get(key: string): string | null;
  set(key: string, value: string): void;
  /** Deleting what is not there is fine. */
  delete(key: string): void;
  /** Key and value of all that begin with `prefix`, by key. */
  withPrefix(prefix: string): readonly (readonly [key: string, value: string])[];
}

// The records as the log has made them: for every field, the operations that stand or stand apart.

/** Where a page of records begins: after this one. */
export interface RecordPlace {
  readonly entity: string;
  readonly field: string;
}

export interface RecordStore {
  /** The operation that stands; null for a field that nobody ever wrote. A deleted field has its `delete`. */
  standing(entity: string, field: string): Op | null;
  /** All heads, the standing one first. */
  heads(entity: string, field: string): Heads;
  /** Keeps the heads of their field. Their operations are in the log. */
  saveHeads(heads: Heads): void;
  /** Replaces the heads of one field; without any, nobody has written it. */
  replaceHeads(place: RecordPlace, heads: Heads): void;
  /** Fields that hold a value, by entity and field; of one entity, or of all when it is null. */
  list(entity: string | null, after: RecordPlace | null, limit: number): readonly Op[];
  /** Every field, deleted ones included, by entity and field: for comparing two engines. */
  all(after: RecordPlace | null, limit: number): readonly Op[];
}

// The operations of the one log that have no place in the programme: those on records, in the order in which they
// arrived here, and what was set aside on the way.

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
 * through `through`, in each origin's operations through its entry in `clock`. What is not held is no longer needed.
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

/** A floor once what `origin` wrote above `keepThrough` was withdrawn: others may come under those numbers. */
export function lowered(floor: CompactionFloor, origin: string, keepThrough: number): CompactionFloor {
  if (counterOf(floor.clock, origin) <= keepThrough) return floor;
  const { [origin]: _gone, ...others } = floor.clock;
  return { ...floor, clock: keepThrough === 0 ? others : { ...others, [origin]: keepThrough } };
}

/** What one step of compaction came to. */
export interface Compacted {
  readonly dropped: number;
  /** Operations that it looked at. */
  readonly looked: number;
  /** Whether it has not come through yet. */
  readonly more: boolean;
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
   * the same caller, brought; at most `limit`, about `maxBytes`. `alsoVia` null: also what `exceptVia` brought.
   */
  arrivedAfter(
    after: string,
    limit: number,
    maxBytes: number,
    exceptVia?: string,
    alsoVia?: string | null,
  ): readonly ArrivedOp[];
  /** What `vector` lacks, each origin in order; at most `limit`, about `maxBytes`. */
  lackedBy(vector: VectorClock, limit: number, maxBytes: number): readonly Op[];
  /** The newest arrival; "" when there is none. */
  lastArrival(): Hlc;
  /** Newest first; at most `limit`, about `maxBytes`. */
  newest(limit: number, maxBytes?: number): readonly ArrivedOp[];
  /** The arrival behind which `count` operations have arrived; "" where there are not so many. */
  arrivalBefore(count: number): Hlc;
  count(): number;

  /** The newest arrival through which `clock` counts all that came after `after`, looking at `limit` at most. */
  coveredBy(clock: VectorClock, after: Hlc, limit: number): Hlc;
  /**
   * One step of dropping operations through the arrival `through` that no field needs any more: looks at `limit` operations at
   * most. None goes above one of its origin that came later, none that the vector does not count, none over which such a
   * one stands.
   */
  compact(through: Hlc, limit: number): Compacted;
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

// The control events that wait to be published, and through where each stack has been: beside the log, in the same file
// and the same transactions. An `eventId` is held once. Within a stack, rows go by version.

/** One event, and how far it has come. */
export interface OutboxRow {
  readonly event: ControlEvent;
  readonly addedAtUnixMs: number;
  /** How often publishing it failed. */
  readonly attempts: number;
  /** Tried often enough: its stack stands still until a person retries or skips it, or the sink answers again. */
  readonly dead: boolean;
  /** Why the last attempt failed, one fixed word; "" before the first. */
  readonly reason: string;
  /** null while it waits. */
  readonly publishedAtUnixMs: number | null;
  /** The feed's own number; null while it waits, or where the other engine published it. */
  readonly controlVersion: number | null;
}

/** What an attempt that failed leaves behind. */
export type FailureNote = Pick<OutboxRow, "attempts" | "dead" | "reason">;

export interface OutboxDepth {
  /** Events that wait, dead ones included. */
  readonly waiting: number;
  readonly dead: number;
  /** The one that has waited longest. */
  readonly oldest: Pick<OutboxRow, "event" | "addedAtUnixMs"> | null;
}

/** Which of a stack's waiting rows are wanted. */
export interface WaitingBounds {
  readonly limit: number;
  /** Of payloads as JSON, about; at least one row is given. */
  readonly maxBytes: number;
  readonly throughVersion: number;
}

export interface OutboxStore {
  /** Adds one event; nothing happens when its `eventId` is held. */
  add(event: ControlEvent, atUnixMs: number): void;
  /** Drops what waits in a stack above `afterVersion`: it was taken back. */
  withdraw(stackId: string, afterVersion: number): void;
  /** Names of stacks in which something waits, by name, after `stackId` ("": from the first). */
  stacksAfter(stackId: string, limit: number): readonly string[];
  /** What waits in a stack, lowest version first. */
  waiting(stackId: string, bounds: WaitingBounds): readonly OutboxRow[];
  find(eventId: string): OutboxRow | null;
  /** Everything waits again, as if it had never been published; what was published of `dropStack` goes, it is added again. */
  rewind(dropStack: string): void;
  /** These stand in the feed; all of one stack, in their order. */
  published(events: readonly Published[], atUnixMs: number): void;
  /** Everything of a stack through the mark's version stands in the feed: the other engine says so. */
  publishedThrough(mark: StackMark, atUnixMs: number): void;
  /** Through where a stack has been published; null: nothing of it has. Falls only by `withdraw`. */
  mark(stackId: string): StackMark | null;
  /** Marks by stack name, after `stackId`. */
  marksAfter(stackId: string, limit: number): readonly StackMark[];
  noteFailure(eventId: string, note: FailureNote): void;
  /** Puts another event into the place of a waiting one of the same `eventId`, as if it had never been tried. */
  replace(event: ControlEvent): void;
  /** Drops a waiting one. */
  drop(eventId: string): void;
  /** Oldest first. */
  deadLetters(limit: number): readonly OutboxRow[];
  depth(): OutboxDepth;
  /** Drops what was published before `beforeUnixMs`, oldest first, at most `limit`. How many went. */
  dropPublished(beforeUnixMs: number, limit: number): number;
}
