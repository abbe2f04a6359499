/**
 * Purpose: where control events are published.
 * Keeps true: no call throws. An event that is published again under its `eventId` gets the version it was given first,
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
  /** `unavailable`: nobody answers, or not in time. `refused`: this event, as it is, will never be taken. `overtaken`: another publisher was faster; try again. `lost`: it is another feed than the one that was named. */
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
   * `feedId`, only into the feed of that name: anything else ends as `lost`, with nothing published.
   */
  publish(batch: readonly ControlEvent[], feedId?: string | null): Promise<PublishResult>;
  /** Ends what is under way. Idempotent. */
  close(): Promise<void>;
}
