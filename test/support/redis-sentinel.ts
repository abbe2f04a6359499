/**
 * A Redis with a replica, watched by one Sentinel of a test's own.
 * Keeps true: as for `redis-server.ts`: free ports on loopback, own folders, nothing outlives the test process.
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
  readonly replica: RedisServer;
  /** Resolves once the Sentinel names the replica as the server to use. */
  failedOver(): Promise<void>;
  /** Safe to call twice. */
  stop(): Promise<void>;
}

/** Starts all three; returns once the Sentinel knows the replica and the replica follows. */
export async function startRedisUnderSentinel(): Promise<RedisUnderSentinel> {
  const name = "witness";
  const primary = await startRedis({ args: ["--repl-diskless-sync-delay", "0"] });
  const replica = await startRedis({ args: ["--replicaof", `127.0.0.1 ${primary.port}`] });
  const sentinelPort = await freePort();
  const dir = mkdtempSync(join(tmpdir(), "changeover-sentinel-"));
  const settings = [
    `port ${sentinelPort}`,
    "bind 127.0.0.1",
    `dir ${dir}`,
    `sentinel monitor ${name} 127.0.0.1 ${primary.port} 1`,
    `sentinel down-after-milliseconds ${name} 300`,
    `sentinel failover-timeout ${name} 3000`,
  ];
  const file = join(dir, "sentinel.conf");
  writeFileSync(file, `${settings.join("\n")}\n`);
  const child = spawn(requireServer("redis-server"), [file, "--sentinel"], { stdio: "ignore" });
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);
  const client = new Redis({ host: "127.0.0.1", port: sentinelPort, retryStrategy: () => POLL_MS });
  client.on("error", () => undefined);

  await until(async () => {
    const [watched] = (await client.call("sentinel", "replicas", name)) as string[][];
    return watched !== undefined && watched[watched.indexOf("master-link-status") + 1] === "ok";
  });
  return {
    name,
    sentinelPort,
    primary,
    replica,
    failedOver: async () =>
      until(async () => {
        const address = (await client.call("sentinel", "get-master-addr-by-name", name)) as string[];
        return address[1] === String(replica.port);
      }),
    stop: async () => {
      client.disconnect();
      if (child.exitCode === null && child.signalCode === null) {
        const gone = once(child, "exit");
        kill();
        await gone;
      }
      process.off("exit", kill);
      await Promise.all([primary.stop(), replica.stop()]);
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
