/**
 * A Redis with replicas, watched by one Sentinel of a test's own. As for `redis-server.ts`: free ports on loopback, own
 * folders, nothing outlives the test process.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { freePort } from "./free-port.ts";
import { type RedisServer, startRedis } from "./redis-server.ts";
import { requireServer } from "./servers.ts";

/** How long a state may take to come about. */
const WITHIN_MS = 30_000;
const POLL_MS = 20;

export interface RedisUnderSentinel {
  /** What the Sentinel calls the server that it watches. */
  readonly name: string;
  readonly sentinelPort: number;
  readonly primary: RedisServer;
  /** All that follow the primary at first. */
  readonly replicas: readonly RedisServer[];
  /** Asks the Sentinel to promote a replica. */
  promote(): Promise<void>;
  /** Resolves once the Sentinel names a replica as the server to use: to when it announced that, on the wall clock. */
  failedOver(): Promise<number>;
  /** Safe to call twice. */
  stop(): Promise<void>;
}

export interface SentinelOptions {
  /** Default 1. */
  readonly replicas?: number;
  /** Further settings of every Redis. */
  readonly args?: readonly string[];
  /** Further lines of the Sentinel's file. */
  readonly sentinel?: readonly string[];
  /** What the Sentinel asks its clients for. */
  readonly sentinelPassword?: string;
}

/** Starts them all; returns once the Sentinel knows every replica and every replica follows. */
export async function startRedisUnderSentinel(options: SentinelOptions = {}): Promise<RedisUnderSentinel> {
  const name = "witness";
  const args = ["--repl-diskless-sync-delay", "0", ...(options.args ?? [])];
  const primary = await startRedis({ args });
  const replicas: RedisServer[] = [];
  while (replicas.length < (options.replicas ?? 1)) {
    replicas.push(await startRedis({ args: [...args, "--replicaof", `127.0.0.1 ${primary.port}`] }));
  }
  const sentinelPort = await freePort();
  const dir = mkdtempSync(join(tmpdir(), "changeover-sentinel-"));
  const settings = [
    `port ${sentinelPort}`,
    "bind 127.0.0.1",
    `dir ${dir}`,
    `sentinel monitor ${name} 127.0.0.1 ${primary.port} 1`,
    `sentinel down-after-milliseconds ${name} 300`,
    `sentinel failover-timeout ${name} 3000`,
    ...(options.sentinelPassword === undefined ? [] : [`requirepass ${options.sentinelPassword}`]),
    ...(options.sentinel ?? []),
  ];
  const file = join(dir, "sentinel.conf");
  writeFileSync(file, `${settings.join("\n")}\n`);
  const child = spawn(requireServer("redis-server"), [file, "--sentinel"], { stdio: "ignore" });
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);
  const password = options.sentinelPassword;
  const way = { host: "127.0.0.1", port: sentinelPort, retryStrategy: () => POLL_MS };
  const client = new Redis({ ...way, ...(password === undefined ? {} : { password }) });
  const listener = client.duplicate();
  for (const one of [client, listener]) one.on("error", () => undefined);
  let announcedUnixMs = 0;
  listener.on("message", () => (announcedUnixMs = Date.now()));
  await listener.subscribe("+switch-master");

  await until(async () => {
    const watched = (await client.call("sentinel", "replicas", name)) as string[][];
    const linked = watched.filter((replica) => replica[replica.indexOf("master-link-status") + 1] === "ok");
    return linked.length === replicas.length;
  });
  return {
    name,
    sentinelPort,
    primary,
    replicas,
    promote: async () => void (await client.call("sentinel", "failover", name)),
    failedOver: async () => {
      await until(async () => {
        const address = (await client.call("sentinel", "get-master-addr-by-name", name)) as string[];
        return address[1] !== String(primary.port) && announcedUnixMs > 0;
      });
      return announcedUnixMs;
    },
    stop: async () => {
      client.disconnect();
      listener.disconnect();
      if (child.exitCode === null && child.signalCode === null) {
        const gone = once(child, "exit");
        kill();
        await gone;
      }
      process.off("exit", kill);
      await Promise.all([primary, ...replicas].map(async (server) => server.stop()));
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + WITHIN_MS;
  while (!(await holds().catch(() => false))) {
    if (performance.now() > deadlineMs) throw new Error("the Sentinel did not come to the expected state");
    await delay(POLL_MS);
  }
}
