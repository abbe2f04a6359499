/**
 * Reads a feed that is a Redis Stream.
 * Entries are numbered without a gap by the sink, so that a trimmed one shows.
 */
import type { Clock } from "../../ports/basics.ts";
import {
  type FeedEntry,
  type FeedMark,
  type FeedRead,
  type FeedSource,
  isAnotherEvent,
  isAnotherFeed,
} from "../../ports/feed-sink.ts";
import type { RedisConnection, ScriptReply } from "../redis/client.ts";
import { consumerName, eventFromText, MAX_PAGE_BYTES } from "./event-text.ts";
import { connectRedisFeed, noAnswer, type RedisFeedInit, type RedisFeedKeys, MARK, READ } from "./redis-feed.ts";

export interface RedisStreamSourceInit extends RedisFeedInit {
  /** Names the group in which `XINFO GROUPS` shows how far this reader is. */
  readonly consumer: string;
}

export class RedisStreamSource implements FeedSource {
  readonly #connection: RedisConnection;
  readonly #keys: RedisFeedKeys;
  readonly #consumer: string;

  /** Connects in the background. Throws `invalid_configuration` for a URL or a name of no known form. */
  constructor(components: { readonly clock: Clock }, init: RedisStreamSourceInit) {
    this.#consumer = consumerName(init.consumer);
    const { connection, keys } = connectRedisFeed(components, init);
    this.#connection = connection;
    this.#keys = keys;
  }

  async read(after: number, limit: number, mark?: FeedMark): Promise<FeedRead> {
    const args = [after, limit, MAX_PAGE_BYTES];
    const answer = await this.#connection.run({ script: READ, keys: [this.#keys.stream, this.#keys.feedId], args });
    if (answer.outcome !== "answered") return { outcome: "unavailable", error: noAnswer(answer) };
    const { last, feedId, eventId, entries } = readAnswer(answer.reply);
    const oldest = entries[0]?.controlVersion ?? 0;
    const isAnother = after > 0 && (isAnotherFeed(mark, feedId) || isAnotherEvent(mark, eventId));
    if (last < after || isAnother) return { outcome: "lost", why: "restarted", oldest: 0 };
    if (after > 0 && oldest > after + 1) return { outcome: "lost", why: "trimmed", oldest };
    return { outcome: "read", entries, feedId };
  }

  async acknowledge(through: number): Promise<void> {
    await this.#connection.run({ script: MARK, keys: [this.#keys.stream], args: [this.#consumer, through] });
  }

  close(): Promise<void> {
    return this.#connection.close();
  }
}

interface Page {
  readonly last: number;
  readonly feedId: string | null;
  readonly eventId: string | null;
  readonly entries: readonly FeedEntry[];
}

function readAnswer(reply: ScriptReply): Page {
  const [last, feedId, eventId, ...rest] = reply as readonly (string | number)[];
  const entries: FeedEntry[] = [];
  for (let at = 0; at < rest.length; at += 2) {
    entries.push({ controlVersion: Number(rest[at]), event: eventFromText(String(rest[at + 1])) });
  }
  return { last: Number(last), feedId: String(feedId) || null, eventId: String(eventId) || null, entries };
}
