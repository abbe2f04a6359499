/**
 * A NATS with JetStream of a test's own: a free port on loopback, its own folder, ended by its process id.
 * Keeps true: no test touches a NATS that was running before, and none outlives the test process.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { requireServer } from "./servers.ts";
import { waitUntil } from "./wait-until.ts";

const READY_WITHIN_MS = 15_000;

export interface NatsOptions {
  /** Listens here instead of on any free port, as after a restart. */
  readonly port?: number;
  /** Keeps its data here, and leaves it there; else a temporary folder that `stop` removes. */
  readonly dir?: string;
  /** Further settings, as on the command line: `["--user", "u", "--pass", "p"]`. */
  readonly args?: readonly string[];
}

export interface NatsServer {
  readonly port: number;
  /** `nats://127.0.0.1:port` */
  readonly url: string;
  readonly dir: string;
  readonly pid: number;
  /** SIGSTOP returns when every thread stands, SIGCONT at once, SIGKILL and SIGTERM when the process is gone. */
  signal(name: "SIGSTOP" | "SIGCONT" | "SIGKILL" | "SIGTERM"): Promise<void>;
  /** Kills it and removes a folder it made itself. Safe to call twice. */
  stop(): Promise<void>;
}

/** Starts `nats-server` and returns once it answers. Throws with the server's own words when it does not come up. */
export async function startNats(options: NatsOptions = {}): Promise<NatsServer> {
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), "changeover-nats-"));
  const port = options.port ?? (await freePort());
  const settings = ["--addr", "127.0.0.1", "--port", String(port), "--jetstream", "--store_dir", dir];
  const child = spawn(requireServer("nats-server"), [...settings, ...(options.args ?? [])], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);
  child.once("exit", () => process.off("exit", kill));
  const stop = async (): Promise<void> => {
    await ended(child, kill);
    if (options.dir === undefined) rmSync(dir, { recursive: true, force: true });
  };
  await ready(child, port).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  const url = `nats://127.0.0.1:${port}`;
  return { port, url, dir, pid: child.pid ?? 0, stop, signal: async (name) => signal(child, name) };
}

async function ready(child: ChildProcess, port: number): Promise<void> {
  let said = "";
  child.on("error", (error) => (said += error.message));
  child.stderr?.on("data", (chunk: Buffer) => (said += chunk.toString()));
  await waitUntil(() => said.includes("Server is ready") || hasEnded(child), READY_WITHIN_MS);
  if (hasEnded(child) || !(await greets(port))) throw new Error(`nats-server did not start: ${said}`);
}

/** Whether a server on this port sends its INFO. */
async function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const settle = (greeted: boolean): void => {
      socket.destroy();
      resolve(greeted);
    };
    socket.setTimeout(5_000, () => settle(false));
    socket.once("data", (greeting: Buffer) => settle(greeting.toString().startsWith("INFO")));
    socket.once("error", () => settle(false));
  });
}

async function signal(child: ChildProcess, name: NodeJS.Signals): Promise<void> {
  if (hasEnded(child)) return;
  const gone = name === "SIGKILL" || name === "SIGTERM" ? once(child, "exit") : undefined;
  child.kill(name);
  await gone;
  if (name === "SIGSTOP") await waitUntil(() => threadsHaveStopped(child.pid ?? 0));
}

/** The signal returns before every thread has stopped, and one that has not still answers. */
function threadsHaveStopped(pid: number): boolean {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.every((thread) => /\) T/.test(readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8")));
}

async function ended(child: ChildProcess, kill: () => void): Promise<void> {
  if (hasEnded(child)) return;
  const gone = once(child, "exit");
  kill();
  await gone;
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
}
