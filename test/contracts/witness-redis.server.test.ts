/** The Redis witness against the contract: on one server, as a user with few rights, in a Cluster, behind a Sentinel. */
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe } from "vitest";
import { RedisWitness } from "../../src/adapters/redis-witness.ts";
import { SystemClock } from "../../src/adapters/basics.ts";
import { type RedisUnderSentinel, startRedisUnderSentinel } from "../support/redis-sentinel.ts";
import { type RedisServer, startRedis } from "../support/redis-server.ts";
import { describeWithServer } from "../support/servers.ts";
import { witnessContract } from "../../src/testing/witness-contract.ts";
import { runContract } from "./run-contract.ts";
import type { WitnessUnderTest } from "../../src/testing/witness-contract.ts";

/** Longer than the 150 ms of real life: these tests ask what is answered, on a machine that may be loaded. */
const TIMEOUT_MS = 5_000;

/** The rights that `docs/deployment-redis.md` asks for. */
const RIGHTS =
  "reset on >secret%1 resetkeys ~changeover:* resetchannels -@all +ping +info +evalsha +eval +hsetnx +hmget +hset +get +set +incr +time +pexpire +pttl +del +client|setname";
const CLUSTER_RIGHTS = "+cluster|slots +cluster|info +asking";

let pairs = 0;

/** A pair of its own on a server, so that each test finds it empty. */
async function onServer(url: string, admin: Redis): Promise<WitnessUnderTest> {
  pairs += 1;
  const pair = `pair-${pairs}`;
  const clients: RedisWitness[] = [];
  return {
    connect: () => {
      const client = new RedisWitness({ clock: new SystemClock() }, { url, pair, timeoutMs: TIMEOUT_MS });
      clients.push(client);
      return client;
    },
    pass: async (ms) => delay(ms),
    forget: async () => void (await admin.flushall()),
    scribble: async (text) => {
      const database = new URL(url.replace(/^redis\+\w+:/, "redis:")).pathname.slice(1);
      const key = `changeover:{${pair}}:record`;
      if (/^\d+$/.test(database)) await admin.select(Number(database));
      await admin.hset(key, "body", text);
      if (/^\d+$/.test(database)) await admin.select(0);
    },
    end: async () => void (await Promise.all(clients.map(async (client) => client.close()))),
  };
}

describeWithServer("redis-server", "witness in Redis", () => {
  describe("one server", () => {
    let server: RedisServer;
    let admin: Redis;
    beforeAll(async () => {
      server = await startRedis({ args: ["--appendonly", "yes", "--appendfsync", "always"] });
      admin = new Redis(server.url);
      await admin.call("ACL", "SETUSER", "changeover", ...RIGHTS.split(" "));
    });
    afterAll(async () => {
      admin.disconnect();
      await server.stop();
    });
    runContract(
      "witness contract: redis",
      witnessContract(async () => onServer(server.url, admin)),
    );
    runContract(
      "witness contract: redis, with a database number",
      witnessContract(async () => onServer(`${server.url}/3`, admin)),
    );
    runContract(
      "witness contract: redis, as a user with few rights",
      witnessContract(async () => onServer(server.url.replace("//", "//changeover:secret%251@"), admin)),
    );
  });

  describe("Cluster", () => {
    let server: RedisServer;
    let admin: Redis;
    beforeAll(async () => {
      server = await startRedis({ args: ["--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1"] });
      admin = new Redis(server.url);
      await admin.call("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
      await admin.call("ACL", "SETUSER", "changeover", ...RIGHTS.split(" "), ...CLUSTER_RIGHTS.split(" "));
      while (!(await admin.cluster("INFO")).includes("cluster_state:ok")) await delay(20);
    });
    afterAll(async () => {
      admin.disconnect();
      await server.stop();
    });
    runContract(
      "witness contract: redis cluster, as a user with few rights",
      witnessContract(async () =>
        onServer(server.url.replace("redis://", "redis+cluster://changeover:secret%251@"), admin),
      ),
    );
  });

  describe("Sentinel", () => {
    let redis: RedisUnderSentinel;
    let admin: Redis;
    beforeAll(async () => {
      redis = await startRedisUnderSentinel();
      admin = new Redis(redis.primary.url);
    });
    afterAll(async () => {
      admin.disconnect();
      await redis.stop();
    });
    runContract(
      "witness contract: redis sentinel",
      witnessContract(async () => onServer(`redis+sentinel://127.0.0.1:${redis.sentinelPort}/${redis.name}`, admin)),
    );
  });
});
