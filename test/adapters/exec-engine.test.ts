/** Notify scripts: what they are told, and that none of them holds anything up. */
import { access, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ExecEngine, type ExecEngineInit, MAX_KEPT_COMMANDS } from "../../src/adapters/exec-engine.ts";
import { SystemClock } from "../../src/adapters/system-clock.ts";
import { atMs, commandAt } from "../support/commands.ts";

const clock = new SystemClock();
let folder: string;
let file: string;
let engine: ExecEngine;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "changeover-notify-"));
  file = join(folder, "told");
});
afterEach(async () => {
  await engine.close();
  await rm(folder, { recursive: true });
});

function start(init: Partial<ExecEngineInit>): ExecEngine {
  engine = new ExecEngine({ clock }, { pair: "studio-1", label: "b", notifyBudgetMs: 10_000, ...init });
  return engine;
}

const sh = (script: string): string[] => ["sh", "-c", script, file];
const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
const toLeader = { role: "leader", epoch: 4, previousRole: "follower" } as const;
const toFollower = { role: "follower", epoch: 5, previousRole: "leader" } as const;

describe("notify scripts", () => {
  test("are told type, name, state and epoch in keepalived's places, and more in their environment", async () => {
    start({
      notify: sh('echo "$@" $CHANGEOVER_PAIR $CHANGEOVER_LABEL $CHANGEOVER_PREVIOUS_ROLE $CHANGEOVER_EPOCH >> "$0"'),
      notifyLeader: sh('echo leading >> "$0"'),
      notifyFollower: sh('echo following >> "$0"'),
    });
    await engine.onRole(toLeader);
    await engine.onRole(toFollower);
    expect((await readFile(file, "utf8")).trim().split("\n")).toEqual([
      "leading",
      "INSTANCE studio-1 leader 4 studio-1 b follower 4",
      "following",
      "INSTANCE studio-1 follower 5 studio-1 b leader 5",
    ]);
  });

  test("do not see our secrets", async () => {
    process.env["CHANGEOVER_TOKEN"] = "hush";
    start({ notify: sh('env > "$0"') });
    await engine.onRole(toLeader);
    delete process.env["CHANGEOVER_TOKEN"];
    const environment = await readFile(file, "utf8");
    expect(environment).toContain("CHANGEOVER_ROLE=leader");
    expect(environment).not.toContain("hush");
  });

  test("that overrun are killed with what they started", async () => {
    const pidFile = `${file}.pid`;
    start({ notify: sh('sleep 600 & echo $! > "$0.pid.part"; mv "$0.pid.part" "$0.pid"; wait'), notifyBudgetMs: 500 });
    await engine.onRole(toLeader);
    const pid = Number(await readFile(pidFile, "utf8"));
    await expect.poll(() => isRunning(pid)).toBe(false);
  });

  test("give way to the newer role change at once", async () => {
    start({
      notifyLeader: sh('touch "$0.started"; sleep 600; echo late >> "$0"'),
      notifyFollower: sh('echo following >> "$0"'),
    });
    const first = engine.onRole(toLeader);
    await expect.poll(() => exists(`${file}.started`)).toBe(true);
    await engine.onRole(toFollower);
    await first;
    expect(await readFile(file, "utf8")).toBe("following\n");
  });

  test("of the role that ends with the coordinator are not cut short by its end", async () => {
    start({ notifyFollower: sh('sleep 0.2; echo following >> "$0"'), notify: sh('echo all >> "$0"') });
    void engine.onRole(toFollower);
    await engine.close();
    expect(await readFile(file, "utf8")).toBe("following\nall\n");
  });

  test("that are not there, or fail, are no reason to throw", async () => {
    start({ notify: ["/nowhere/notify"], notifyLeader: ["false"] });
    await engine.onRole(toLeader);
    expect(engine.health()).toBe("ok");
  });
});

test("health is the health script's exit code", async () => {
  start({ health: sh('exit $(cat "$0" 2>/dev/null || echo 0)'), healthIntervalMs: 5, executeBudgetMs: 10_000 });
  expect(engine.health()).toBe("degraded");
  await expect.poll(() => engine.health()).toBe("ok");
  await writeFile(file, "1");
  await expect.poll(() => engine.health()).toBe("degraded");
  await writeFile(file, "2");
  await expect.poll(() => engine.health()).toBe("failed");
});

test("without scripts, commands are kept, the newest of a bounded number", async () => {
  start({});
  const count = MAX_KEPT_COMMANDS + 5;
  for (let seq = 1; seq <= count; seq += 1) await engine.execute(commandAt(seq, "cut", seq));
  expect(engine.read("/", atMs(0)).body).toMatchObject({ seq: count, epoch: 1, lastError: null });
  expect(JSON.stringify(await engine.snapshot())).toContain(`"payload":${count}`);
  expect(JSON.stringify(await engine.snapshot())).not.toContain('"payload":5}');
});

test("a command script that overruns is a failed command, and close ends one that runs", async () => {
  start({ execute: sh("sleep 600"), executeBudgetMs: 50 });
  expect(await engine.execute(commandAt(1, "cut"))).toEqual({ ok: false, error: "still running after 50 ms" });
  await engine.close();
  start({ execute: sh('touch "$0.running"; sleep 600'), executeBudgetMs: 600_000 });
  const running = engine.execute(commandAt(1, "cut"));
  await expect.poll(() => exists(`${file}.running`)).toBe(true);
  await engine.close();
  expect(await running).toEqual({ ok: false, error: "broken off" });
});

/** A process that has ended but that nobody has waited for yet has no command line any more. */
async function isRunning(pid: number): Promise<boolean> {
  const commandLine = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return commandLine !== "";
}
