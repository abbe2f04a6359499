/**
 * What the servers that tests start have in common: how one is asked for, what a test holds of it, how it ends.
 * Keeps true: none outlives the test process, and each is ended by its process id.
 */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";

export interface ServerOptions {
  /** Listens here instead of on any free port, as after a restart. */
  readonly port?: number;
  /** Keeps its data here, and leaves it there; else a temporary folder that `stop` removes. */
  readonly dir?: string;
  /** Further settings, as on the command line: `["--appendonly", "yes"]`. */
  readonly args?: readonly string[];
}

export interface ServerProcess {
  readonly port: number;
  /** Its scheme, `127.0.0.1` and the port. */
  readonly url: string;
  readonly dir: string;
  readonly pid: number;
  /** SIGKILL and SIGTERM return when the process is gone. */
  signal(name: "SIGSTOP" | "SIGCONT" | "SIGKILL" | "SIGTERM"): Promise<void>;
  /** Kills it and removes a folder it made itself. Safe to call twice. */
  stop(): Promise<void>;
}

/** Ties the child's life to ours; returns a way to end it that waits until it is gone. */
export function endWithThisProcess(child: ChildProcess): () => Promise<void> {
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

/** Sends a signal; one that ends the child is waited for. */
export async function signalChild(child: ChildProcess, name: NodeJS.Signals): Promise<void> {
  if (hasEnded(child)) return;
  const gone = name === "SIGKILL" || name === "SIGTERM" ? once(child, "exit") : undefined;
  child.kill(name);
  await gone;
}

/** Whether it ended, or was never started. */
export function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
}
