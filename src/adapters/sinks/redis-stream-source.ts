/**
 * Purpose: reads a feed that is a Redis Stream.
 * Keeps true: entries are numbered without a gap by the sink, so that a trimmed one shows.
 */
import type { Clock } from "../../ports/clock.ts";
import type { FeedEntry, FeedRead, FeedSource } from "../../ports/feed-source.ts";
import type { RedisConnection, ScriptReply } from "../redis/connection.ts";
import { consumerName } from "./consumer-name.ts";
import { eventFromText, MAX_PAGE_BYTES } from "./event-text.ts";
import { connectRedisFeed, noAnswer, type RedisFeedInit, type RedisFeedKeys } from "./redis-feed/connect.ts";
import { MARK, READ } from "./redis-feed/scripts.ts";

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

  async read(after: number, limit: number): Promise<FeedRead> {
    const args = [after, limit, MAX_PAGE_BYTES];
    const answer = await this.#connection.run({ script: READ, keys: [this.#keys.stream], args });
    if (answer.outcome !== "answered") return { outcome: "unavailable", error: noAnswer(answer) };
    const { last, entries } = readAnswer(answer.reply);
    const oldest = entries[0]?.controlVersion ?? 0;
    if (last < after) return { outcome: "lost", why: "restarted", oldest: 0 };
    if (after > 0 && oldest > after + 1) return { outcome: "lost", why: "trimmed", oldest };
    return { outcome: "read", entries };
  }

  async acknowledge(through: number): Promise<void> {
    await this.#connection.run({ script: MARK, keys: [this.#keys.stream], args: [this.#consumer, through] });
  }

  close(): Promise<void> {
    return this.#connection.close();
  }
}

function readAnswer(reply: ScriptReply): { readonly last: number; readonly entries: readonly FeedEntry[] } {
  const [last, ...rest] = reply as readonly (string | number)[];
  const entries: FeedEntry[] = [];
  for (let at = 0; at < rest.length; at += 2) {
    entries.push({ controlVersion: Number(rest[at]), event: eventFromText(String(rest[at + 1])) });
  }
  return { last: Number(last), entries };
}
