/**
 * The witness in Redis: a single server, one behind Sentinels, or a Cluster.
 * Keeps true:
 * - Every call is one atomic script, one round trip. What was sent without an answer is `unknown`, never assumed [VT3].
 * - The record has no TTL, and no clock of the server touches it [VT4]. Only the reconcile lock has one [RL1].
 * - The run id is the answering server's `run_id` joined to a generation kept beside the record. A restart or a
 *   fail-over changes the first; `FLUSHALL`, or a removed record, changes the second [CP5]. No extra round trip: see
 *   the scripts below.
 * - The fence only rises. `DEL` of the lock does not touch its counter; a lost counter starts again above the wall
 *   clock of the server and above the highest fence this engine has seen. Should both fail (the memory emptied, its
 *   clock set back, this engine restarted), work under the low fence is refused by the stores: late, but never wrong.
 * - All keys of a pair share one hash tag, so that a Cluster keeps them on one node.
 * It does not know who leads. It compares, keeps and answers.
 */
import { randomUUID } from "node:crypto";
import { assert, ChangeoverError } from "../core/errors.ts";
import type { LockId } from "../core/ids.ts";
import { isReachable, MAX_NUMBER } from "../core/epoch.ts";
import type { Clock } from "../ports/basics.ts";
import type {
  ExpectedRecord,
  LockAcquire,
  LockRead,
  LockRefresh,
  LockRelease,
  LockState,
  RunId,
  StrangeContent,
  Witness,
  WitnessRead,
  WitnessRecord,
  WitnessSwap,
} from "../ports/witness.ts";
import type { LockRequest } from "./local-lock.ts";
import { parseRedisUrl } from "./redis/address.ts";
import {
  openRedisClient,
  type RedisClient,
  type TlsInit,
  RedisConnection,
  type ScriptAnswer,
  type ScriptReply,
  type ScriptValue,
  script,
} from "./redis/client.ts";
import { isStrange, recordFromText, recordToText, versionOf } from "./witness-record.ts";

/** Settings of `RedisWitness`; times in ms. */
export interface RedisWitnessInit {
  /** `redis://`, `rediss://`, `redis+sentinel://` or `redis+cluster://`; may hold a password. */
  readonly url: string;
  /** Name of the pair: part of every key. */
  readonly pair: string;
  /** Time-out of one call, below `heartbeatMs` [VT6]. Default 150. */
  readonly timeoutMs?: number;
  /** Password of the Sentinels themselves, where they ask for one. */
  readonly sentinelPassword?: string | undefined;
  /** For a URL that asks for TLS: what is trusted and shown, as PEM. */
  readonly tls?: TlsInit | undefined;
}

const DEFAULT_TIMEOUT_MS = 150;
type Unreachable = { readonly outcome: "unreachable"; readonly reason: string };

export class RedisWitness implements Witness {
  readonly kind = "redis";
  readonly #connection: RedisConnection;
  readonly #keys: { readonly record: readonly string[]; readonly lock: readonly string[]; readonly fence: string };
  readonly #self = randomUUID();
  #candidates = 0;
  #fenceFloor = 0;

  /**
   * Connects in the background; `client` stands in for the one that `url` would open, and is closed with the witness.
   *
   * @throws ChangeoverError `invalid_configuration` for a URL or a pair of no known form
   */
  constructor(components: { readonly clock: Clock; readonly client?: RedisClient }, init: RedisWitnessInit) {
    const { clock, client } = components;
    const { url, pair, timeoutMs = DEFAULT_TIMEOUT_MS, sentinelPassword, tls } = init;
    const tag = `changeover:{${checkedPair(pair)}}`;
    const address = parseRedisUrl(url);
    this.#keys = { record: [`${tag}:record`], lock: [`${tag}:lock`], fence: `${tag}:fence` };
    this.#connection = new RedisConnection(
      { clock, client: client ?? openRedisClient({ address, timeoutMs, sentinelPassword, tls }) },
      { timeoutMs },
    );
  }

  async read(): Promise<WitnessRead> {
    const args = [this.#candidateGeneration()];
    const answer = await this.#connection.run({ script: READ_RECORD, keys: this.#keys.record, args });
    if (answer.outcome !== "answered") return unreachable(answer);
    const [runId, body] = listOf(answer.reply);
    const found = foundIn(runId, body);
    return "content" in found ? { outcome: "corrupt", ...found } : { outcome: "read", ...found };
  }

  async swap(expected: ExpectedRecord | StrangeContent, next: WitnessRecord): Promise<WitnessSwap> {
    const answer = await this.#connection.run({
      script: SWAP_RECORD,
      keys: this.#keys.record,
      args: [this.#candidateGeneration(), versionOf(next), recordToText(next), ...expectation(expected)],
    });
    if (answer.outcome === "unknown") return answer;
    if (answer.outcome === "not-done") return unreachable(answer);
    const [swapped, runId, body] = listOf(answer.reply);
    if (swapped === 1) return { outcome: "swapped", runId: String(runId) };
    const found = foundIn(runId, body);
    return "content" in found ? { outcome: "corrupt", ...found } : { outcome: "lost", ...found };
  }

  /** An acquire that came back too late to be useful is released again [RL2]. */
  async acquireLock({ lockId, holder, ttlMs }: LockRequest): Promise<LockAcquire> {
    const answer = await this.#connection.run({
      script: ACQUIRE_LOCK,
      keys: [...this.#keys.lock, this.#keys.fence],
      args: [lockId, holder, wholeMs(ttlMs), this.#fenceFloor],
      onLate: (reply) => void (typeof reply === "number" && this.releaseLock(lockId)),
    });
    if (answer.outcome !== "answered") return unreachable(answer);
    const { reply } = answer;
    if (typeof reply === "number") {
      return { outcome: "acquired", lockId, fence: this.#seenFence(reply), expiresMs: ttlMs };
    }
    const [standing, leftMs] = listOf(reply);
    const { holder: other, fence, expiresMs } = this.#lockState(String(standing), leftMs);
    return { outcome: "held", holder: other, fence, expiresMs };
  }

  async refreshLock(lockId: LockId, givenMs?: number): Promise<LockRefresh> {
    const args = [lockId, givenMs === undefined ? "" : wholeMs(givenMs)];
    const answer = await this.#connection.run({ script: REFRESH_LOCK, keys: this.#keys.lock, args });
    if (answer.outcome !== "answered") return unreachable(answer);
    const { reply } = answer;
    if (typeof reply !== "string") return { outcome: whyNotHolder(reply) };
    const { fence, ttlMs } = this.#lockState(reply, 0);
    return { outcome: "refreshed", fence, expiresMs: ttlMs };
  }

  async releaseLock(lockId: LockId): Promise<LockRelease> {
    const answer = await this.#connection.run({ script: RELEASE_LOCK, keys: this.#keys.lock, args: [lockId] });
    if (answer.outcome !== "answered") return unreachable(answer);
    return answer.reply === 1 ? { outcome: "released" } : { outcome: whyNotHolder(answer.reply) };
  }

  async breakLock({ holder, fence }: Pick<LockState, "holder" | "fence">): Promise<LockRelease> {
    const args = [fence, holder];
    const answer = await this.#connection.run({ script: BREAK_LOCK, keys: this.#keys.lock, args });
    if (answer.outcome !== "answered") return unreachable(answer);
    return answer.reply === 1 ? { outcome: "released" } : { outcome: whyNotHolder(answer.reply) };
  }

  async readLock(): Promise<LockRead> {
    const answer = await this.#connection.run({ script: READ_LOCK, keys: this.#keys.lock, args: [] });
    if (answer.outcome !== "answered") return unreachable(answer);
    const [standing, leftMs] = listOf(answer.reply);
    return { outcome: "read", lock: typeof standing === "string" ? this.#lockState(standing, leftMs) : null };
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  /** A name that no life of this memory has had: taken only where the memory has none. */
  #candidateGeneration(): string {
    this.#candidates += 1;
    return `${this.#self}.${this.#candidates}`;
  }

  /** The lock as the scripts keep it: `LOCK_ID FENCE ~TTL HOLDER`, where an older version has left out the TTL. */
  #lockState(standing: string, leftMs: ScriptValue | undefined): LockState {
    const [lockId = "", fence = "", ...rest] = standing.split(" ");
    const stated = /^~(\d+)$/.exec(rest[0] ?? "")?.[1];
    const holder = stated === undefined ? rest : rest.slice(1);
    return {
      holder: holder.join(" "),
      lockId: lockId as LockId,
      fence: this.#seenFence(Number(fence)),
      ttlMs: stated === undefined ? UNSTATED_TTL_MS : Number(stated),
      expiresMs: Math.max(0, Number(leftMs)),
    };
  }

  #seenFence(fence: number): number {
    if (isReachable(fence) && fence > this.#fenceFloor) this.#fenceFloor = fence;
    return fence;
  }
}

function unreachable(answer: Exclude<ScriptAnswer, { outcome: "answered" }>): Unreachable {
  return { outcome: "unreachable", reason: answer.reason };
}

function listOf(reply: ScriptReply): readonly ScriptValue[] {
  assert(Array.isArray(reply), "this script answers a list");
  return reply as readonly ScriptValue[];
}

function whyNotHolder(reply: ScriptReply): "expired" | "wrong-id" {
  assert(reply === EXPIRED || reply === WRONG_ID, "a script for the holder says why it refused");
  return reply === EXPIRED ? "expired" : "wrong-id";
}

/** What stands in the witness, as the scripts told it. */
function foundIn(
  runId: ScriptValue | undefined,
  body: ScriptValue | undefined,
): { readonly record: WitnessRecord | null; readonly runId: RunId } | StrangeContent {
  if (typeof body !== "string") return { record: null, runId: String(runId) };
  const record = runId === null ? null : recordFromText(body);
  return record === null ? { content: body } : { record, runId: String(runId) };
}

function expectation(expected: ExpectedRecord | StrangeContent): (string | number)[] {
  if (expected === null) return [EXPECTS.nothing];
  if (isStrange(expected)) return [EXPECTS.content, expected.content];
  return [EXPECTS.record, expected.holder, expected.engineId, expected.epoch, expected.seq];
}

/** Redis counts in whole ms; a lock of 0 ms would be refused. */
function wholeMs(ms: number): number {
  return Math.max(1, Math.round(ms));
}

function checkedPair(pair: string): string {
  if (pair !== "" && !/[{}]/.test(pair)) return pair;
  throw new ChangeoverError("invalid_configuration", `pair: "${pair}" must not be empty nor hold { or }`, {
    details: { field: "pair", value: pair, bound: "1 or more characters other than { and }" },
  });
}

// Every step that Redis takes for the witness, one Lua script a step, so that each is one round trip and atomic. A
// script's first write comes first or right after the comparing, and is its first chance to be refused (by a replica, a
// full memory, a missing disk), so that an error reply always means "not done". The record is a hash: `body` is the
// record as JSON, and what a swap compares; `generation` names the life of this memory; `version` is written for
// engines of an older version, which compare it. A key of another type, or a body that is no record, was written by
// someone else: it is told as what it is, and only a swap that names it replaces it [VT7]. `HSETNX … generation` comes
// first even when reading. It makes a generation where there is none (an emptied memory gets a new one, from the
// caller's fresh candidate), and it makes a server that has become a replica refuse a read too, instead of answering
// with an old copy; where a generation stands it changes nothing and is not replicated. The server's own `run_id` comes
// from `INFO server` within the script, not from the last connect: so it is that of the very node that answered, behind
// a Cluster too. It costs some microseconds in the server, and no round trip.

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
