/** A person operates a real pair from the command line: every command that speaks to an engine, against two of them. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadRundown, Show } from "../../src/cli/demo/show.ts";
import { type EnginePair, startPair, untilReady } from "./engine-pair.ts";
import { type CliEnd, runCli } from "./run-cli.ts";

let pair: EnginePair;

beforeAll(async () => {
  writeFileSync(secretFile, "quiet-please-0123456\n");
  // The tests name who leads, so a machine that is busy for a moment must not move the role.
  const engine = { kind: "reference", stallMs: 5_000 };
  pair = await startPair({ auth: { controlPlaneSecret: { file: secretFile } }, engine });
});
afterAll(async () => {
  await pair.close();
  rmSync(secrets, { recursive: true });
});

const secrets = mkdtempSync(join(tmpdir(), "changeover-secret-"));
const secretFile = join(secrets, "control-plane");

/** Runs a command at the engine with this label. */
async function at(label: "a" | "b", ...args: string[]): Promise<CliEnd> {
  return runCli(args, { CHANGEOVER_URL: pair.urls[label] });
}

async function jsonAt<T>(label: "a" | "b", ...args: string[]): Promise<T> {
  const end = await at(label, ...args, "--json");
  expect(end).toMatchObject({ code: 0, stderr: "" });
  return JSON.parse(end.stdout) as T;
}

test("status shows the same pair from both sides", async () => {
  const a = await at("a", "status");
  expect(a.stdout).toContain("studio-1 · engine a · LEADER · epoch 1 · on-air");
  expect(await jsonAt("b", "status")).toMatchObject({ role: "follower", leader: "a", epoch: 1 });
});

test("ops tail shows the last commands of the show, the same at both engines", async () => {
  const show = new Show(loadRundown(), pair.urls);
  await show.play(5);
  expect(show.refused).toEqual([]);
  const tail = async (label: "a" | "b") => (await at(label, "ops", "tail", "-n", "3", "--json")).stdout;
  const lines = (await tail("a")).trim().split("\n");
  expect(lines.map((line) => (JSON.parse(line) as { seq: number }).seq)).toEqual([3, 4, 5]);
  expect((await at("a", "ops", "tail")).stdout).toMatch(/1\/1 {2}POST \/api\/switch\/cut {2}\{"source":"cam2"\}/);
});

test("handover moves the role, and the history says so", async () => {
  const refused = await at("b", "handover");
  expect(refused).toMatchObject({ code: 1, stdout: "" });
  expect(refused.stderr).toContain("refused (409) not_leader");
  const done = await at("a", "handover", "--reason", "lunch");
  expect(done).toMatchObject({ code: 0, stdout: expect.stringMatching(/^b leads at epoch 2, after /) as string });
  await untilReady(pair.urls);
  const [newest] = await jsonAt<{ cause: string; reason: string; leader: string }[]>("b", "history");
  expect(newest).toMatchObject({ cause: "handover", reason: "lunch", leader: "b" });
  expect((await at("b", "history")).stdout).toContain("handover");
});

test("maintenance stands on both engines until it is lifted", async () => {
  expect((await at("a", "maintenance", "on", "--reason", "cabling")).code).toBe(0);
  await expect.poll(async () => (await at("b", "status")).stdout).toContain("ON by open-mode: cabling");
  expect((await at("b", "maintenance", "off")).code).toBe(0);
});

test("force-leader takes its secret from a file or the environment, and a repeat moves nothing", async () => {
  const wrong = await runCli(["force-leader", "--url", pair.urls.a], { CHANGEOVER_CONTROL_PLANE_SECRET: "guess" });
  expect(wrong).toMatchObject({ code: 1, stdout: "" });
  expect(wrong.stderr).toContain("bad_secret");
  const args = ["force-leader", "--secret-file", secretFile, "--request-id", "req_1", "--json"];
  const first = await at("a", ...args);
  expect(JSON.parse(first.stdout)).toMatchObject({ engineLabel: "a", epoch: 3, previousLeader: "b" });
  expect((await at("a", ...args)).stdout).toBe(first.stdout);
  await untilReady(pair.urls);
});

test("conflicts: none, and one that there is not", async () => {
  expect((await at("a", "conflicts", "list")).stdout).toBe("no conflicts\n");
  expect(await jsonAt("a", "conflicts", "list")).toEqual([]);
  const unknown = await at("a", "conflicts", "resolve", "cfl_none", "keep");
  expect(unknown.code).toBe(1);
  expect(unknown.stderr).toContain("refused (404)");
  expect((await at("a", "conflicts", "resolve", "cfl_none", "value")).code).toBe(2);
});

test("outbox: nothing waits, and an event that there is not", async () => {
  expect((await at("a", "outbox", "status")).stdout).toContain("0 events wait\n");
  expect(await jsonAt("a", "outbox", "status")).toMatchObject({ sink: "nop", depth: 0, deadLetters: [] });
  for (const verb of ["retry", "skip"]) {
    const codes = await Promise.all((["a", "b"] as const).map((label) => at(label, "outbox", verb, "cmd_none")));
    expect(codes.map(({ code }) => code)).toEqual([1, 1]);
    const said = codes.map(({ stderr }) => /\b(not_leader|event_not_found)\b/.exec(stderr)?.[0]);
    expect(said.sort()).toEqual(["event_not_found", "not_leader"]);
  }
});

test("doctor finds a running pair well, but for the tokens that nobody set", async () => {
  const findings = await jsonAt<{ name: string; state: string }[]>("a", "doctor", "-c", pair.configFile("a"));
  // Where there is no compiler, npm install leaves fast death out.
  expect(findings.filter(({ name, state }) => state !== "good" && name !== "fast death")).toEqual([]);
  expect(findings.map(({ name }) => name)).toEqual([
    "node",
    "configuration",
    "secrets",
    "disk",
    "witness",
    "peer",
    "clock",
    "fast death",
    "listener",
    "engine",
  ]);
  expect((await at("a", "doctor")).stdout).toContain("ok  engine  studio-1 engine a, leader, epoch 3, ready");
});

test("watch prints a line for each engine where there is no terminal", async () => {
  const child = spawn(process.execPath, ["src/cli/main.ts", "watch", "--url", pair.urls.a], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.on("data", (piece: Buffer) => (text += piece.toString()));
  await expect.poll(() => text.split("\n").length, { timeout: 10_000 }).toBeGreaterThan(2);
  child.kill("SIGTERM");
  await once(child, "exit");
  expect(text).toContain("studio-1 engine a: LEADER, epoch 3, ready, peer alive, follower, no alarms");
  expect(text).toContain("studio-1 engine b: follower, epoch 3, ready, peer alive, leader, no alarms");
});

test("HO10: a handover is planned, shown and cancelled, and one that is due moves the role", async () => {
  const planned = await at("a", "handover", "--at", "+2h", "--reason", "after the news");
  expect(planned).toMatchObject({ code: 0, stderr: "" });
  expect(planned.stdout).toMatch(/^planned for \d{4}-.*Z, in (2 h 0|1 h 59) min; changeover handover --cancel/);
  expect((await at("a", "status")).stdout).toMatch(/planned\s+handover at .* UTC by open-mode: after the news/);
  expect((await at("b", "handover", "--at", "+2h")).stderr).toContain("not_leader");
  expect((await at("a", "handover", "--cancel")).stdout).toMatch(/^cancelled: the handover planned for /);
  expect(await at("a", "handover", "--cancel")).toMatchObject({ code: 1, stdout: "" });
  expect(await jsonAt("a", "status")).toMatchObject({ role: "leader", plannedHandover: null });
  await jsonAt("a", "handover", "--at", "+2s", "--reason", "at its time");
  await expect.poll(async () => (await at("b", "status")).stdout, { timeout: 30_000 }).toContain("LEADER");
  const [newest] = await jsonAt<{ cause: string; reason: string; leader: string }[]>("b", "history");
  expect(newest).toMatchObject({ cause: "handover", reason: "at its time", leader: "b" });
});
