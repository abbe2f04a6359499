/**
 * Purpose: what a consumer of the feed notes in its own database, beside the data that events change.
 * Keeps true: notes and data are written in one transaction, so that either both stand or neither does.
 * Does not know: which database. Answers may come at once or later.
 */
import type { FeedMark } from "./feed-source.ts";

/** What a database answers at once, or later. */
export type Answer<Value> = Value | Promise<Value>;

/** Which stack, of whom. */
export interface StackKey {
  readonly tenantId: string;
  readonly stackId: string;
}

/**
 * Why a stack stands still. `conflict`: the event stands upon another version. `unknown_type`: nobody here knows what to
 * do with it. `handler_failed`; `artifact_missing`; `checksum_mismatch`; `lost`: the feed no longer has what comes next.
 */
export type HoldReason =
  "conflict" | "unknown_type" | "handler_failed" | "artifact_missing" | "checksum_mismatch" | "lost";

/** What a person may say to a stack that stands still: `accept` applies its event upon any version. */
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
