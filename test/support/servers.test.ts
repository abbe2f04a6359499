/** Proves that a suite whose server is missing is never passed over in silence. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test, vi } from "vitest";
import { findServer } from "./servers.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const VITEST = join(ROOT, "node_modules/vitest/vitest.mjs");
const RUN_TIMEOUT_MS = 120_000;

interface Outcome {
  readonly failed: boolean;
  readonly output: string;
}

/** Runs a suite that needs Redis, as on a machine that has none. */
async function runWithoutRedis(env: Record<string, string>): Promise<Outcome> {
  const args = [VITEST, "run", "--no-color", "--project", "server", "test/support/redis-server"];
  const bare = { PATH: "/nowhere", HOME: process.env["HOME"] ?? "/", ...env };
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: ROOT, env: bare }, (error, stdout, stderr) =>
      resolve({ failed: error !== null, output: stdout + stderr }),
    );
  });
}

test("a missing server fails the suite under CI", { timeout: RUN_TIMEOUT_MS }, async () => {
  const { failed, output } = await runWithoutRedis({ CI: "true" });
  expect(output).toContain("NOT RUN, needs redis-server");
  expect(failed).toBe(true);
});

test("elsewhere it leaves the suite out and says so at the end", { timeout: RUN_TIMEOUT_MS }, async () => {
  const { failed, output } = await runWithoutRedis({});
  expect(failed).toBe(false);
  expect(output.slice(output.indexOf("LEFT OUT of this run"))).toContain("needs redis-server (npm run setup:services)");
});

test("an environment variable names the server to use, and a wrong one is refused", () => {
  onTestFinished(() => void vi.unstubAllEnvs());
  vi.stubEnv("REDIS_SERVER", process.execPath);
  expect(findServer("redis-server")).toBe(process.execPath);
  vi.stubEnv("REDIS_SERVER", "/nowhere/redis-server");
  expect(() => findServer("redis-server")).toThrow("REDIS_SERVER=/nowhere/redis-server is not a file that can be run");
});
