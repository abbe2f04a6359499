/**
 * A feed in memory, and sinks that publish to it: for simulated worlds and for tests.
 * The sink contract, also while it fails as it is told to.
 */
import { ChangeoverError } from "../core/errors.ts";
import type { ControlEvent } from "../core/control-event.ts";
import type { Clock } from "../ports/basics.ts";
import type { FeedSink, Published, PublishFailure, PublishResult } from "../ports/feed-sink.ts";

/** One event as it stands in the feed. */
export interface FeedEntry {
  readonly event: ControlEvent;
  /** From 1, in the order of the feed. */
  readonly controlVersion: number;
}

/** The feed of one broker; any number of sinks publish to it. */
export class MemoryFeed {
  readonly entries: FeedEntry[] = [];
  /** Another one after `startOver()`. */
  feedId = "feed_1";
  readonly #versions = new Map<string, number>();

  /** Loses everything, as a broker whose disk was replaced. */
  startOver(): void {
    this.entries.length = 0;
    this.#versions.clear();
    this.feedId = `feed_${Number(this.feedId.slice(5)) + 1}`;
  }

  /** Loses its newest entries and keeps its name, as a broker that was restored from an older copy. */
  restoreOlder(lost: number): void {
    for (const { event } of this.entries.splice(-lost)) this.#versions.delete(event.eventId);
  }

  /** Keeps the event; one that stands there already gets the version it has. */
  publish(event: ControlEvent): Published {
    const known = this.#versions.get(event.eventId);
    if (known !== undefined) return { eventId: event.eventId, controlVersion: known, duplicate: true };
    const controlVersion = this.entries.length + 1;
    this.entries.push({ event: { ...event }, controlVersion });
    this.#versions.set(event.eventId, controlVersion);
    return { eventId: event.eventId, controlVersion, duplicate: false };
  }
}

/** How publishing one event fails; `answer-lost`: it stands in the feed, and the publisher is not told. */
export type SinkFault = PublishFailure["reason"] | "answer-lost";

export interface MemorySinkInit {
  /** How long one call takes, ms of the clock; 0 unless given. */
  readonly delayMs?: () => number;
  /** Asked for every event: how it fails, or null. */
  readonly faultOf?: (event: ControlEvent) => SinkFault | null;
}

export class MemorySink implements FeedSink {
  readonly #clock: Clock;
  readonly #feed: MemoryFeed;
  readonly #init: MemorySinkInit;
  #closed = false;

  constructor(components: { readonly clock: Clock; readonly feed: MemoryFeed }, init: MemorySinkInit = {}) {
    this.#clock = components.clock;
    this.#feed = components.feed;
    this.#init = init;
  }

  async publish(batch: readonly ControlEvent[], feedId: string | null = null, reached = 0): Promise<PublishResult> {
    const delayMs = this.#init.delayMs?.() ?? 0;
    if (delayMs > 0) await new Promise<void>((resolve) => this.#clock.setTimeout(resolve, delayMs));
    const published: Published[] = [];
    const found = this.#feed.feedId;
    if (feedId !== null && (feedId !== found || this.#feed.entries.length < reached)) {
      const message = `the feed is ${found} through ${this.#feed.entries.length}, not ${feedId} through ${reached}`;
      return { published, failure: { reason: "lost", error: new ChangeoverError("feed_lost", message) } };
    }
    for (const event of batch) {
      const fault = this.#closed ? "unavailable" : (this.#init.faultOf?.(event) ?? null);
      if (fault === null || fault === "answer-lost") {
        const entry = this.#feed.publish(event);
        if (fault === null) published.push(entry);
      }
      if (fault !== null) return { published, failure: failureOf(fault), feedId: found };
    }
    return { published, failure: null, feedId: found };
  }

  async close(): Promise<void> {
    this.#closed = true;
  }
}

function failureOf(fault: SinkFault): PublishFailure {
  const reason = fault === "answer-lost" ? "unavailable" : fault;
  return { reason, error: new ChangeoverError("feed_unreachable", `the memory sink was told to fail: ${fault}`) };
}
