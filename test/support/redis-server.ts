/**
 * A Redis of a test's own: a free port on loopback, its own folder, ended by its process id.
 * Keeps true: no test touches a Redis that was running before, and none outlives the test process.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "./free-port.ts";
import { endWithThisProcess, hasEnded, type ServerOptions, type ServerProcess, signalChild } from "./server-process.ts";
import { requireServer } from "./servers.ts";

/** How long Redis may take to answer its first PING. */
const READY_WITHIN_MS = 15_000;
/** How often a lost race for a free port is tried again. */
const MAX_STARTS = 5;
/** Pause between two looks whether it answers. */
const POLL_MS = 20;

export type RedisOptions = ServerOptions;

/** `url`: `redis://127.0.0.1:port`. SIGSTOP and SIGCONT return at once. */
export type RedisServer = ServerProcess;

/**
 * Starts `redis-server` and returns once it answers.
 *
 * @throws Error with the server's own words when it does not come up
 */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), "changeover-redis-"));
  const removeDir = (): void => {
    if (options.dir === undefined) rmSync(dir, { recursive: true, force: true });
  };
  let words = "";
  for (let start = 1; start <= MAX_STARTS; start += 1) {
    const port = options.port ?? (await freePort());
    const child = launch(port, dir, options.args ?? []);
    const end = endWithThisProcess(child);
    words = await firstAnswer(child, port);
    if (words === "") return handle(child, port, dir, end, removeDir);
    await end();
  }
  removeDir();
  throw new Error(`redis-server did not start: ${words}`);
}

function launch(port: number, dir: string, args: readonly string[]): ChildProcess {
  const settings = ["--port", String(port), "--bind", "127.0.0.1", "--dir", dir, "--save", "", "--daemonize", "no"];
  return spawn(requireServer("redis-server"), [...settings, ...args], { stdio: ["ignore", "pipe", "pipe"] });
}

/** Waits for the first PONG; resolves to "" then, else to what the server said. */
async function firstAnswer(child: ChildProcess, port: number): Promise<string> {
  let said = "";
  child.on("error", (error) => (said += error.message));
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const deadlineMs = performance.now() + READY_WITHIN_MS;
  while (performance.now() < deadlineMs && !hasEnded(child)) {
    // Another process may answer on the port, so that a PONG counts only while our child lives on it.
    if ((await ping(port)) && said.includes("Ready to accept connections")) return "";
    await delay(POLL_MS);
  }
  return said === "" ? `no answer within ${READY_WITHIN_MS} ms` : said;
}

async function ping(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write("PING\r\n"));
    const settle = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(1_000, () => settle(false));
    socket.once("data", (reply: Buffer) => settle(reply.toString().startsWith("+PONG")));
    socket.once("error", () => settle(false));
    socket.once("close", () => settle(false));
  });
}

function handle(
  child: ChildProcess,
  port: number,
  dir: string,
  end: () => Promise<void>,
  removeDir: () => void,
): RedisServer {
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    dir,
    pid: child.pid ?? 0,
    signal: async (name) => signalChild(child, name),
    async stop() {
      await end();
      removeDir();
    },
  };
}
