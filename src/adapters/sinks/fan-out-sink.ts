/**
 * One sink that publishes to several. An event counts as published once it stands in every feed: until then it is sent to
 * all of them again, and those that have it already answer with the version they gave it.
 * The first sink numbers the events, and its feed is the one that is checked against being started over.
 */
import type { ControlEvent } from "../../core/control-event.ts";
import type { FeedSink, PublishResult } from "../../ports/feed-sink.ts";

export class FanOutSink implements FeedSink {
  readonly #first: FeedSink;
  readonly #others: readonly FeedSink[];

  constructor(components: { readonly first: FeedSink; readonly others: readonly FeedSink[] }) {
    this.#first = components.first;
    this.#others = components.others;
  }

  async publish(batch: readonly ControlEvent[], feedId: string | null = null): Promise<PublishResult> {
    const result = await this.#first.publish(batch, feedId);
    const accepted = batch.slice(0, result.published.length);
    if (accepted.length === 0) return result;
    const others = await Promise.all(this.#others.map(async (sink) => sink.publish(accepted)));
    const slowest = others.reduce(
      (one, other) => (other.published.length < one.published.length ? other : one),
      result,
    );
    return { ...result, published: result.published.slice(0, slowest.published.length), failure: slowest.failure };
  }

  async close(): Promise<void> {
    await Promise.all([this.#first, ...this.#others].map(async (sink) => sink.close()));
  }
}
