/**
 * One sink that publishes to several. An event counts as published once it stands in every feed: until then it is sent to
 * all of them again, and those that have it already answer with the version they gave it.
 * The first sink numbers the events. The `feedId` of the whole is the list of those of all feeds, so that each one that was
 * started over is noticed. An older copy is noticed in the first alone: the numbers are its own.
 */
import type { ControlEvent } from "../../core/control-event.ts";
import type { FeedSink, PublishResult } from "../../ports/feed-sink.ts";

/** One feed's identity; null: it has none, or it is not known yet. */
type FeedId = string | null;

export class FanOutSink implements FeedSink {
  readonly #first: FeedSink;
  readonly #others: readonly FeedSink[];

  constructor(components: { readonly first: FeedSink; readonly others: readonly FeedSink[] }) {
    this.#first = components.first;
    this.#others = components.others;
  }

  async publish(batch: readonly ControlEvent[], feedId: string | null = null, reached = 0): Promise<PublishResult> {
    const [firstId = null, ...otherIds] = idsOf(feedId);
    const result = await this.#first.publish(batch, firstId, reached);
    const accepted = batch.slice(0, result.published.length);
    if (accepted.length === 0) return withoutFeed(result);
    const others = await Promise.all(
      this.#others.map(async (sink, at) => sink.publish(accepted, otherIds[at] ?? null)),
    );
    const slowest = others.reduce(
      (one, other) => (other.published.length < one.published.length ? other : one),
      result,
    );
    const found = [result.feedId ?? firstId, ...others.map((other, at) => other.feedId ?? otherIds[at] ?? null)];
    return {
      published: result.published.slice(0, slowest.published.length),
      failure: slowest.failure,
      feedId: JSON.stringify(found),
    };
  }

  async close(): Promise<void> {
    await Promise.all([this.#first, ...this.#others].map(async (sink) => sink.close()));
  }
}

/** What was remembered; by a single sink, before there were others, without a list. */
function idsOf(feedId: string | null): readonly FeedId[] {
  if (feedId === null) return [];
  return feedId.startsWith("[") ? (JSON.parse(feedId) as FeedId[]) : [feedId];
}

/** Nothing was published, so there is nothing to remember. */
function withoutFeed({ published, failure }: PublishResult): PublishResult {
  return { published, failure };
}

// No feed. It takes every event and keeps none, for an engine whose changes nobody follows. Its numbers rise as those
// of a feed. The outbox puts no rows up for it.

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
