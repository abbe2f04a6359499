/**
 * Purpose: where a consumer reads the feed.
 * Keeps true: no call throws. Entries come in the order of the feed; none is left out without `lost`.
 */
import type { ControlEvent } from "../core/control-event.ts";

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
