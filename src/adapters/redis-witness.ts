/**
 * Purpose: the witness in Redis: a single server, one behind Sentinels, or a Cluster.
 * Keeps true:
 * - Every call is one atomic script, one round trip. What was sent without an answer is `unknown`, never assumed [VT3].
 * - The record has no TTL, and no clock of the server touches it [VT4]. Only the reconcile lock has one [RL1].
 * - The run id is the answering server's `run_id` joined to a generation kept beside the record. A restart or a
 *   fail-over changes the first; `FLUSHALL`, or a removed record, changes the second [CP5]. No extra round trip: see
 *   `redis-witness/scripts.ts`.
 * - The fence only rises. `DEL` of the lock does not touch its counter; a lost counter starts again above the wall
 *   clock of the server and above the highest fence this engine has seen. Should both fail (the memory emptied, its
 *   clock set back, this engine restarted), work under the low fence is refused by the stores: late, but never wrong.
 * - All keys of a pair share one hash tag, so that a Cluster keeps them on one node.
 * Does not know: who leads. It compares, keeps and answers.
 */
import { randomUUID } from "node:crypto";
import { assert } from "../core/assert.ts";
import { ChangeoverError } from "../core/errors.ts";
import type { LockId } from "../core/ids.ts";
import { isReachable } from "../core/reach.ts";
import type { Clock } from "../ports/clock.ts";
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
import { openRedisClient, type RedisClient, type TlsInit } from "./redis/client.ts";
import { RedisConnection, type ScriptAnswer, type ScriptReply, type ScriptValue } from "./redis/connection.ts";
import {
  ACQUIRE_LOCK,
  BREAK_LOCK,
  EXPECTS,
  EXPIRED,
  READ_LOCK,
  READ_RECORD,
  REFRESH_LOCK,
  RELEASE_LOCK,
  SWAP_RECORD,
  UNSTATED_TTL_MS,
  WRONG_ID,
} from "./redis-witness/scripts.ts";
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
