/**
 * Finds the servers and tools that some suites need, and holds such suites back where one is missing.
 * Keeps true: a suite whose server is missing is told loudly, and under `CI=true` it fails; it never passes silently.
 * Does not start anything: see `redis-server.ts` and its like.
 */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, test } from "vitest";
import { UNMET_NEED } from "./left-out-reporter.ts";

/** What a suite may ask for, each by its command; `npm run setup:services` installs them all. */
export type ServerName =
  | "redis-server"
  | "nats-server"
  | "haproxy"
  | "nginx"
  | "chromium"
  | "ip"
  | "iptables"
  | "faketime"
  | "keepalived"
  | "openssl"
  | "systemd-analyze"
  | "systemd-notify"
  | "promtool"
  | "python3"
  | "obs"
  | "Xvfb"
  | "gcc";

/** Debian keeps daemons here, where an ordinary user's PATH does not look. */
const SYSTEM_FOLDERS = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/**
 * Looks for a command in this order: the environment variable named after it (`REDIS_SERVER`, `CHROMIUM`), PATH and
 * the system folders, then a folder that Debian packages were extracted to (`CHANGEOVER_SERVERS_DIR`).
 *
 * @returns its path, or undefined where it is not installed
 * @throws Error when the environment variable names a file that cannot be run
 */
export function findServer(name: ServerName): string | undefined {
  const variable = name.toUpperCase().replaceAll("-", "_");
  const named = process.env[variable];
  if (named !== undefined && named !== "") {
    if (!isExecutable(named)) throw new Error(`${variable}=${named} is not a file that can be run`);
    return named;
  }
  return searchFolders()
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

/** The path of a command that is known to be there, as inside a `describeWithServer` suite. */
export function requireServer(name: ServerName): string {
  const path = findServer(name);
  if (path === undefined) throw new Error(`${name} is not installed: npm run setup:services`);
  return path;
}

/** A `describe` that runs only where every named server is installed. */
export function describeWithServer(names: ServerName | readonly ServerName[], title: string, suite: () => void): void {
  const missing = [names].flat().filter((name) => findServer(name) === undefined);
  if (missing.length === 0) {
    describe(title, suite);
    return;
  }
  const need = `${UNMET_NEED} ${missing.join(", ")} (npm run setup:services)`;
  if (isContinuousIntegration()) {
    test(title, () => {
      throw new Error(`${need}; under CI a suite may not be left out`);
    });
    return;
  }
  describe.skip(`${title} — ${need}`, suite);
}

function isContinuousIntegration(): boolean {
  const value = process.env["CI"];
  return value !== undefined && value !== "" && value !== "0" && value !== "false";
}

function searchFolders(): string[] {
  const path = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  const extracted = process.env["CHANGEOVER_SERVERS_DIR"];
  const unpacked = extracted ? ["usr/bin", "usr/sbin", "bin", "sbin"].map((folder) => join(extracted, folder)) : [];
  return [...path, ...SYSTEM_FOLDERS, ...unpacked];
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
