/**
 * Purpose: the control events that wait to be published, and through where each stack has been: beside the log, in the
 * same file and the same transactions.
 * Keeps true: an `eventId` is held once. Within a stack, rows go by version.
 */
import type { ControlEvent, StackMark } from "../core/control-event.ts";
import type { Published } from "./feed-sink.ts";

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
