/**
 * A Redis Cluster of a test's own: three masters, each with a replica. As for `redis-server.ts`: free ports on loopback, own
 * folders, nothing outlives the test process.
 */
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { freePort } from "./free-port.ts";
import { type RedisServer, startRedis } from "./redis-server.ts";

/** How long the cluster may take to agree. */
const WITHIN_MS = 30_000;
const MASTERS = 3;
const SLOTS = 16_384;
const ARGS = ["--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--repl-diskless-sync-delay", "0"];

export interface RedisCluster {
  /** `redis+cluster://…`, every node. */
  readonly url: string;
  readonly nodes: readonly RedisServer[];
  /** The node that serves `key` as its master. */
  masterOf(key: string): Promise<RedisServer>;
  /** Safe to call twice. */
  stop(): Promise<void>;
}

/** Starts the nodes, gives every slot to a master, and returns once each master has its replica. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const nodes: RedisServer[] = [];
  const stop = async (): Promise<void> => void (await Promise.all(nodes.map(async (node) => node.stop())));
  try {
    while (nodes.length < 2 * MASTERS) nodes.push(await startNode());
    await join(nodes);
  } catch (error) {
    await stop();
    throw error;
  }
  const url = `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(",")}`;
  return { url, nodes, masterOf: async (key) => masterOf(nodes, key), stop };
}

/** The bus has a port of its own, which is by default ten thousand higher: not every free port has such a one. */
async function startNode(): Promise<RedisServer> {
  return startRedis({ args: [...ARGS, "--cluster-port", String(await freePort())] });
}

async function join(nodes: readonly RedisServer[]): Promise<void> {
  const clients = nodes.map(({ url }) => new Redis(url));
  try {
    const [first, ...others] = clients as [Redis, ...Redis[]];
    const share = Math.ceil(SLOTS / MASTERS);
    await Promise.all(
      clients.slice(0, MASTERS).map(async (client, at) => {
        const slots = Array.from({ length: share }, (_, n) => at * share + n).filter((slot) => slot < SLOTS);
        await client.call("CLUSTER", "ADDSLOTS", ...slots.map(String));
      }),
    );
    // Each needs an epoch of its own, or two masters may claim one.
    for (const [at, client] of clients.entries()) await client.call("CLUSTER", "SET-CONFIG-EPOCH", String(at + 1));
    const { port } = nodes[0] as RedisServer;
    for (const [at, client] of others.entries()) {
      const bus = /:(\d+)@(\d+)/.exec(String(await first.call("CLUSTER", "NODES")))?.[2] ?? "";
      await client.call("CLUSTER", "MEET", "127.0.0.1", String(port), bus);
      await until(async () => (await knownTo(first)) > at + 1);
    }
    for (const client of clients) await until(async () => (await knownTo(client)) === nodes.length);
    for (let at = 0; at < MASTERS; at += 1) {
      const id = String(await clients[at]?.call("CLUSTER", "MYID"));
      await clients[MASTERS + at]?.call("CLUSTER", "REPLICATE", id);
    }
    for (const client of clients.slice(MASTERS)) {
      await until(async () => (await client.info("replication")).includes("master_link_status:up"));
    }
    for (const client of clients) {
      const isWhole = async (): Promise<boolean> =>
        String(await client.call("CLUSTER", "INFO")).includes("cluster_state:ok");
      await until(isWhole);
    }
  } finally {
    for (const client of clients) client.disconnect();
  }
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const endMs = performance.now() + WITHIN_MS; !(await holds()); await delay(20)) {
    if (performance.now() > endMs) throw new Error("the Redis Cluster did not come about");
  }
}

async function knownTo(client: Redis): Promise<number> {
  return String(await client.call("CLUSTER", "NODES"))
    .trim()
    .split("\n")
    .filter((line) => !/handshake|noaddr/.test(line)).length;
}

async function masterOf(nodes: readonly RedisServer[], key: string): Promise<RedisServer> {
  const client = new Redis((nodes[0] as RedisServer).url);
  try {
    const slot = Number(await client.call("CLUSTER", "KEYSLOT", key));
    const ranges = (await client.call("CLUSTER", "SLOTS")) as [number, number, [string, number]][];
    const port = ranges.find(([from, to]) => slot >= from && slot <= to)?.[2][1];
    const found = nodes.find((node) => node.port === port);
    if (found === undefined) throw new Error(`nobody serves slot ${slot}`);
    return found;
  } finally {
    client.disconnect();
  }
}
