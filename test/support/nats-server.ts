/**
 * A NATS with JetStream of a test's own: a free port on loopback, its own folder, ended by its process id.
 * Keeps true: no test touches a NATS that was running before, and none outlives the test process.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { endWithThisProcess, hasEnded, type ServerOptions, type ServerProcess, signalChild } from "./server-process.ts";
import { requireServer } from "./servers.ts";
import { waitUntil } from "./wait-until.ts";

const READY_WITHIN_MS = 15_000;

export type NatsOptions = ServerOptions;

/** `url`: `nats://127.0.0.1:port`. SIGSTOP returns when every thread stands. */
export type NatsServer = ServerProcess;

/** Starts `nats-server` and returns once it answers. Throws with the server's own words when it does not come up. */
export async function startNats(options: NatsOptions = {}): Promise<NatsServer> {
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), "changeover-nats-"));
  const port = options.port ?? (await freePort());
  const settings = ["--addr", "127.0.0.1", "--port", String(port), "--jetstream", "--store_dir", dir];
  const child = spawn(requireServer("nats-server"), [...settings, ...(options.args ?? [])], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const end = endWithThisProcess(child);
  const stop = async (): Promise<void> => {
    await end();
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
  await signalChild(child, name);
  if (name === "SIGSTOP" && !hasEnded(child)) await waitUntil(() => threadsHaveStopped(child.pid ?? 0));
}

/** The signal returns before every thread has stopped, and one that has not still answers. */
function threadsHaveStopped(pid: number): boolean {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.every((thread) => /\) T/.test(readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8")));
}
