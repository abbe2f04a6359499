/**
 * Where control events are published.
 * No call throws. An event that is published again under its `eventId` gets the version it was given first,
 * and stands once in the feed.
 */
import type { ControlEvent } from "../core/control-event.ts";

/** One event that stands in the feed. */
export interface Published {
  readonly eventId: string;
  /** The feed's own number of it; rises with the order of the feed. */
  readonly controlVersion: number;
  /** It stood there before. */
  readonly duplicate: boolean;
}

/** Why the rest of a batch was not published. */
export interface PublishFailure {
  /** `unavailable`: nobody answers, or not in time. `refused`: this event, as it is, will never be taken. `overtaken`: another publisher was faster; try again. `lost`: it is another feed than the one that was named, or an older copy of it. */
  readonly reason: "unavailable" | "refused" | "overtaken" | "lost";
  readonly error: unknown;
}

/** How a batch ended: its first events stand in the feed; the one after them, and all behind it, do not. */
export interface PublishResult {
  readonly published: readonly Published[];
  /** null when all were published. */
  readonly failure: PublishFailure | null;
  /** The feed that the events stand in; left out by a sink whose feed has no name. */
  readonly feedId?: string;
}

export interface FeedSink {
  /**
   * Publishes events of one stack in their order; none stands in the feed without those before it in the batch. With
   * `feedId`, only into the feed of that name, and only if it has given the control version `reached` before: anything else,
   * an older copy too, ends as `lost`, with nothing published.
   */
  publish(batch: readonly ControlEvent[], feedId?: string | null, reached?: number): Promise<PublishResult>;
  /** Ends what is under way. Idempotent. */
  close(): Promise<void>;
}

// Where a consumer reads the feed. No call throws. Entries come in the order of the feed; none is left out without
// `lost`.

/** What stands at one place of the feed. */
export interface FeedEntry {
  /** Its place, and the cursor behind it: rises with the order of the feed. */
  readonly controlVersion: number;
  /** null: what stands there is no control event. */
  readonly event: ControlEvent | null;
}

/** What a reader remembers beside its cursor, so that it notices a feed that was started over. */
export interface FeedMark {
  /** null: not known yet. */
  readonly feedId: string | null;
  /** The event at the cursor; null: none, or not known. */
  readonly eventId: string | null;
}

export type FeedRead =
  /** `feedId` names the feed that the entries come from; null or left out: it has no name yet. */
  | { readonly outcome: "read"; readonly entries: readonly FeedEntry[]; readonly feedId?: string | null }
  /** Nobody answers, or not in time. */
  | { readonly outcome: "unavailable"; readonly error: unknown }
  /**
   * The feed cannot go on behind this cursor. `trimmed`: what came next is gone, the oldest that is there is `oldest`.
   * `restarted`: it is not the feed that was read: it has another `feedId`, ends before the cursor, or holds another
   * event at the cursor.
   */
  | { readonly outcome: "lost"; readonly why: "trimmed" | "restarted"; readonly oldest: number };

export interface FeedSource {
  /**
   * At most `limit` entries behind `after`, those that are there; 0 begins with the oldest that the feed still has.
   * With `mark`, entries are given only if they come from the feed that the mark was made in.
   */
  read(after: number, limit: number, mark?: FeedMark): Promise<FeedRead>;
  /** This consumer has noted, durably, that it has read up to and with `through`. For people who look at the feed. */
  acknowledge(through: number): Promise<void>;
  /** Ends what is under way. Idempotent. */
  close(): Promise<void>;
}

/** Whether `feedId` names another feed than the one that `mark` was made in. */
export function isAnotherFeed(mark: FeedMark | undefined, feedId: string | null): boolean {
  return mark !== undefined && mark.feedId !== null && mark.feedId !== feedId;
}

/** Whether the event that stands at the cursor is another than the one that was read there; null: it is not known. */
export function isAnotherEvent(mark: FeedMark | undefined, eventId: string | null): boolean {
  return mark !== undefined && mark.eventId !== null && eventId !== null && mark.eventId !== eventId;
}

// The bytes that an event speaks of and that are too large to stand in it. Bytes are durable under their name before
// `put` returns, and read back only as they were written.

/** What names an artifact, and proves it. */
export interface Artifact {
  readonly artifactRef: string;
  /** sha256 (hex) of the bytes. */
  readonly checksum: string;
}

export interface ArtifactStore {
  /** Stores bytes before the transaction that speaks of them. The same bytes get the same name. */
  put(bytes: Uint8Array): Promise<Artifact>;
  /** Throws `artifact_missing`, and `checksum_mismatch` when the bytes are not those that were stored. */
  get(artifact: Artifact): Promise<Uint8Array>;
}

// What a consumer of the feed notes in its own database, beside the data that events change. Notes and data are written
// in one transaction, so that either both stand or neither does. Answers may come at once or later.

/** What a database answers at once, or later. */
export type Answer<Value> = Value | Promise<Value>;

/** Which stack, of whom. */
export interface StackKey {
  readonly tenantId: string;
  readonly stackId: string;
}

/**
 * Why a stack stands still. `conflict`: the event was made on another version. `unknown_type`: nobody here knows what to
 * do with it. `handler_failed`; `artifact_missing`; `checksum_mismatch`; `lost`: the feed no longer has what comes next.
 */
export type HoldReason =
  "conflict" | "unknown_type" | "handler_failed" | "artifact_missing" | "checksum_mismatch" | "lost";

/** What a person may say to a stack that stands still: `accept` applies its event on any version. */
export type Decision = "retry" | "skip" | "accept";

/** A stack that stands still. */
export interface StackHold {
  readonly reason: HoldReason;
  /** The place in the feed that it has not come past. */
  readonly from: number;
  readonly eventId: string;
  readonly eventType: string;
  readonly attempts: number;
  /** It is not tried again before a person decides. */
  readonly final: boolean;
  /** What was decided for the event at `from`. */
  readonly decision: Decision;
}

export interface AppliedStack extends StackKey {
  /** Of the last event that was applied; 0 before the first. */
  readonly version: number;
  readonly hold: StackHold | null;
}

/** What can be read and noted within one transaction. */
export interface AppliedNotes {
  /** The place in the feed that has been dealt with; 0 at first. */
  cursor(): Answer<number>;
  /** `eventId`: the event at that place; null or left out where there is none. */
  moveCursor(to: number, eventId?: string | null): Answer<void>;
  /** The feed that the cursor belongs to, and the event at the cursor. */
  mark(): Answer<FeedMark>;
  /** Names the feed that the cursor belongs to from now on; null: whichever is read next. */
  setFeed(feedId: string | null): Answer<void>;
  hasApplied(eventId: string): Answer<boolean>;
  /** Notes an event. Throws when it is noted already. */
  addApplied(eventId: string, controlVersion: number): Answer<void>;
  /** Forgets what was noted at or before this place. */
  forgetApplied(through: number): Answer<void>;
  /** Gives everything that was noted this place: it was noted in another feed, whose places mean nothing in this one. */
  rebaseApplied(to: number): Answer<void>;
  stack(key: StackKey): Answer<AppliedStack | null>;
  putStack(stack: AppliedStack): Answer<void>;
  /** Stacks that stand still, the longest first. */
  heldStacks(limit: number): Answer<readonly AppliedStack[]>;
}

/** The consumer's own database. `Tx` is what its handlers write with. */
export interface ConsumerDatabase<Tx> {
  /** Runs `work` in one transaction: all of it is durable when this returns, or, when it throws, none of it is there. */
  transaction<Result>(work: (notes: AppliedNotes, tx: Tx) => Answer<Result>): Promise<Result>;
}
