/** Reads a feed in memory, for tests. Keeps the contract of `FeedSource`. */
import type { MemoryFeed } from "../../src/adapters/memory-sink.ts";
import type { FeedRead, FeedSource } from "../../src/ports/feed-source.ts";

export class MemorySource implements FeedSource {
  readonly #feed: MemoryFeed;
  /** How far the reader says it is. */
  acknowledged = 0;

  constructor(feed: MemoryFeed) {
    this.#feed = feed;
  }

  async read(after: number, limit: number): Promise<FeedRead> {
    const { entries } = this.#feed;
    if (after > entries.length) return { outcome: "lost", why: "restarted", oldest: 1 };
    return { outcome: "read", entries: entries.slice(after, after + limit) };
  }

  async acknowledge(through: number): Promise<void> {
    this.acknowledged = through;
  }

  async close(): Promise<void> {}
}
