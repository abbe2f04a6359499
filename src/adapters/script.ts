/**
 * Runs one script of the user's, without a shell, within a budget of time and output.
 * A script that overruns is killed with everything it started in its process group; running one never throws.
 * The script's environment holds what is named here and what the caller gives, so no secret of ours leaks into it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Clock } from "../ports/basics.ts";
import { existsSync, readFileSync } from "node:fs";

/** Variables that a script inherits. */
const INHERITED = ["PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR"] as const;
/** Bytes of a script's error output that are kept. */
const MAX_STDERR_BYTES = 4_096;

export interface ScriptRun {
  /** Program and arguments. */
  argv: readonly string[];
  env: Readonly<Record<string, string>>;
  /** Written to its standard input. */
  stdin?: string;
  budgetMs: number;
  /** Bytes of standard output; a script that writes more is killed. Default 64 KiB. */
  maxStdoutBytes?: number;
}

/** `exited`: by itself. `overrun`: killed for time or output. `failed`: could not be started, or was broken off. */
export type ScriptOutcome =
  | { outcome: "exited"; code: number; stdout: string; stderr: string }
  | { outcome: "overrun"; why: string }
  | { outcome: "failed"; why: string };

/** A script that is running. */
export interface RunningScript {
  done: Promise<ScriptOutcome>;
  /** Kills it and what it started; `done` then says `failed`. */
  kill(): void;
}

export function startScript(components: { clock: Clock }, run: ScriptRun): RunningScript {
  const { clock } = components;
  const [program = "", ...args] = run.argv;
  let child: ChildProcess;
  try {
    child = spawn(program, args, { env: { ...inherited(), ...run.env }, detached: true, stdio: "pipe" });
  } catch (error) {
    const why = error instanceof Error ? error.message : "cannot be started";
    return { done: Promise.resolve({ outcome: "failed", why }), kill: () => undefined };
  }
  let end: (outcome: ScriptOutcome) => void = () => undefined;
  const ended = new Promise<ScriptOutcome>((resolve) => {
    end = resolve;
  });
  const stop = (outcome: ScriptOutcome): void => {
    killGroup(child);
    end(outcome);
  };
  const overBudget: ScriptOutcome = { outcome: "overrun", why: `still running after ${run.budgetMs} ms` };
  const timer = clock.setTimeout(() => stop(overBudget), run.budgetMs);
  collect(child, run.maxStdoutBytes ?? 65_536, stop, end);
  child.stdin?.on("error", () => undefined); // a script need not read what it is given
  child.stdin?.end(run.stdin ?? "");
  const done = ended.finally(() => {
    clock.clearTimeout(timer);
    child.stdout?.destroy();
    child.stderr?.destroy();
  });
  return { done, kill: () => stop({ outcome: "failed", why: "broken off" }) };
}

function collect(
  child: ChildProcess,
  maxStdoutBytes: number,
  stop: (outcome: ScriptOutcome) => void,
  ended: (outcome: ScriptOutcome) => void,
): void {
  const stdout: Buffer[] = [];
  let stdoutBytes = 0;
  let stderr = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    stdoutBytes += chunk.length;
    if (stdoutBytes > maxStdoutBytes) stop({ outcome: "overrun", why: `wrote more than ${maxStdoutBytes} bytes` });
    else stdout.push(chunk);
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    if (stderr.length < MAX_STDERR_BYTES) stderr += chunk.toString("utf8").slice(0, MAX_STDERR_BYTES);
  });
  child.on("error", (error) => ended({ outcome: "failed", why: error.message }));
  child.on("close", (code, signal) => {
    if (code === null) ended({ outcome: "failed", why: `killed by ${signal ?? "a signal"}` });
    else ended({ outcome: "exited", code, stdout: Buffer.concat(stdout).toString("utf8"), stderr });
  });
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // it has ended by itself
  }
}

function inherited(): Record<string, string> {
  return Object.fromEntries(
    INHERITED.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

// Whether the process named in a pid file lives [EN4]. It is looked up every few milliseconds, because nothing tells a
// process that one which it did not start has ended. On Linux `/proc` also tells a process that has ended but was not
// waited for, and a later process that was given the same id.

const HAS_PROC = existsSync("/proc/self/stat");

/** The process of `file`, as a text that changes when it is started again; null: there is none. */
export function processIn(file: string): string | null {
  const pid = pidIn(file);
  if (pid === null) return null;
  if (!HAS_PROC) return isAlive(pid) ? String(pid) : null;
  try {
    // The name of the program stands in brackets and may hold spaces.
    const [state, ...fields] = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    const startedAt = fields[18] ?? "";
    return state === "Z" || state === "X" ? null : `${pid}-${startedAt}`;
  } catch {
    return null;
  }
}

function pidIn(file: string): number | null {
  try {
    const text = readFileSync(file, "utf8").trim();
    return /^[1-9][0-9]{0,9}$/.test(text) ? Number(text) : null;
  } catch {
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
