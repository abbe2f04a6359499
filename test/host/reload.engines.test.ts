/** Tokens, secrets and certificates change while an engine runs, by the route and by SIGHUP. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import { runCli } from "../cli/run-cli.ts";
import { freePort } from "../support/free-port.ts";

const OLD = "the-old-operator-token";
const NEW = "the-new-operator-token";
let folder: string;
let port: number;

const write = (name: string, text: string): string => {
  const file = join(folder, name);
  writeFileSync(file, text, { mode: 0o600 });
  return file;
};

function writeConfig(changes: object = {}): string {
  const keys = {
    pair: "reloaded",
    label: "a",
    listen: { port },
    dataDir: join(folder, "a"),
    peer: { links: [{ name: "red", url: "ws://127.0.0.1:1" }] },
    witness: { kind: "sqlite", file: join(folder, "witness.db") },
    auth: {
      tokens: [
        { name: "pair", role: "peer", file: join(folder, "peer-token") },
        { name: "ops", role: "operator", file: join(folder, "ops-token") },
      ],
      controlPlaneSecret: { file: join(folder, "secret") },
    },
    ...changes,
  };
  return write("a.json", JSON.stringify(keys));
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "changeover-reload-"));
  port = await freePort();
  write("peer-token", "the-peer-token-of-the-pair");
  write("ops-token", OLD);
  write("secret", "the-old-control-plane-secret");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Starts the engine as a process; what it says on standard error comes with it. */
async function start(): Promise<{ readonly pid: number; readonly log: () => string }> {
  const child = spawn(process.execPath, ["src/cli/main.ts", "engine", "-c", writeConfig()], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  child.stderr.on("data", (piece: Buffer) => (text += piece.toString()));
  onTestFinished(async () => {
    if (child.exitCode !== null) return;
    child.kill("SIGTERM");
    await once(child, "exit");
  });
  await once(child.stdout, "data");
  return { pid: child.pid ?? 0, log: () => text };
}

const statusWith = async (token: string): Promise<number> =>
  (await fetch(`http://127.0.0.1:${port}/api/state`, { headers: { authorization: `Bearer ${token}` } })).status;

test("changeover reload puts a new token in force, ends the old one, and says what waits for a restart", async () => {
  const { log } = await start();
  expect(await statusWith(OLD)).toBe(200);
  write("ops-token", NEW);
  writeConfig({ failover: { handoverMs: 600 } });
  const url = `http://127.0.0.1:${port}`;
  const done = await runCli(["reload", "--url", url], { CHANGEOVER_TOKEN: OLD });
  expect(done).toMatchObject({ code: 0, stdout: "in force: auth.tokens\nwaits for a restart: failover\n" });
  expect([await statusWith(OLD), await statusWith(NEW)]).toEqual([401, 200]);
  write("peer-token", "another-peer-token-of-it");
  const peer = await runCli(["reload", "--url", url, "--json"], { CHANGEOVER_TOKEN: NEW });
  expect(JSON.parse(peer.stdout)).toEqual({ changed: [], needsRestart: ["auth.tokens of role peer", "failover"] });
  expect(log()).toContain("configuration reloaded");
  for (const secret of [OLD, NEW, "peer-token-of"]) expect(log()).not.toContain(secret);
});

test("SIGHUP does the same; what cannot be used is told and changes nothing", async () => {
  const { pid, log } = await start();
  write("ops-token", "short");
  process.kill(pid, "SIGHUP");
  await expect.poll(log).toContain("auth.tokens[1]");
  expect(await statusWith(OLD)).toBe(200);
  const refused = await runCli(["reload", "--url", `http://127.0.0.1:${port}`], { CHANGEOVER_TOKEN: OLD });
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("invalid_configuration");
  write("ops-token", NEW);
  write("secret", "the-new-control-plane-secret");
  process.kill(pid, "SIGHUP");
  await expect.poll(() => statusWith(NEW)).toBe(200);
  const force = async (secret: string): Promise<number> =>
    (
      await fetch(`http://127.0.0.1:${port}/api/peer/force-leader`, {
        method: "POST",
        headers: { "x-control-plane-secret": secret },
      })
    ).status;
  expect(await force("the-old-control-plane-secret")).toBe(401);
  expect(await force("the-new-control-plane-secret")).not.toBe(401);
});
