/**
 * Purpose: every step that Redis takes for the witness, one Lua script a step, so that each is one round trip and atomic.
 * Keeps true: a script's first write comes first or right after the comparing, and is its first chance to be refused (by
 * a replica, a full memory, a missing disk), so that an error reply always means "not done".
 *
 * The record is a hash: `body` is the record as JSON, and what a swap compares; `generation` names the life of this memory;
 * `version` is written for engines of an older version, which compare it.
 * A key of another type, or a body that is no record, was written by someone else: it is told as what it is, and only a
 * swap that names it replaces it [VT7].
 * `HSETNX … generation` comes first even when reading. It makes a generation where there is none (an emptied
 * memory gets a new one, from the caller's fresh candidate), and it makes a server that has become a replica refuse a
 * read too, instead of answering with an old copy; where a generation stands it changes nothing and is not replicated.
 * The server's own `run_id` comes from `INFO server` within the script, not from the last connect: so it is that of the
 * very node that answered, behind a Cluster too. It costs some microseconds in the server, and no round trip.
 */
import { MAX_NUMBER } from "../../core/reach.ts";
import { script } from "../redis/script.ts";

/** A local function of the scripts: the life of this memory, as `RUN_ID.GENERATION`. */
const LIFE = `
local function life(generation)
  return string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') .. '.' .. generation
end`;

/** What the scripts tell as the content of a key of another type. */
export const WRONG_TYPE = "a key of another type";

/** KEYS record. ARGV candidate generation. Answers {life, body or nil}; the life is nil where the key has another type. */
export const READ_RECORD = script(`${LIFE}
local made = redis.pcall('HSETNX', KEYS[1], 'generation', ARGV[1])
if type(made) == 'table' then
  if string.find(made.err, 'WRONGTYPE', 1, true) then return { false, '${WRONG_TYPE}' } end
  return made
end
local record = redis.call('HMGET', KEYS[1], 'generation', 'body')
return { life(record[1]), record[2] }`);

/** What a swap expects to stand there. */
export const EXPECTS = { nothing: "nothing", record: "record", content: "content" } as const;

/**
 * KEYS record. ARGV candidate generation, new version, new body, one of EXPECTS, and what is expected: nothing, or holder,
 * engine, epoch and seq, or the content. Answers {1, life}, or {0, life, body or nil} as READ_RECORD.
 */
export const SWAP_RECORD = script(`${LIFE}
local made = redis.pcall('HSETNX', KEYS[1], 'generation', ARGV[1])
if type(made) == 'table' then
  if not string.find(made.err, 'WRONGTYPE', 1, true) then return made end
  if ARGV[4] ~= '${EXPECTS.content}' or ARGV[5] ~= '${WRONG_TYPE}' then return { 0, false, '${WRONG_TYPE}' } end
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'generation', ARGV[1], 'version', ARGV[2], 'body', ARGV[3])
  return { 1, life(ARGV[1]) }
end
local record = redis.call('HMGET', KEYS[1], 'generation', 'body')
local body = record[2]
local function expected()
  if ARGV[4] == '${EXPECTS.nothing}' then return not body end
  if ARGV[4] == '${EXPECTS.content}' then return body == ARGV[5] end
  if not body then return false end
  local parsed, found = pcall(cjson.decode, body)
  return parsed and type(found) == 'table' and found.holder == ARGV[5] and found.engineId == ARGV[6]
    and found.epoch == tonumber(ARGV[7]) and found.seq == tonumber(ARGV[8])
end
if not expected() then return { 0, life(record[1]), body } end
redis.call('HSET', KEYS[1], 'version', ARGV[2], 'body', ARGV[3])
return { 1, life(record[1]) }`);

/**
 * KEYS lock, fence. ARGV lock id, holder, ttl in ms, fence floor. Answers the fence, or {standing lock, ms left}.
 * The lock is kept as `LOCK_ID FENCE ~TTL HOLDER`; older versions wrote it without the TTL. The fence is taken before it is known whether the lock is free: one call
 * less, and a number that nobody got does no harm. A counter that was lost starts again from the server's wall clock in
 * ms, which is above all it ever gave, and above the highest fence that the caller knows. A counter that is no number, or
 * out of reach, was written by somebody else and counts as lost; a lock that none of these scripts wrote is no lock [EP6].
 */
export const ACQUIRE_LOCK = script(`
local fence = redis.pcall('INCR', KEYS[2])
if type(fence) == 'table' then
  local foreign = string.find(fence.err, 'WRONGTYPE', 1, true) or string.find(fence.err, 'not an integer', 1, true)
  if not foreign and not string.find(fence.err, 'overflow', 1, true) then return fence end
  redis.call('DEL', KEYS[2])
  fence = 1
end
if fence < 1 or fence > ${MAX_NUMBER} then fence = 1 end
local floor = tonumber(ARGV[4])
if fence == 1 then
  floor = math.max(floor, tonumber(redis.call('TIME')[1]) * 1000)
end
if fence <= floor then
  fence = floor + 1
  redis.call('SET', KEYS[2], string.format('%.0f', fence))
end
local mine = ARGV[1] .. ' ' .. string.format('%.0f', fence) .. ' ~' .. ARGV[3] .. ' ' .. ARGV[2]
if redis.call('SET', KEYS[1], mine, 'NX', 'PX', ARGV[3]) then return fence end
local standing = redis.pcall('GET', KEYS[1])
if type(standing) == 'string' and string.match(standing, '^%S+ %d+ %S') then
  return { standing, redis.call('PTTL', KEYS[1]) }
end
redis.call('SET', KEYS[1], mine, 'PX', ARGV[3])
return fence`);

/** What the holder's scripts answer to somebody else. */
export const EXPIRED = 0;
export const WRONG_ID = -1;

/** The beginning of the scripts that only the holder may run. Simple answers: a list would cost as much as the step. */
const ONLY_HOLDER = `
local standing = redis.call('GET', KEYS[1])
if not standing then return ${EXPIRED} end
if string.sub(standing, 1, #ARGV[1] + 1) ~= ARGV[1] .. ' ' then return ${WRONG_ID} end`;

/** What a lock without a stored TTL is extended by, ms. */
export const UNSTATED_TTL_MS = 30_000;

/**
 * KEYS lock. ARGV lock id, ttl in ms or nothing. Answers the standing lock, EXPIRED or WRONG_ID. Without a ttl the lock is
 * extended by the one it bears.
 */
export const REFRESH_LOCK = script(`${ONLY_HOLDER}
local id, fence, ttl, holder = string.match(standing, '^(%S+) (%S+) ~(%d+) (.*)$')
if not ttl then
  id, fence, holder = string.match(standing, '^(%S+) (%S+) (.*)$')
  ttl = '${UNSTATED_TTL_MS}'
end
if ARGV[2] == '' or ARGV[2] == ttl then
  redis.call('PEXPIRE', KEYS[1], ttl)
  return standing
end
standing = id .. ' ' .. fence .. ' ~' .. ARGV[2] .. ' ' .. holder
redis.call('SET', KEYS[1], standing, 'PX', ARGV[2])
return standing`);

/** KEYS lock. ARGV fence, holder. Answers 1, EXPIRED or WRONG_ID: another has the lock, or it was acquired again [SB7]. */
export const BREAK_LOCK = script(`
local standing = redis.call('GET', KEYS[1])
if not standing then return ${EXPIRED} end
local fence, holder = string.match(standing, '^%S+ (%S+) ~%d+ (.*)$')
if fence ~= ARGV[1] or holder ~= ARGV[2] then return ${WRONG_ID} end
return redis.call('DEL', KEYS[1])`);

/** KEYS lock. ARGV lock id. Answers 1, EXPIRED or WRONG_ID. */
export const RELEASE_LOCK = script(`${ONLY_HOLDER}
return redis.call('DEL', KEYS[1])`);

/** KEYS lock. Answers {standing lock or nil, ms left}. */
export const READ_LOCK = script(`
return { redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1]) }`);
