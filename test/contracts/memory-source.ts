/** Reads a feed in memory, for tests. Keeps the contract of `FeedSource`. */
import type { MemoryFeed } from "../../src/adapters/memory-sink.ts";
import {
  type FeedMark,
  type FeedRead,
  type FeedSource,
  isAnotherEvent,
  isAnotherFeed,
} from "../../src/ports/feed-sink.ts";

export class MemorySource implements FeedSource {
  readonly #feed: MemoryFeed;
  /** How far the reader says it is. */
  acknowledged = 0;

  constructor(feed: MemoryFeed) {
    this.#feed = feed;
  }

  async read(after: number, limit: number, mark?: FeedMark): Promise<FeedRead> {
    const { entries, feedId } = this.#feed;
    if (after > entries.length) return { outcome: "lost", why: "restarted", oldest: 1 };
    const isAnother = isAnotherFeed(mark, feedId) || isAnotherEvent(mark, entries[after - 1]?.event.eventId ?? null);
    if (after > 0 && isAnother) return { outcome: "lost", why: "restarted", oldest: 1 };
    return { outcome: "read", entries: entries.slice(after, after + limit), feedId };
  }

  async acknowledge(through: number): Promise<void> {
    this.acknowledged = through;
  }

  async close(): Promise<void> {}
}
