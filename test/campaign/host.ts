/**
 * One host of the pair: the coordinator's process, with `--engine http` an engine in Python beside it, their data and
 * their logs. Knows every exit that nobody asked for.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { Label } from "../../src/core/ids.ts";
import { endWithThisProcess, hasEnded } from "../support/server-process.ts";
import { findServer, requireServer } from "../support/servers.ts";

const EXAMPLE_ENGINE = fileURLToPath(new URL("../../examples/http-engine/engine.py", import.meta.url));
const FAKETIME_LIBRARIES = ["/usr/lib", "/usr/lib64", "/usr/local/lib"];
/** A start takes a second; a machine that others share has taken more than thirty. */
const START_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 10_000;
export const ENGINE_PORT = 9100;

export interface HostInit {
  readonly label: Label;
  readonly url: string;
  /** Everything of this host but its data: configuration, logs, clock. */
  readonly folder: string;
  readonly dataDir: string;
  readonly program: string;
  /** Runs a command on this host. */
  readonly on: (command: readonly string[]) => readonly [string, ...string[]];
  readonly hasEngine: boolean;
  readonly fakeClock: boolean;
  /** Where Node keeps what it compiled, so that a start costs half. */
  readonly compileCache: string;
}

export class Host {
  readonly label: Label;
  readonly url: string;
  readonly dataDir: string;
  /** Exits that nobody asked for, and what was said last. */
  readonly deaths: string[] = [];
  readonly #init: HostInit;
  readonly #coordinator: Part;
  readonly #engine: Part | null;

  constructor(init: HostInit) {
    this.label = init.label;
    this.url = init.url;
    this.dataDir = init.dataDir;
    this.#init = init;
    this.stepClock(0);
    const config = join(init.folder, `engine-${init.label}.yaml`);
    const node = [process.execPath, init.program, "engine", "-c", config];
    this.#coordinator = new Part(
      `coordinator ${init.label}`,
      init.on(node),
      this.logFile,
      this.#environment(),
      this.deaths,
    );
    const python = [requireServer("python3"), EXAMPLE_ENGINE, "--port", String(ENGINE_PORT)];
    const path = { PATH: process.env["PATH"] ?? "" };
    const engineLog = join(init.folder, `python-${init.label}.log`);
    this.#engine = init.hasEngine
      ? new Part(`engine ${init.label}`, init.on(python), engineLog, path, this.deaths)
      : null;
  }

  get logFile(): string {
    return join(this.#init.folder, `coordinator-${this.label}.log`);
  }

  get coordinator(): Part {
    return this.#coordinator;
  }

  /** The engine in Python; throws in a round with embedded engines. */
  get engine(): Part {
    if (this.#engine === null) throw new Error("the engine is embedded");
    return this.#engine;
  }

  /** Starts what does not run; resolves when it has said that it is ready. */
  async start(): Promise<void> {
    await this.#engine?.start();
    await this.#coordinator.start();
  }

  thaw(): void {
    this.#coordinator.signal("SIGCONT");
    this.#engine?.signal("SIGCONT");
  }

  /** Moves the wall clock of this host by so much from the true time, ms. */
  stepClock(byMs: number): void {
    writeFileSync(this.#clockFile, `${byMs < 0 ? "-" : "+"}${Math.abs(byMs) / 1_000}`);
  }

  async close(): Promise<void> {
    await Promise.all([this.#coordinator.kill(), this.#engine?.kill()]);
  }

  get #clockFile(): string {
    return join(this.#init.folder, `clock-${this.label}`);
  }

  #environment(): Readonly<Record<string, string>> {
    const own = { PATH: process.env["PATH"] ?? "", NODE_COMPILE_CACHE: this.#init.compileCache };
    if (!this.#init.fakeClock) return own;
    return {
      ...own,
      LD_PRELOAD: faketimeLibrary(),
      FAKETIME_TIMESTAMP_FILE: this.#clockFile,
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
      FAKETIME_CACHE_DURATION: "1",
    };
  }
}

type ChildWithOutput = ChildProcess & { readonly stdout: Readable };

/** One process that is started again and again. */
export class Part {
  readonly name: string;
  readonly #command: readonly [string, ...string[]];
  readonly #logFile: string;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #deaths: string[];
  #child: ChildProcess | null = null;
  #end: () => Promise<void> = async () => {};
  #mayEnd = false;

  constructor(
    name: string,
    command: readonly [string, ...string[]],
    logFile: string,
    environment: Readonly<Record<string, string>>,
    deaths: string[],
  ) {
    this.name = name;
    this.#command = command;
    this.#logFile = logFile;
    this.#environment = environment;
    this.#deaths = deaths;
  }

  get pid(): number | null {
    return this.#child === null || hasEnded(this.#child) ? null : (this.#child.pid ?? null);
  }

  async start(): Promise<void> {
    if (this.pid !== null) return;
    const log = openSync(this.#logFile, "a");
    const [program, ...args] = this.#command;
    const child = spawn(program, args, {
      env: { ...this.#environment },
      stdio: ["ignore", "pipe", log],
    }) as ChildWithOutput;
    closeSync(log);
    this.#child = child;
    this.#mayEnd = false;
    this.#end = endWithThisProcess(child);
    child.once("exit", (code, signal) => {
      if (this.#child === child && !this.#mayEnd) this.#deaths.push(this.#obituary(code, signal));
    });
    const ended = once(child, "exit").then(() => "it ended");
    const ready = new Promise<null>((resolve) => child.stdout.once("data", () => resolve(null)));
    const late = new Promise<string>((resolve) => setTimeout(resolve, START_WITHIN_MS, "it said nothing").unref());
    const trouble = await Promise.race([ready, ended, late]);
    // Killed by a fault while it started: the round goes on.
    if (trouble !== null && !this.#mayEnd)
      throw new Error(`${this.name} did not start, ${trouble}: ${this.#lastWords()}`);
  }

  signal(name: "SIGSTOP" | "SIGCONT"): void {
    this.#child?.kill(name);
  }

  async kill(): Promise<void> {
    this.#mayEnd = true;
    await this.#end();
  }

  /** Asks it to end. A process that does not within ten seconds, or with another code than 0, counts as a death. */
  async terminate(): Promise<void> {
    const child = this.#child;
    if (child === null || hasEnded(child)) return;
    this.#mayEnd = true;
    const gone = once(child, "exit", { signal: AbortSignal.timeout(STOP_WITHIN_MS) });
    child.kill("SIGCONT");
    child.kill("SIGTERM");
    try {
      const [code, signal] = (await gone) as [number | null, string | null];
      if (code !== 0 && signal !== "SIGTERM" && signal !== "SIGKILL") this.#deaths.push(this.#obituary(code, signal));
    } catch {
      this.#deaths.push(`${this.name} did not end within ${STOP_WITHIN_MS} ms of SIGTERM: ${this.#lastWords()}`);
      await this.#end();
    }
  }

  #obituary(code: number | null, signal: string | null): string {
    return `${this.name} ended by itself (${signal ?? `code ${code}`}): ${this.#lastWords()}`;
  }

  #lastWords(): string {
    return readFileSync(this.#logFile, "utf8").trim().split("\n").slice(-3).join(" | ");
  }
}

/** `libfaketimeMT.so.1`, which comes with the command `faketime`. */
function faketimeLibrary(): string {
  if (findServer("faketime") === undefined) requireServer("faketime");
  // Debian and Fedora keep it in different folders; the dynamic linker knows none of them.
  const name = "faketime/libfaketimeMT.so.1";
  const folders = FAKETIME_LIBRARIES.flatMap((folder) => [
    folder,
    `${folder}/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu`,
  ]);
  const found = folders.map((folder) => join(folder, name)).find((file) => isThere(file));
  if (found === undefined) throw new Error(`${name} is in none of ${folders.join(", ")}: npm run setup:services`);
  return found;
}

function isThere(file: string): boolean {
  try {
    closeSync(openSync(file, "r"));
    return true;
  } catch {
    return false;
  }
}
