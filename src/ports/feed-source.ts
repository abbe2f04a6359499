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

export type FeedRead =
  | { readonly outcome: "read"; readonly entries: readonly FeedEntry[] }
  /** Nobody answers, or not in time. */
  | { readonly outcome: "unavailable"; readonly error: unknown }
  /**
   * The feed cannot go on behind this cursor: `trimmed`, what came next is gone, the oldest that is there is
   * `oldest`; `restarted`, the feed ends before the cursor, so that it is not the one that was read.
   */
  | { readonly outcome: "lost"; readonly why: "trimmed" | "restarted"; readonly oldest: number };

export interface FeedSource {
  /** At most `limit` entries behind `after`, those that are there; 0 begins with the oldest that the feed still has. */
  read(after: number, limit: number): Promise<FeedRead>;
  /** This consumer has noted, durably, that it has read up to and with `through`. For people who look at the feed. */
  acknowledge(through: number): Promise<void>;
  /** Ends what is under way. Idempotent. */
  close(): Promise<void>;
}
