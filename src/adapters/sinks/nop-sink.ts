/**
 * Purpose: no feed. It takes every event and keeps none, for an engine whose changes nobody follows.
 * Keeps true: its numbers rise as those of a feed. The outbox puts no rows up for it.
 */
import type { ControlEvent } from "../../core/control-event.ts";
import type { FeedSink, PublishResult } from "../../ports/feed-sink.ts";

export class NopSink implements FeedSink {
  #controlVersion = 0;

  async publish(batch: readonly ControlEvent[]): Promise<PublishResult> {
    const published = batch.map(({ eventId }) => {
      this.#controlVersion += 1;
      return { eventId, controlVersion: this.#controlVersion, duplicate: false };
    });
    return { published, failure: null };
  }

  async close(): Promise<void> {}
}
