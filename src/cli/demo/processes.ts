/**
 * One engine of the demonstration as a real process: started by the same launcher, killed, frozen and woken by
 * real signals.
 * No engine outlives the demonstration, frozen ones included.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import type { Label } from "../../core/ids.ts";
import { CliError, EXIT } from "../exit.ts";

export interface EngineInit {
  readonly label: Label;
  readonly url: string;
  readonly configFile: string;
  readonly logFile: string;
  /** Path of the launcher. */
  readonly launcher: string;
  /** What it is started with; `engine -c configFile` unless given. */
  readonly args?: readonly string[];
  /** What it is called when it does not start; `engine a` unless given. */
  readonly name?: string;
}

const READY_WITHIN_MS = 45_000;
const STOP_WITHIN_MS = 5_000;

export class EngineProcess {
  readonly label: Label;
  readonly url: string;
  readonly #init: EngineInit;
  #child: ChildProcess | null = null;
  #frozen = false;
  readonly #killChild = (): void => void this.#child?.kill("SIGKILL");

  constructor(init: EngineInit) {
    this.label = init.label;
    this.url = init.url;
    this.#init = init;
  }

  get running(): boolean {
    return this.#child !== null;
  }

  /** As people call it. */
  get name(): string {
    return this.#init.name ?? `engine ${this.label}`;
  }

  /** Whether it is stopped by SIGSTOP. */
  get frozen(): boolean {
    return this.#frozen;
  }

  /** Process id; null while it does not run. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** Resolves when it has said that it is ready. Does nothing when it runs already. */
  async start(): Promise<void> {
    if (this.#child !== null) return;
    const { launcher, configFile, logFile, args = ["engine", "-c", configFile] } = this.#init;
    const log = openSync(logFile, "a");
    const child = spawn(process.execPath, [launcher, ...args], {
      env: withoutOwnVariables(process.env),
      stdio: ["ignore", "pipe", log],
    });
    closeSync(log);
    this.#child = child;
    // Before its folder goes.
    process.prependOnceListener("exit", this.#killChild);
    child.once("exit", () => this.#forget(child));
    const ended = once(child, "exit").then(() => "ended" as const);
    const ready = new Promise<"ready">((resolve) => child.stdout?.once("data", () => resolve("ready")));
    const late = new Promise<"late">((resolve) => setTimeout(resolve, READY_WITHIN_MS, "late").unref());
    const outcome = await Promise.race([ready, ended, late]);
    if (outcome === "ready") return;
    const why = outcome === "late" ? `it said nothing within ${READY_WITHIN_MS / 1_000} s` : this.#howItEnded(child);
    throw new CliError(EXIT.failed, `${this.name} did not start: ${why}; its log: ${logFile}`);
  }

  /** SIGKILL: no word of farewell. Returns at once. */
  kill(): void {
    this.#child?.kill("SIGKILL");
  }

  freeze(): void {
    this.#frozen = this.#child !== null;
    this.#child?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#frozen = false;
    this.#child?.kill("SIGCONT");
  }

  /** Resolves when it does not run any more. */
  async gone(): Promise<void> {
    if (this.#child !== null) await once(this.#child, "exit");
  }

  /**
   * Asks it to stop cleanly; kills it when that takes too long.
   *
   * @returns its exit code; null where it had to be killed, or did not run
   */
  async stop(): Promise<number | null> {
    const child = this.#child;
    if (child === null) return null;
    const gone = once(child, "exit");
    child.kill("SIGCONT");
    child.kill("SIGTERM");
    const tooLong = setTimeout(() => child.kill("SIGKILL"), STOP_WITHIN_MS);
    const [code] = (await gone) as [number | null];
    clearTimeout(tooLong);
    return code;
  }

  #forget(child: ChildProcess): void {
    if (this.#child !== child) return;
    this.#child = null;
    this.#frozen = false;
    process.off("exit", this.#killChild);
  }

  #howItEnded({ exitCode, signalCode }: ChildProcess): string {
    const lines = readFileSync(this.#init.logFile, "utf8").split("\n");
    const words = lines.findLast((text) => text.trim() !== "");
    return `${signalCode === null ? `exit ${exitCode}` : `ended by ${signalCode}`}, ${words ?? "it said nothing"}`;
  }
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Calls `leave` once this process is asked to end; the function that comes back takes that away again. */
export function onInterrupt(leave: () => void): () => void {
  for (const signal of SIGNALS) process.once(signal, leave);
  return () => {
    for (const signal of SIGNALS) process.off(signal, leave);
  };
}

/** `folder` goes with this process, unless the function that comes back is called before. */
export function goesAtExit(folder: string): () => void {
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  process.once("exit", remove);
  return () => void process.off("exit", remove);
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}

/** The user's own settings are for the user's own engines. */
function withoutOwnVariables(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith("CHANGEOVER_")));
}
