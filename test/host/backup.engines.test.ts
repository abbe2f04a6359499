/** A running engine is copied, its folder is restored from the copy, and the role moves to it: nothing is lost [RP2]. */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stateOf } from "../../src/cli/demo/observe.ts";
import { type Label, otherLabel } from "../../src/core/ids.ts";
import { type EnginePair, startPair, untilReady } from "../cli/engine-pair.ts";
import { runCli } from "../cli/run-cli.ts";
import { call } from "../support/http-call.ts";

let pair: EnginePair;
/** Who leads at first, and who follows. */
let leader: Label;
let follower: Label;
beforeAll(async () => {
  pair = await startPair();
  leader = (await stateOf(pair.urls.a))?.leader ?? "a";
  follower = otherLabel(leader);
});
afterAll(() => pair.close());

const put = async (label: "a" | "b", field: string, value: string): Promise<unknown> =>
  (await call("PUT", `${pair.urls[label]}/api/records/show/${field}`, { value })).status;
const cut = async (label: "a" | "b", source: string): Promise<unknown> =>
  (await call("POST", `${pair.urls[label]}/engine/api/switch/cut`, { source })).status;

interface Records {
  readonly records: readonly { readonly field: string; readonly value: unknown }[];
}

async function recordsOf(label: "a" | "b"): Promise<Record<string, unknown>> {
  const { body } = await call("GET", `${pair.urls[label]}/api/records`);
  return Object.fromEntries((body as unknown as Records).records.map(({ field, value }) => [field, value]));
}

const ALL = { before: "1", after: "2", restored: "3" };

test("RP2: a backup of a running follower is restored, and nothing that was written since is lost", async () => {
  const { urls, engines, folder } = pair;
  const kept = join(folder, "kept");
  expect([await put(follower, "before", "1"), await cut(leader, "cam2")]).toEqual([200, 200]);

  const taken = await runCli(["backup", "--to", kept, "--json"], { CHANGEOVER_URL: urls[follower] });
  expect(taken).toMatchObject({ code: 0, stderr: "" });
  expect(JSON.parse(taken.stdout)).toMatchObject({
    folder: kept,
    pair: "studio-1",
    label: follower,
    lastCommandSeq: 1,
  });
  expect(readdirSync(kept).sort()).toEqual(["backup.json", "changeover.db", "engine.json", "engine.key"]);
  for (const name of ["changeover.db", "engine.key"]) expect(statSync(join(kept, name)).mode & 0o077).toBe(0);

  expect([await put(follower, "after", "2"), await cut(leader, "cam3")]).toEqual([200, 200]);
  await expect.poll(() => recordsOf(leader), { timeout: 30_000 }).toMatchObject({ after: "2" });

  const restore = ["restore", kept, "-c", pair.configFile(follower), "--yes"];
  const running = await runCli(restore);
  expect(running).toMatchObject({ code: 1, stdout: "" });
  expect(running.stderr).toMatch(/^changeover: the engine on dataDir .* is running; stop it, then restore\n$/);

  await engines[follower].stop();
  const newer = await runCli(restore);
  expect(newer).toMatchObject({ code: 1, stdout: "" });
  expect(newer.stderr).toMatch(/holds more than the backup \(command 2 of epoch.*--replace-newer/);
  const other = await runCli(["restore", kept, "-c", pair.configFile(leader), "--yes"]);
  expect(other).toMatchObject({ code: 1, stdout: "" });
  expect(other.stderr).toContain(
    `is a backup of engine ${follower} of pair "studio-1"; the configuration is of engine ${leader}`,
  );
  const done = await runCli([...restore, "--replace-newer"]);
  expect(done).toMatchObject({ code: 0, stderr: "" });
  expect(done.stdout).toMatch(/is restored: engine [ab] of studio-1.*through command 1 of epoch/);
  const aside = readdirSync(folder).filter((name) => name.startsWith(`${follower}.before-`));
  expect(aside.length).toBe(1);
  expect(existsSync(join(folder, aside[0] ?? "", "changeover.db"))).toBe(true);

  // Not a number that it may have given before, to a command that its feed was told of and nobody has now.
  const store = new Database(join(folder, follower, "changeover.db"), { readonly: true });
  const { own } = store.prepare("SELECT highest_own_seq AS own FROM state").get() as { readonly own: number };
  store.close();
  expect(own).toBeGreaterThanOrEqual(1_000_000_000);

  await engines[follower].start();
  await untilReady(urls);
  expect(readFileSync(join(folder, `${follower}.log`), "utf8")).toContain(
    "restored from a backup: a new origin begins",
  );
  expect(await put(follower, "restored", "3")).toBe(200);
  for (const label of ["a", "b"] as const) {
    await expect.poll(() => recordsOf(label), { timeout: 30_000 }).toEqual(ALL);
  }
  const { body } = await call("GET", `${urls[leader]}/api/ops?limit=100`);
  const origins = (body as unknown as { ops: { op: { field: string; origin: string } }[] }).ops.map(({ op }) => op);
  expect(origins.find(({ field }) => field === "restored")?.origin).toMatch(/^rec_.*\.\d{10}$/);

  expect((await call("POST", `${urls[leader]}/api/handover`, { reason: "the other is next" })).status).toBe(200);
  expect(await cut(follower, "cam4")).toBe(200);
  const log = await call("GET", `${urls[follower]}/api/commands`);
  expect((log.body as unknown as { commands: unknown[] }).commands.length).toBe(3);
});

test("maintenance and its reason survive a restart of both engines at once", async () => {
  const { urls, engines } = pair;
  expect((await call("POST", `${urls.a}/api/maintenance`, { on: true, reason: "cabling" })).status).toBe(200);
  const maintenance = async (label: "a" | "b"): Promise<unknown> =>
    (await call("GET", `${urls[label]}/api/state`)).body?.["maintenance"];
  await expect.poll(() => maintenance("b"), { timeout: 30_000 }).toMatchObject({ on: true, reason: "cabling" });
  engines.a.kill();
  engines.b.kill();
  await expect.poll(() => engines.a.running || engines.b.running, { timeout: 30_000 }).toBe(false);
  await Promise.all([engines.a.start(), engines.b.start()]);
  for (const label of ["a", "b"] as const) {
    // A connection from before the kill may be tried first.
    const held = expect.poll(() => maintenance(label).catch(() => null), { timeout: 30_000 });
    await held.toMatchObject({ on: true, reason: "cabling", by: "open-mode" });
  }
  expect((await call("POST", `${urls.b}/api/maintenance`, { on: false })).status).toBe(200);
  await untilReady(urls);
});

test("what is no backup is not restored, and nothing changes", async () => {
  const { folder } = pair;
  writeFileSync(join(folder, "note.txt"), "x");
  const before = readdirSync(folder).sort();
  const none = await runCli(["restore", folder, "-c", pair.configFile("b"), "--yes"]);
  expect(none).toMatchObject({ code: 1, stdout: "" });
  expect(none.stderr).toMatch(
    /is not a backup: it has no backup\.json; name a folder that `changeover backup` printed/,
  );
  expect(readdirSync(folder).sort()).toEqual(before);
});
