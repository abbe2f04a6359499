/** Whoever reads the output may go away at any moment: a command ends quietly, an engine stays on air. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { freePort } from "../support/free-port.ts";
import { waitUntil } from "../support/wait-until.ts";

const folder = mkdtempSync(join(tmpdir(), "changeover-reader-"));
let child: ChildProcess;
afterEach(async () => {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  rmSync(folder, { recursive: true, force: true });
});

async function engineUnread(): Promise<string> {
  const port = await freePort();
  const file = join(folder, "a.json");
  const links = [{ name: "red", url: `ws://127.0.0.1:${await freePort()}` }];
  const rest = { dataDir: join(folder, "a"), witness: { kind: "none" }, log: { level: "debug" } };
  writeFileSync(file, JSON.stringify({ pair: "studio-1", label: "a", listen: { port }, peer: { links }, ...rest }));
  child = spawn(process.execPath, ["src/cli/main.ts", "engine", "-c", file], { stdio: ["ignore", "pipe", "pipe"] });
  child.stdout?.destroy();
  child.stderr?.destroy();
  return `http://127.0.0.1:${port}`;
}

test("an engine whose log nobody reads any more leads on", async () => {
  const url = await engineUnread();
  const leads = () =>
    fetch(`${url}/leader`).then(
      ({ status }) => status === 200,
      () => false,
    );
  await expect.poll(leads, { timeout: 15_000 }).toBe(true);
  expect(await leads()).toBe(true);
  expect(child.exitCode).toBeNull();
});

test.runIf(existsSync("/dev/full"))("output that a full disk does not take is a failure", async () => {
  const full = openSync("/dev/full", "w");
  child = spawn(process.execPath, ["src/cli/main.ts", "machines", "export"], { stdio: ["ignore", full, "pipe"] });
  let told = "";
  child.stderr?.on("data", (piece: Buffer) => (told += piece.toString()));
  await once(child, "close");
  closeSync(full);
  expect({ code: child.exitCode, told }).toEqual({
    code: 1,
    told: "changeover: the output cannot be written (ENOSPC)\n",
  });
});

test("a command whose reader has gone ends without a word", async () => {
  child = spawn(process.execPath, ["src/cli/main.ts", "machines", "export"], { stdio: ["ignore", "pipe", "pipe"] });
  let told = "";
  child.stderr?.on("data", (piece: Buffer) => (told += piece.toString()));
  child.stdout?.destroy();
  await waitUntil(() => child.exitCode !== null);
  expect({ code: child.exitCode, told }).toEqual({ code: 0, told: "" });
});
