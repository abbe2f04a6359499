/**
 * A Redis of a test's own: a free port on loopback, its own folder, ended by its process id.
 * Keeps true: no test touches a Redis that was running before, and none outlives the test process.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "./free-port.ts";
import { requireServer } from "./servers.ts";

/** How long Redis may take to answer its first PING. */
const READY_WITHIN_MS = 15_000;
/** How often a lost race for a free port is tried again. */
const MAX_STARTS = 5;
/** Pause between two looks whether it answers. */
const POLL_MS = 20;

export interface RedisOptions {
  /** Listens here instead of on any free port, as after a restart. */
  readonly port?: number;
  /** Keeps its data here, and leaves it there; else a temporary folder that `stop` removes. */
  readonly dir?: string;
  /** Further settings, as on the command line: `["--appendonly", "yes"]`. */
  readonly args?: readonly string[];
}

export interface RedisServer {
  readonly port: number;
  /** `redis://127.0.0.1:port` */
  readonly url: string;
  readonly dir: string;
  readonly pid: number;
  /** Sends a signal: SIGSTOP and SIGCONT return at once, SIGKILL and SIGTERM when the process is gone. */
  signal(name: "SIGSTOP" | "SIGCONT" | "SIGKILL" | "SIGTERM"): Promise<void>;
  /** Kills it and removes a folder it made itself. Safe to call twice. */
  stop(): Promise<void>;
}

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

/** Ties the child's life to ours; returns a way to end it that waits until it is gone. */
function endWithThisProcess(child: ChildProcess): () => Promise<void> {
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);
  child.once("exit", () => process.off("exit", kill));
  return async () => {
    if (hasEnded(child)) return;
    const gone = once(child, "exit");
    kill();
    await gone;
  };
}

/** Waits for the first PONG; resolves to "" then, else to what the server said. */
async function firstAnswer(child: ChildProcess, port: number): Promise<string> {
  let said = "";
  child.on("error", (error) => (said += error.message));
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const deadlineMs = performance.now() + READY_WITHIN_MS;
  while (performance.now() < deadlineMs && !hasEnded(child) && child.pid !== undefined) {
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
    async signal(name) {
      const gone = name === "SIGKILL" || name === "SIGTERM" ? once(child, "exit") : undefined;
      if (hasEnded(child)) return;
      child.kill(name);
      await gone;
    },
    async stop() {
      await end();
      removeDir();
    },
  };
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
