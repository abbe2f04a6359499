/** The example of an engine that embeds Changeover, run as its README says, twice. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { untilReady } from "../cli/engine-pair.ts";
import { freePort } from "../support/free-port.ts";

const folder = mkdtempSync(join(tmpdir(), "changeover-embed-"));
const engines: ChildProcess[] = [];
let urls: { a: string; b: string };

beforeAll(async () => {
  const ports = { a: await freePort(), b: await freePort() };
  urls = { a: `http://127.0.0.1:${ports.a}`, b: `http://127.0.0.1:${ports.b}` };
  await Promise.all([start("a", ports.a, ports.b), start("b", ports.b, ports.a)]);
  await untilReady(urls);
});

afterAll(async () => {
  for (const engine of engines) {
    const gone = engine.exitCode !== null || engine.signalCode !== null ? null : once(engine, "exit");
    engine.kill("SIGTERM");
    await gone;
  }
  rmSync(folder, { recursive: true, force: true });
});

async function start(label: string, port: number, peerPort: number): Promise<void> {
  const file = join(folder, `${label}.json`);
  const config = {
    pair: "arena",
    label,
    listen: { port },
    dataDir: join(folder, label),
    peer: { links: [{ name: "red", url: `ws://127.0.0.1:${peerPort}` }] },
    witness: { kind: "sqlite", file: join(folder, "witness.db") },
  };
  writeFileSync(file, JSON.stringify(config));
  const args = ["--import", "./test/support/own-package.ts", "examples/embed/scoreboard.js", file];
  const engine = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "ignore"] });
  engines.push(engine);
  await once(engine.stdout, "data");
}

async function score(url: string, body: unknown): Promise<Response> {
  return fetch(`${url}/engine/score`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

async function shown(url: string): Promise<unknown> {
  return (await fetch(`${url}/engine/`)).json();
}

test("both count, and the one that is left goes on counting", async () => {
  // Which of the two leads first is not said: on a busy machine b may have been the earlier one.
  const aLeads = (await fetch(`${urls.a}/leader`)).status === 200;
  const [leader, other] = aLeads ? [urls.a, urls.b] : [urls.b, urls.a];
  expect((await score(leader, { team: "home", points: 3 })).status).toBe(200);
  await expect.poll(() => shown(other)).toEqual({ home: 3, away: 0 });
  engines[aLeads ? 0 : 1]?.kill("SIGKILL");
  await expect.poll(async () => (await fetch(`${other}/leader`)).status, { timeout: 10_000 }).toBe(200);
  expect((await score(other, { team: "away", points: 2 })).status).toBe(200);
  await expect.poll(() => shown(other)).toEqual({ home: 3, away: 2 });
  urls = { a: other, b: other };
});

test("what the engine does not take is told in its own words", async () => {
  const refused = await score(urls.b, { team: "referee", points: 1 });
  expect(refused.status).toBe(422);
  expect(await refused.json()).toMatchObject({
    code: "invalid_command",
    detail: expect.stringContaining("payload must be") as string,
  });
});

test("it is a whole engine small enough to read at once", () => {
  expect(readFileSync("examples/embed/scoreboard.js", "utf8").trim().split("\n").length).toBeLessThanOrEqual(50);
});
