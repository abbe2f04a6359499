/** Notify scripts: what they are told, and that none of them holds anything up. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ExecEngine, type ExecEngineInit, MAX_KEPT_COMMANDS } from "../../src/adapters/exec-engine.ts";
import { SystemClock } from "../../src/adapters/basics.ts";
import type { EngineSign } from "../../src/ports/engine.ts";
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
const toLeader = { role: "leader", epoch: 4, previousRole: "follower", mayActForMs: 600 } as const;
const toFollower = { role: "follower", epoch: 5, previousRole: "leader", mayActForMs: 0 } as const;

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

test("EN3 E2: a command script that is killed, dies or is not there is given up, and the command counts as not executed", async () => {
  const gaveUp = (why: string) => ({ ok: false, error: `the execute script gave no answer: ${why}`, gaveUp: true });
  start({ execute: sh("trap '' TERM; sleep 600"), executeBudgetMs: 50 });
  expect(await engine.execute(commandAt(1, "cut"))).toEqual(gaveUp("still running after 50 ms"));
  expect(engine.read("/", atMs(0)).body).toMatchObject({ seq: 0, recent: [] });
  await engine.close();
  start({ execute: sh("kill -9 $$"), executeBudgetMs: 10_000 });
  expect(await engine.execute(commandAt(1, "cut"))).toEqual(gaveUp("killed by SIGKILL"));
  await engine.close();
  start({ execute: ["/nowhere/execute"] });
  expect(await engine.execute(commandAt(1, "cut"))).toMatchObject({ ok: false, gaveUp: true });
  await engine.close();
  start({ execute: sh("echo no such source >&2; exit 3"), executeBudgetMs: 10_000 });
  expect(await engine.execute(commandAt(1, "cut"))).toEqual({ ok: false, error: "exit 3: no such source" });
  expect(engine.read("/", atMs(0)).body).toMatchObject({ seq: 1 });
});

test("close ends a command script that runs", async () => {
  start({ execute: sh('touch "$0.running"; sleep 600'), executeBudgetMs: 600_000 });
  const running = engine.execute(commandAt(1, "cut"));
  await expect.poll(() => exists(`${file}.running`)).toBe(true);
  await engine.close();
  expect(await running).toEqual({ ok: false, error: "the execute script gave no answer: broken off" });
});

test("a snapshot script whose output is no JSON is named until it writes some", async () => {
  await writeFile(file, "<html>");
  start({ snapshot: sh('cat "$0"') });
  const signs: EngineSign[] = [];
  engine.watch((sign) => void signs.push(sign));
  await expect(engine.snapshot()).rejects.toMatchObject({ code: "engine_not_ready" });
  const hook = "the snapshot script";
  expect(signs.at(-1)).toEqual({ type: "strange", hook, fault: "output that is not JSON" });
  await writeFile(file, '{"n":1}');
  expect(await engine.snapshot()).toMatchObject({ engine: { n: 1 } });
  expect(signs.at(-1)).toEqual({ type: "strange", hook, fault: null });
});

/** A process that has ended but that nobody has waited for yet has no command line any more. */
async function isRunning(pid: number): Promise<boolean> {
  const commandLine = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return commandLine !== "";
}

describe("EN4: an engine that is watched", () => {
  let signs: EngineSign[];
  const watch = (init: Partial<ExecEngineInit>): void => {
    signs = [];
    start(init).watch((sign) => void (sign.type !== "asked" && signs.push(sign)));
  };
  const runs = async () => (await readFile(file, "utf8").catch(() => "")).length;

  test("by track is stalled after `fall` failures in a row and well after `rise` good runs", async () => {
    const ok = join(folder, "ok");
    await writeFile(ok, "");
    // Each run leaves a mark, so that runs can be counted. A run that has begun already may be the first that counts.
    const command = sh(`printf . >> "$0"; test -e ${ok} || { echo no picture >&2; exit 3; }`);
    watch({ track: { command, intervalMs: 20, timeoutMs: 10_000, fall: 3, rise: 2 } });
    expect(engine.health()).toBe("degraded");
    await expect.poll(() => engine.health()).toBe("ok");
    await rm(ok);
    const before = await runs();
    await expect.poll(() => engine.health(), { timeout: 15_000 }).toBe("failed");
    expect(await runs()).toBeGreaterThanOrEqual(before + 2);
    expect(signs.at(-1)).toEqual({ type: "silent", why: "engine.track failed 3 times in a row: exit 3: no picture" });
    await writeFile(ok, "");
    const failed = await runs();
    await expect.poll(() => engine.health(), { timeout: 15_000 }).toBe("ok");
    expect(await runs()).toBeGreaterThanOrEqual(failed + 1);
    expect(signs.at(-1)).toMatchObject({ type: "answered" });
  });

  test("by track that hangs is stalled after its time", async () => {
    watch({ track: { command: ["sleep", "600"], intervalMs: 20, timeoutMs: 50 } });
    await expect.poll(() => engine.health(), { timeout: 15_000 }).toBe("failed");
    expect(signs.at(-1)).toMatchObject({
      type: "silent",
      why: expect.stringContaining("engine.track failed 1") as string,
    });
  });

  test("by its pid file is dead when the process is gone, and another one when it was restarted", async () => {
    const pidFile = join(folder, "pid");
    const run = async (): Promise<ChildProcess> => {
      const child = spawn("sleep", ["600"]);
      await once(child, "spawn");
      await writeFile(pidFile, `${child.pid}\n`);
      return child;
    };
    const first = await run();
    watch({ pidFile });
    await expect.poll(() => signs.at(-1)?.type).toBe("answered");
    const one = signs.at(-1);
    first.kill("SIGKILL");
    await expect.poll(() => signs.at(-1), { timeout: 10_000 }).toEqual({ type: "refused" });
    expect(engine.health()).toBe("failed");
    const second = await run();
    await expect.poll(() => signs.at(-1)?.type, { timeout: 10_000 }).toBe("answered");
    expect(signs.at(-1)).not.toEqual(one);
    expect(engine.health()).toBe("ok");
    second.kill("SIGKILL");
  });

  test.each(["", "0", "-5", "abc", "99999999999"])("by a pid file that says %j has no process", async (text) => {
    const pidFile = join(folder, "pid");
    await writeFile(pidFile, text);
    watch({ pidFile });
    expect(signs).toEqual([{ type: "refused" }]);
  });

  test("by nothing says that nobody notices", () => {
    expect(start({}).link()).toMatchObject({
      lifeline: "none",
      note: expect.stringContaining("neither track nor pidFile") as string,
    });
    expect(start({ track: { command: ["true"] } }).link()).toEqual({ lifeline: "unused", note: null });
  });
});
