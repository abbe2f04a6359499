/** What the Redis witness answers when Redis is slow, frozen, killed, emptied, demoted or not there. */
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RedisWitness } from "../../src/adapters/redis-witness.ts";
import { SystemClock } from "../../src/adapters/basics.ts";
import { makeId } from "../../src/core/ids.ts";
import type { WitnessRead } from "../../src/ports/witness.ts";
import { aRecord } from "../../src/testing/witness-contract.ts";
import { freePort } from "../support/free-port.ts";
import { startRedisUnderSentinel } from "../support/redis-sentinel.ts";
import { type RedisServer, startRedis } from "../support/redis-server.ts";
import { describeWithServer } from "../support/servers.ts";

const SHORT_MS = 150;
const LONG_MS = 10_000;
const LATE = { outcome: "unknown", reason: "no answer in time" };
const lock = { lockId: makeId("lock", "x"), holder: "one", ttlMs: 60_000 };

type Seen = Extract<WitnessRead, { outcome: "read" }>;

let server: RedisServer;
let admin: Redis;
let opened: RedisWitness[];

const open = (url: string, timeoutMs: number): RedisWitness => {
  const witness = new RedisWitness({ clock: new SystemClock() }, { url, pair: "studio-1", timeoutMs });
  opened.push(witness);
  return witness;
};

const reached = async (witness: RedisWitness, fits = (_seen: Seen): boolean => true): Promise<Seen> => {
  for (let asked = 0; asked < 2_000; asked += 1) {
    const read = await witness.read();
    if (read.outcome === "read" && fits(read)) return read;
    await delay(10);
  }
  throw new Error("the witness was not reached again");
};

describeWithServer("redis-server", "witness redis under faults", () => {
  beforeEach(async () => {
    server = await startRedis({ args: ["--appendonly", "yes", "--appendfsync", "always"] });
    admin = new Redis(server.url, { retryStrategy: () => 20, maxRetriesPerRequest: null });
    admin.on("error", () => undefined);
    opened = [];
  });
  afterEach(async () => {
    admin.disconnect();
    await Promise.all(opened.map(async (witness) => witness.close()));
    await server.stop();
  });

  describe("no answer", withoutAnswer);
  describe("lost memory", withLostMemory);
  describe("refusals", withRefusals);
  describe("closing", closing);
});

function withoutAnswer(): void {
  it("[CP3] says unreachable where nobody listens, from the first call on", async () => {
    const witness = open(`redis://127.0.0.1:${await freePort()}`, LONG_MS);
    const refused = { outcome: "unreachable", reason: "connection refused" };
    expect(await witness.read()).toEqual(refused);
    expect(await witness.swap(null, aRecord())).toEqual(refused);
    expect(await witness.acquireLock(lock)).toEqual(refused);
    expect(await witness.readLock()).toEqual(refused);
  });

  it("[VT3] says unknown of a swap that a paused Redis did not answer; reading back tells", async () => {
    const witness = open(server.url, SHORT_MS);
    const { runId } = await reached(witness);
    await admin.client("PAUSE", 60_000, "WRITE");
    expect(await witness.swap(null, aRecord())).toEqual(LATE);
    await admin.client("UNPAUSE");
    expect(await reached(witness)).toEqual({ outcome: "read", record: aRecord(), runId });
  });

  it.each([
    ["a number out of reach", (fence: string) => admin.set(fence, "9007199254740991")],
    ["the highest number of Redis", (fence: string) => admin.set(fence, "9223372036854775807")],
    ["a negative number", (fence: string) => admin.set(fence, "-7")],
    ["a text", (fence: string) => admin.set(fence, "many")],
    ["a list", (fence: string) => admin.rpush(fence, "1")],
  ])("[EP6] [RL1] counts on where somebody has written %s into the counter of the lock", async (_what, write) => {
    const witness = open(server.url, LONG_MS);
    await reached(witness);
    const first = await witness.acquireLock(lock);
    await witness.releaseLock(lock.lockId);
    await admin.del("changeover:{studio-1}:fence");
    await write("changeover:{studio-1}:fence");
    const second = await witness.acquireLock(lock);
    if (first.outcome !== "acquired" || second.outcome !== "acquired") throw new Error("not acquired");
    expect(second.fence).toBeGreaterThan(first.fence);
    expect(second.fence).toBeLessThan(2 ** 48);
    expect(await witness.readLock()).toMatchObject({ lock: { fence: second.fence, holder: "one" } });
    expect(await witness.releaseLock(lock.lockId)).toEqual({ outcome: "released" });
  });

  it.each([
    ["a text", (key: string) => admin.set(key, "mine")],
    ["a list", (key: string) => admin.rpush(key, "1")],
  ])("[EP6] [RL1] acquires where somebody has written %s in the place of the lock", async (_what, write) => {
    const witness = open(server.url, LONG_MS);
    await reached(witness);
    await write("changeover:{studio-1}:lock");
    expect(await witness.acquireLock(lock)).toMatchObject({ outcome: "acquired" });
    expect(await witness.acquireLock({ ...lock, lockId: makeId("lock", "y"), holder: "two" })).toMatchObject({
      outcome: "held",
      holder: "one",
    });
  });

  it("[RL2] gives back a lock whose acquisition came too late to be useful", async () => {
    const witness = open(server.url, SHORT_MS);
    await reached(witness);
    await admin.client("PAUSE", 60_000, "WRITE");
    expect(await witness.acquireLock(lock)).toEqual({ outcome: "unreachable", reason: "no answer in time" });
    await admin.client("UNPAUSE");
    // Acquired and given back: the counter has moved and no lock stands.
    await expect.poll(async () => admin.exists("changeover:{studio-1}:fence"), { timeout: LONG_MS }).toBe(1);
    await expect.poll(async () => admin.exists("changeover:{studio-1}:lock"), { timeout: LONG_MS }).toBe(0);
  });

  it("[VT3] says unknown of a swap under way when Redis is killed, and unreachable at once from then on", async () => {
    const witness = open(server.url, LONG_MS);
    await reached(witness);
    await server.signal("SIGSTOP");
    const underWay = witness.swap(null, aRecord());
    await server.signal("SIGKILL");
    expect(await underWay).toMatchObject({ outcome: "unknown" });
    expect(await witness.swap(null, aRecord())).toMatchObject({ outcome: "unreachable" });
  });

  it("gives up a frozen Redis's connection, and comes back once it goes on", async () => {
    const witness = open(server.url, SHORT_MS);
    await witness.swap(null, aRecord());
    await server.signal("SIGSTOP");
    expect(await witness.swap(aRecord(), aRecord({ seq: 2 }))).toEqual(LATE);
    const reasons = new Set<string>();
    while (!reasons.has("no answer on the connection")) {
      const swap = await witness.swap(aRecord(), aRecord({ seq: 2 }));
      if ("reason" in swap) reasons.add(swap.reason);
      await delay(10);
    }
    await server.signal("SIGCONT");
    expect((await reached(witness)).record).toMatchObject({ holder: "a", epoch: 1 });
  });
}

function withLostMemory(): void {
  it("[CP5] shows a Redis that was restarted empty by another run id", async () => {
    const witness = open(server.url, SHORT_MS);
    await witness.swap(null, aRecord());
    const before = await reached(witness);
    const { port } = server;
    await server.signal("SIGKILL");
    const empty = await startRedis({ port });
    const after = await reached(witness);
    await empty.stop();
    expect(after.record).toBeNull();
    expect(after.runId).not.toBe(before.runId);
  });

  it("[CP5] shows a Redis that was restarted with its data by another run id too: some of it may be missing", async () => {
    const witness = open(server.url, SHORT_MS);
    expect(await witness.swap(null, aRecord())).toMatchObject({ outcome: "swapped" });
    const before = await reached(witness);
    const { port, dir } = server;
    await server.signal("SIGKILL");
    const again = await startRedis({ port, dir, args: ["--appendonly", "yes", "--appendfsync", "always"] });
    const after = await reached(witness);
    await again.stop();
    expect(after.record).toEqual(aRecord());
    expect(after.runId).not.toBe(before.runId);
  });

  it("does not mind that Redis forgot its scripts", async () => {
    const witness = open(server.url, LONG_MS);
    await witness.swap(null, aRecord());
    await admin.script("FLUSH");
    expect(await witness.swap(aRecord(), aRecord({ seq: 2 }))).toMatchObject({ outcome: "swapped" });
    await admin.script("FLUSH");
    expect(await witness.acquireLock(lock)).toMatchObject({ outcome: "acquired" });
  });

  it("[CP5] follows a Sentinel's fail-over to the replica, which shows by another run id", async () => {
    const redis = await startRedisUnderSentinel();
    const witness = open(`redis+sentinel://127.0.0.1:${redis.sentinelPort}/${redis.name}`, SHORT_MS);
    await reached(witness);
    await witness.swap(null, aRecord());
    const before = await reached(witness, ({ record }) => record !== null);
    await redis.primary.signal("SIGKILL");
    await redis.failedOver();
    const after = await reached(witness);
    expect(after.runId).not.toBe(before.runId);
    expect(await witness.swap(after.record, aRecord({ seq: 9 }))).toMatchObject({ outcome: "swapped" });
    await redis.stop();
  });
}

function withRefusals(): void {
  it("[VT4] takes no answer, not even a read, from a Redis that became a replica", async () => {
    const witness = open(server.url, LONG_MS);
    await witness.swap(null, aRecord());
    await admin.replicaof("127.0.0.1", await freePort());
    const replica = { outcome: "unreachable", reason: "the server is a replica (READONLY)" };
    expect(await witness.read()).toEqual(replica);
    await admin.replicaof("NO", "ONE");
    expect((await reached(witness)).record).toEqual(aRecord());
  });

  it("refuses a key that is not changeover's, and leaves it as it is", async () => {
    const witness = open(server.url, LONG_MS);
    const ofAnotherType = { outcome: "corrupt", content: "a key of another type" };
    await admin.set("changeover:{studio-1}:record", "someone else's");
    expect(await witness.read()).toEqual(ofAnotherType);
    expect(await witness.swap(null, aRecord())).toEqual(ofAnotherType);
    expect(await admin.get("changeover:{studio-1}:record")).toBe("someone else's");
    await admin.del("changeover:{studio-1}:record");
    const body = '{"holder":"c"}';
    await admin.hset("changeover:{studio-1}:record", { version: "a:1:1", body });
    expect(await witness.read()).toEqual({ outcome: "corrupt", content: body });
  });

  it.each([
    ["min-replicas-to-write", "1", "too few replicas (NOREPLICAS)"],
    ["maxmemory", "1", "the server is out of memory (OOM)"],
  ])("says unreachable, and nothing is done, under %s %s", async (setting, value, reason) => {
    const witness = open(server.url, LONG_MS);
    await witness.swap(null, aRecord());
    const [before] = (await admin.config("GET", setting)).slice(1);
    await admin.config("SET", setting, value);
    expect(await witness.swap(aRecord(), aRecord({ seq: 2 }))).toEqual({ outcome: "unreachable", reason });
    await admin.config("SET", setting, String(before));
    expect(await witness.read()).toMatchObject({ record: aRecord() });
  });

  it("says in safe words that a password is wrong or missing", async () => {
    await admin.config("SET", "requirepass", "right");
    const wrong = open(server.url.replace("//", "//:hunter2@"), LONG_MS);
    expect(await wrong.read()).toEqual({ outcome: "unreachable", reason: "wrong password (WRONGPASS)" });
    const missing = open(server.url, LONG_MS);
    expect(await missing.read()).toEqual({ outcome: "unreachable", reason: "password required (NOAUTH)" });
    const right = open(server.url.replace("//", "//:right@"), LONG_MS);
    expect(await right.read()).toMatchObject({ outcome: "read" });
  });
}

function closing(): void {
  it("leaves no connection behind when closed, also while calls are under way or Redis is frozen", async () => {
    const witness = open(server.url, LONG_MS);
    await reached(witness);
    await admin.client("PAUSE", 60_000, "WRITE");
    const underWay = witness.swap(null, aRecord());
    await witness.close();
    expect(await underWay).toMatchObject({ outcome: "unknown" });
    expect(await witness.read()).toEqual({ outcome: "unreachable", reason: "closed" });
    await admin.client("UNPAUSE");
    await expect.poll(async () => admin.client("LIST"), { timeout: LONG_MS }).not.toContain("changeover-witness");
  });
}
