/**
 * From the settings of a feed in Redis to a connection and the names of its keys.
 * All keys share one hash tag, so that a Cluster keeps them on one node.
 */
import { ChangeoverError } from "../../core/errors.ts";
import type { Clock } from "../../ports/basics.ts";
import { parseRedisUrl } from "../redis/address.ts";
import { openRedisClient, type TlsInit, RedisConnection, type ScriptAnswer, script } from "../redis/client.ts";

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

// Every step that Redis takes for the feed, one Lua script a step, so that each is one round trip and atomic. Entry ids
// are `N-0` with N one more than the last, so that a gap shows; a stream that was emptied begins above the wall clock
// in ms, so that a reader of the old one sees that it is another. The hash of ids is exactly the index of what stands
// in the stream: an entry that is trimmed leaves both, and so the memory for doubles is bounded.

/**
 * KEYS stream, ids, feed id. ARGV longest length, a name for a feed that has none, the name that is expected ("": any),
 * the format, the control version that it has given at least, then event id and text of each event. A stream that begins
 * gets a new name. In the flat format the control version goes into the text, as its first field.
 * Answers the feed's name, then control version and 1 (it stood there before) or 0 for each; the name alone where
 * another was expected, or a stream that has come further.
 */
export const PUBLISH = script(`
local last = 0
if redis.call('EXISTS', KEYS[1]) == 1 then
  local info = redis.call('XINFO', 'STREAM', KEYS[1])
  for at = 1, #info, 2 do
    if info[at] == 'last-generated-id' then last = tonumber(string.match(info[at + 1], '^%d+')) end
  end
else
  last = tonumber(redis.call('TIME')[1]) * 1000
  redis.call('DEL', KEYS[2], KEYS[3])
end
local name = redis.call('GET', KEYS[3])
if not name then
  name = ARGV[2]
  redis.call('SET', KEYS[3], name)
end
if ARGV[3] ~= '' and ARGV[3] ~= name then return { name } end
if last < tonumber(ARGV[5]) then return { name } end
local longest = tonumber(ARGV[1])
local flat = ARGV[4] == 'flat'
local answer = { name }
for at = 6, #ARGV, 2 do
  local known = redis.call('HGET', KEYS[2], ARGV[at])
  if known then
    answer[#answer + 1] = tonumber(known)
    answer[#answer + 1] = 1
  else
    last = last + 1
    local version = string.format('%.0f', last)
    local text = ARGV[at + 1]
    if flat then text = '{"control_version":' .. version .. ',' .. string.sub(text, 2) end
    redis.call('XADD', KEYS[1], version .. '-0', flat and 'event_id' or 'eventId', ARGV[at], 'event', text)
    redis.call('HSET', KEYS[2], ARGV[at], version)
    if redis.call('XLEN', KEYS[1]) > longest then
      local oldest = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
      redis.call('HDEL', KEYS[2], oldest[2][2])
      redis.call('XTRIM', KEYS[1], 'MAXLEN', longest)
    end
    answer[#answer + 1] = last
    answer[#answer + 1] = 0
  end
end
return answer`);

/**
 * KEYS stream, feed id. ARGV cursor, limit, bytes after which no further entry is read.
 * Answers the last control version ever given (0: no stream), the feed's name, the id of the event at the cursor (each ""
 * where there is none), then control version and text of each entry.
 */
export const READ = script(`
if redis.call('EXISTS', KEYS[1]) == 0 then return { 0, '', '' } end
local info = redis.call('XINFO', 'STREAM', KEYS[1])
local last = 0
for at = 1, #info, 2 do
  if info[at] == 'last-generated-id' then last = tonumber(string.match(info[at + 1], '^%d+')) end
end
local after = ARGV[1]
local there = redis.call('XRANGE', KEYS[1], after .. '-0', after .. '-0')[1]
local answer = { last, redis.call('GET', KEYS[2]) or '', there and there[2][2] or '' }
local left = tonumber(ARGV[2])
local bytes = tonumber(ARGV[3])
while left > 0 and bytes > 0 do
  local from = '(' .. after .. '-18446744073709551615'
  local entries = redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', math.min(left, 16))
  if #entries == 0 then break end
  for _, entry in ipairs(entries) do
    after = string.match(entry[1], '^%d+')
    local text = entry[2][4] or ''
    answer[#answer + 1] = tonumber(after)
    answer[#answer + 1] = text
    bytes = bytes - #text
    left = left - 1
  end
end
return answer`);

/** KEYS stream. ARGV group, cursor. A group that reads nothing: `XINFO GROUPS` shows how far this consumer is. */
export const MARK = script(`
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local moved = redis.pcall('XGROUP', 'SETID', KEYS[1], ARGV[1], ARGV[2] .. '-0')
if moved.err then redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[1], ARGV[2] .. '-0') end
return 1`);
