/** The demonstration, as `npm run demo -- --scripted` plays it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { untilSettled, whyNoTakeOver } from "../../src/cli/demo/faults.ts";
import { Keys } from "../../src/cli/demo/keys.ts";
import { stopObserving, until } from "../../src/cli/demo/observe.ts";
import { Plant } from "../../src/cli/demo/plant.ts";
import { EngineProcess } from "../../src/cli/demo/processes.ts";
import { runCli } from "./run-cli.ts";

test("--scripted: kill, freeze, dead and hanging switchers, split brain, recovery and handover lose nothing, and both end equal", async () => {
  const end = await runCli(["demo", "--scripted"]);
  expect(end.stderr).toBe("");
  expect(end.stdout).toContain("\n  leader's switcher killed → follower on air: ");
  expect(end.stdout).toContain("\n  leader's switcher hangs → follower on air: ");
  expect(end.stdout).toContain("\n98 commands acknowledged, 8 of them kept as conflicts of the split\n");
  expect(end.stdout).toContain("\n0 acknowledged commands lost\n0 commands doubled\nlogs equal\nchecksums equal: ");
  expect(end.code).toBe(0);
}, 120_000);

test("D2 [EN2] [EN6]: every key answers at once, or says why it cannot", async () => {
  const plant = await Plant.start({ launcher: "src/cli/main.ts", redis: null, apart: true });
  const keys = new Keys(plant);
  try {
    await untilSettled(plant);
    const untilReady = async (): Promise<void> => {
      await until("a take-over is possible", async () => (await whyNoTakeOver(plant)) === null);
    };
    await untilReady();
    expect(await keys.press("k")).toMatch(/^leader killed → follower on air: /);
    for (const key of ["k", "f", "e", "x", "h"]) {
      const sinceMs = performance.now();
      expect(await keys.press(key)).toMatch(/^[ab] could not take over: [ab] does not run: start it with r$/);
      // Not the 15 s for which a take-over is waited for.
      expect(performance.now() - sinceMs).toBeLessThan(5_000);
    }
    expect(await keys.press("p")).toMatch(/the peer link is cut; [ab] leads on/);
    expect(await keys.press("r")).toMatch(/^engine [ab] runs again; the peer link is cut: heal it with p$/);
    expect(await keys.press("p")).toMatch(/^link back → equal: /);
    await untilReady();
    expect(await keys.press("e")).toMatch(/^leader's switcher killed → follower on air: /);
    expect(await keys.press("e")).toMatch(/could not take over: the switcher of [ab] does not run: start it with r$/);
    expect(await keys.press("r")).toMatch(/^what was killed back → ready: .* \(switcher [ab] again, equal\)$/);
    await untilReady();
    expect(await keys.press("x")).toMatch(/^leader's switcher hangs → follower on air: /);
    expect(await keys.press("k")).toMatch(/could not take over: the switcher of [ab] hangs: wake it with x$/);
    expect(await keys.press("x")).toMatch(/^hanging switcher wakes → follows, equal: /);
    expect(await keys.press("r")).toBe("everything runs");
  } finally {
    await plant.close();
    stopObserving();
  }
}, 120_000);

test("D2: an engine that does not start says how it ended, its last words, and where its log is", async () => {
  const folder = mkdtempSync(join(tmpdir(), "changeover-start-"));
  const at = { label: "a", url: "http://127.0.0.1:1", configFile: join(folder, "none.json") } as const;
  const logFile = join(folder, "a.log");
  const silent = new EngineProcess({ ...at, logFile, launcher: "-e", args: ["process.exit(3)"] });
  await expect(silent.start()).rejects.toThrow(`engine a did not start: exit 3, it said nothing; its log: ${logFile}`);
  const wordy = new EngineProcess({ ...at, logFile, launcher: "src/cli/main.ts" });
  await expect(wordy.start()).rejects.toThrow(/engine a did not start: exit 1, .*none\.json.*; its log: /);
  rmSync(folder, { recursive: true });
}, 60_000);

test("--sites: edited apart, a pair, a hub, three spokes and a second site end equal; the feed tells all of it", async () => {
  const end = await runCli(["demo", "--sites"]);
  expect(end.stderr).toBe("");
  expect(end.stdout).toContain("its change is held by 7 of 7 places, once each\n");
  expect(end.stdout).toContain("\n20 commands around a handover of the studio, 12 changes of records: all told\n");
  expect(end.stdout).toContain("\n0 events doubled\n");
  for (const place of ["hub", "south", "studio a", "studio b", "ob van", "graphics", "archive"]) {
    expect(end.stdout).toMatch(new RegExp(`^${place} +7 +0 +12 +equal$`, "m"));
  }
  expect(end.code).toBe(0);
}, 90_000);

test.each([
  ["SIGINT", []],
  ["SIGTERM", []],
  ["SIGINT", ["--sites"]],
] as const)(
  "%s in the middle of the start %j leaves no process and no folder behind",
  async (signal, args) => {
    const folder = mkdtempSync(join(tmpdir(), "changeover-interrupted-"));
    const env = { ...process.env, TMPDIR: folder };
    const demo = spawn(process.execPath, ["src/cli/main.ts", "demo", ...args], { env, stdio: "ignore" });
    const gone = once(demo, "exit");
    const children = (): readonly string[] =>
      readFileSync(`/proc/${demo.pid}/task/${demo.pid}/children`, "utf8").trim().split(" ").filter(Boolean);
    let started: readonly string[] = [];
    await until("a child runs", async () => (started = children()).length > 0, { withinMs: 60_000 });
    demo.kill(signal);
    await gone;
    await until("no child runs", async () => started.every((pid) => !existsSync(`/proc/${pid}`)));
    expect(readdirSync(folder)).toEqual([]);
    rmSync(folder, { recursive: true });
  },
  120_000,
);

test("without a terminal it says what to do instead", async () => {
  const end = await runCli(["demo"]);
  expect(end.code).toBe(2);
  expect(end.stdout).toContain("no terminal to press keys in: run it in one, or with --scripted");
});
