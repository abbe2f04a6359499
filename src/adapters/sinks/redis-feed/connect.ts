/**
 * Purpose: from the settings of a feed in Redis to a connection and the names of its keys.
 * Keeps true: all keys share one hash tag, so that a Cluster keeps them on one node.
 */
import { ChangeoverError } from "../../../core/errors.ts";
import type { Clock } from "../../../ports/clock.ts";
import { parseRedisUrl } from "../../redis/address.ts";
import { openRedisClient, type TlsInit } from "../../redis/client.ts";
import { RedisConnection, type ScriptAnswer } from "../../redis/connection.ts";

/** What the two ends of a feed in Redis have in common. */
export interface RedisFeedInit {
  /** `redis://`, `rediss://`, `redis+sentinel://` or `redis+cluster://`; may hold a password. */
  readonly url: string;
  /** Name of the feed: part of every key. */
  readonly stream: string;
  /** Time-out of one call, ms. Default 2 000. */
  readonly timeoutMs?: number;
  /** Password of the Sentinels themselves, where they ask for one. */
  readonly sentinelPassword?: string | undefined;
  /** For a URL that asks for TLS. */
  readonly tls?: TlsInit | undefined;
}

export interface RedisFeedKeys {
  readonly stream: string;
  /** Event id → control version of all that stands in the stream. */
  readonly ids: string;
  /** The feed's identity. */
  readonly feedId: string;
}

const DEFAULT_TIMEOUT_MS = 2_000;

/** Connects in the background. Throws `invalid_configuration` for a URL or a name of no known form. */
export function connectRedisFeed(
  { clock }: { readonly clock: Clock },
  init: RedisFeedInit,
): { readonly connection: RedisConnection; readonly keys: RedisFeedKeys } {
  const { url, stream, timeoutMs = DEFAULT_TIMEOUT_MS, sentinelPassword, tls } = init;
  const tag = `changeover:{${checkedName(stream)}}`;
  const address = parseRedisUrl(url, "outbox.url");
  const client = openRedisClient({ address, timeoutMs, sentinelPassword, tls, connectionName: "changeover-feed" });
  return {
    connection: new RedisConnection({ clock, client }, { timeoutMs }),
    keys: { stream: `${tag}:feed`, ids: `${tag}:feed-ids`, feedId: `${tag}:feed-id` },
  };
}

/** Redis did not answer, or not with what was asked for. */
export function noAnswer(answer: Exclude<ScriptAnswer, { outcome: "answered" }>): ChangeoverError {
  return new ChangeoverError("feed_unreachable", `the feed in Redis: ${answer.reason}`, {
    details: { reason: answer.reason },
    retryable: true,
  });
}

function checkedName(stream: string): string {
  if (stream !== "" && !/[{}]/.test(stream)) return stream;
  throw new ChangeoverError("invalid_configuration", `outbox.stream: "${stream}" must not be empty nor hold { or }`, {
    details: { field: "outbox.stream", value: stream, bound: "1 or more characters other than { and }" },
  });
}
