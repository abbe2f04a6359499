/**
 * Whether the process named in a pid file lives [EN4]. It is looked up every few milliseconds, because nothing tells a process
 * that one which it did not start has ended. On Linux `/proc` also tells a process that has ended but was not waited for, and
 * a later process that was given the same id.
 */
import { existsSync, readFileSync } from "node:fs";

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
