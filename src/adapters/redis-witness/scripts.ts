/**
 * Purpose: every step that Redis takes for the witness, one Lua script a step, so that each is one round trip and atomic.
 * Keeps true: a script's first write comes first or right after the comparing, and is its first chance to be refused (by
 * a replica, a full memory, a missing disk), so that an error reply always means "not done".
 *
 * The record is a hash: `version` is what a swap compares, `body` the record as JSON, `generation` names the life of this
 * memory. `HSETNX … generation` comes first even when reading. It makes a generation where there is none (an emptied
 * memory gets a new one, from the caller's fresh candidate), and it makes a server that has become a replica refuse a
 * read too, instead of answering with an old copy; where a generation stands it changes nothing and is not replicated.
 * The server's own `run_id` comes from `INFO server` within the script, not from the last connect: so it is that of the
 * very node that answered, behind a Cluster too. It costs some microseconds in the server, and no round trip.
 */
import { script } from "../redis/script.ts";

/** A local function of the scripts: the life of this memory, as `RUN_ID.GENERATION`. */
const LIFE = `
local function life(generation)
  return string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') .. '.' .. generation
end`;

/** KEYS record. ARGV candidate generation. Answers {life, body or nil}. */
export const READ_RECORD = script(`${LIFE}
redis.call('HSETNX', KEYS[1], 'generation', ARGV[1])
local record = redis.call('HMGET', KEYS[1], 'generation', 'body')
return { life(record[1]), record[2] }`);

/** KEYS record. ARGV candidate generation, expected version, new version, new body. Answers {1, life} or {0, life, body or nil}. */
export const SWAP_RECORD = script(`${LIFE}
redis.call('HSETNX', KEYS[1], 'generation', ARGV[1])
local record = redis.call('HMGET', KEYS[1], 'generation', 'version', 'body')
if (record[2] or '') ~= ARGV[2] then
  return { 0, life(record[1]), record[3] }
end
redis.call('HSET', KEYS[1], 'version', ARGV[3], 'body', ARGV[4])
return { 1, life(record[1]) }`);

/**
 * KEYS lock, fence. ARGV lock id, holder, ttl in ms, fence floor. Answers the fence, or {standing lock, ms left}.
 * The lock is kept as `LOCK_ID FENCE HOLDER`. The fence is taken before it is known whether the lock is free: one call
 * less, and a number that nobody got does no harm. A counter that was lost starts again from the server's wall clock in
 * ms, which is above all it ever gave, and above the highest fence that the caller knows.
 */
export const ACQUIRE_LOCK = script(`
local fence = redis.call('INCR', KEYS[2])
local floor = tonumber(ARGV[4])
if fence == 1 then
  floor = math.max(floor, tonumber(redis.call('TIME')[1]) * 1000)
end
if fence <= floor then
  fence = floor + 1
  redis.call('SET', KEYS[2], string.format('%.0f', fence))
end
if redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. fence .. ' ' .. ARGV[2], 'NX', 'PX', ARGV[3]) then
  return fence
end
return { redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1]) }`);

/** What the holder's scripts answer to somebody else. */
export const EXPIRED = 0;
export const WRONG_ID = -1;

/** The beginning of the scripts that only the holder may run. Simple answers: a list would cost as much as the step. */
const ONLY_HOLDER = `
local standing = redis.call('GET', KEYS[1])
if not standing then return ${EXPIRED} end
if string.sub(standing, 1, #ARGV[1] + 1) ~= ARGV[1] .. ' ' then return ${WRONG_ID} end`;

/** KEYS lock. ARGV lock id, ttl in ms. Answers the standing lock, EXPIRED or WRONG_ID. */
export const REFRESH_LOCK = script(`${ONLY_HOLDER}
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return standing`);

/** KEYS lock. ARGV lock id. Answers 1, EXPIRED or WRONG_ID. */
export const RELEASE_LOCK = script(`${ONLY_HOLDER}
return redis.call('DEL', KEYS[1])`);

/** KEYS lock. Answers {standing lock or nil, ms left}. */
export const READ_LOCK = script(`
return { redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1]) }`);
