/**
 * The feed as a Redis Stream.
 * A piece of a batch is appended by one script, whole and in order or not at all; an event that stands in the
 * stream is found by its id and keeps its version. What was sent without an answer is told as `unavailable`: published
 * again, it is a double. Once an entry is trimmed its id is forgotten too; from there on the consumer's own
 * `applied_events` is what collapses a double.
 * It does not know how durable Redis is. `appendfsync always` makes what was answered survive kill −9 and a power cut.
 */
import { randomUUID } from "node:crypto";
import type { ControlEvent } from "../../core/control-event.ts";
import type { Clock } from "../../ports/basics.ts";
import type { FeedSink, Published, PublishResult } from "../../ports/feed-sink.ts";
import type { RedisConnection, ScriptAnswer } from "../redis/client.ts";
import { eventToText, type FeedFormat, failed, feedLost, feedOutdated, notTaken, sinkClosed } from "./event-text.ts";
import { connectRedisFeed, noAnswer, type RedisFeedInit, type RedisFeedKeys, PUBLISH } from "./redis-feed.ts";

export interface RedisStreamSinkInit extends RedisFeedInit {
  /** Entries that the stream keeps; the oldest go first. Default 1 000 000. */
  readonly maxLength?: number;
  /** Default `changeover`. */
  readonly format?: FeedFormat;
}

const DEFAULT_MAX_LENGTH = 1_000_000;
/** One script: short enough that nobody else waits for Redis. */
const MAX_PIECE_EVENTS = 256;
const MAX_PIECE_CHARS = 1_000_000;

/** Events that go in one script, with their texts. */
interface Piece {
  readonly events: readonly ControlEvent[];
  readonly args: readonly string[];
}

export class RedisStreamSink implements FeedSink {
  readonly #connection: RedisConnection;
  readonly #keys: RedisFeedKeys;
  readonly #maxLength: number;
  readonly #format: FeedFormat;
  #closed = false;

  /** Connects in the background. Throws `invalid_configuration` for a URL or a name of no known form. */
  constructor(components: { readonly clock: Clock }, init: RedisStreamSinkInit) {
    const { connection, keys } = connectRedisFeed(components, init);
    this.#connection = connection;
    this.#keys = keys;
    this.#maxLength = init.maxLength ?? DEFAULT_MAX_LENGTH;
    this.#format = init.format ?? "changeover";
  }

  async publish(batch: readonly ControlEvent[], feedId: string | null = null, reached = 0): Promise<PublishResult> {
    const published: Published[] = [];
    let name = feedId;
    while (published.length < batch.length) {
      if (this.#closed) return failed(published, "unavailable", sinkClosed());
      const { events, args } = nextPiece(batch, published.length, this.#format);
      const [head] = events;
      if (head === undefined) {
        const refused = batch[published.length] as ControlEvent;
        return failed(published, "refused", notTaken(refused, "it is too large"));
      }
      const answer = await this.#append({ name: name ?? "", reached: feedId === null ? 0 : reached }, args);
      if (answer.outcome !== "answered") return failed(published, "unavailable", noAnswer(answer));
      const [found, ...places] = answer.reply as readonly (string | number)[];
      if (name !== null && name !== String(found)) return { ...feedLost(name, String(found)), published };
      if (places.length === 0) return { ...feedOutdated(String(found), reached), published };
      name = String(found);
      published.push(...readAnswer(events, places.map(Number)));
    }
    return { published, failure: null, ...(name === null ? {} : { feedId: name }) };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#connection.close();
  }

  #append(
    { name, reached }: { readonly name: string; readonly reached: number },
    events: readonly string[],
  ): Promise<ScriptAnswer> {
    const { stream, ids, feedId } = this.#keys;
    const args = [this.#maxLength, `feed_${randomUUID()}`, name, this.#format, reached, ...events];
    return this.#connection.run({ script: PUBLISH, keys: [stream, ids, feedId], args });
  }
}

/** As many events from `from` on as go in one script; none when the first is larger than a feed takes. */
function nextPiece(batch: readonly ControlEvent[], from: number, format: FeedFormat): Piece {
  const events: ControlEvent[] = [];
  const args: string[] = [];
  let chars = 0;
  for (const event of batch.slice(from, from + MAX_PIECE_EVENTS)) {
    const text = eventToText(event, format);
    if (text === null || (chars > 0 && chars + text.length > MAX_PIECE_CHARS)) break;
    events.push(event);
    args.push(event.eventId, text);
    chars += text.length;
  }
  return { events, args };
}

function readAnswer(events: readonly ControlEvent[], reply: readonly number[]): Published[] {
  return events.map(({ eventId }, at) => ({
    eventId,
    controlVersion: Number(reply[2 * at]),
    duplicate: reply[2 * at + 1] === 1,
  }));
}
