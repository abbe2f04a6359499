/** What the SQLite witness promises beyond the contract: two processes, a replaced file, a frozen rival, a stepping clock. */
import { type ChildProcess, type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SqliteWitness } from "../../src/adapters/sqlite-witness.ts";
import { makeId } from "../../src/core/ids.ts";
import { aRecord } from "../../src/testing/witness-contract.ts";
import { ManualClock } from "../support/manual-clock.ts";

const RIVAL = join(import.meta.dirname, "sqlite-witness-process.ts");

let dir: string;
let file: string;
let clock: ManualClock;
let opened: SqliteWitness[];
let children: ChildProcess[];

const open = (pair = "studio-1"): SqliteWitness => {
  const witness = new SqliteWitness({ clock }, { file, pair });
  opened.push(witness);
  return witness;
};

const start = (...args: string[]): ChildProcessByStdio<Writable, Readable, null> => {
  const child = spawn(process.execPath, [RIVAL, ...args], { stdio: ["pipe", "pipe", "inherit"] });
  children.push(child);
  return child;
};

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "changeover-witness-"));
  file = join(dir, "witness.db");
  clock = new ManualClock();
  opened = [];
  children = [];
});
afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  for (const witness of opened) await witness.close();
  rmSync(dir, { recursive: true, force: true });
});

describe("witness sqlite between processes", () => {
  it("[VT3] [RL1] never gives one step or one fence to two of three processes that start at once", async () => {
    const top = 1_000;
    const rivals = ["one", "two", "three"].map((name) => start("climb", file, name, `${top}`));
    await Promise.all(rivals.map(({ stdout }) => once(stdout, "data")));
    const playing = rivals.map(async ({ stdin, stdout }) => {
      stdin.end("go");
      return JSON.parse(await text(stdout)) as { won: number[]; fences: number[] };
    });
    const results = await Promise.all(playing);
    const won = results.flatMap((result) => result.won).sort((x, y) => x - y);
    expect(won).toEqual(Array.from({ length: top }, (_, step) => step + 1));
    const fences = results.flatMap((result) => result.fences);
    expect(new Set(fences).size).toBe(fences.length);
    for (const result of results) expect(result.fences).toEqual([...result.fences].sort((x, y) => x - y));
  });

  it("waits only briefly for a process that froze within a transaction, and reads meanwhile", async () => {
    const witness = open();
    await witness.swap(null, aRecord());
    const rival = start("hold", file);
    await once(rival.stdout, "data");
    rival.kill("SIGSTOP");

    const busy = { outcome: "unreachable", reason: "the file is busy" };
    expect(await witness.swap(aRecord(), aRecord({ seq: 2 }))).toEqual(busy);
    expect(await witness.acquireLock({ lockId: makeId("lock", "x"), holder: "one", ttlMs: 1_000 })).toEqual(busy);
    expect(await witness.read()).toMatchObject({ outcome: "read", record: aRecord() });

    const gone = once(rival, "exit");
    rival.kill("SIGKILL");
    await gone;
    expect(await witness.swap(aRecord(), aRecord({ seq: 2 }))).toMatchObject({ outcome: "swapped" });
  });
});

describe("witness sqlite and its file", () => {
  it("[CP5] notices a file that was replaced by an older copy of another life", async () => {
    const witness = open();
    await witness.swap(null, aRecord());
    const before = (await witness.read()) as { runId: string };
    const other = join(dir, "other.db");
    const elsewhere = new SqliteWitness({ clock }, { file: other, pair: "studio-1" });
    await elsewhere.swap(null, aRecord({ holder: "b", epoch: 2 }));
    await elsewhere.close();

    for (const ending of ["", "-wal", "-shm"]) rmSync(`${file}${ending}`, { force: true });
    copyFileSync(other, file);
    const after = (await witness.read()) as { runId: string };
    expect(after).toMatchObject({ outcome: "read", record: { holder: "b", epoch: 2 } });
    expect(after.runId).not.toBe(before.runId);
  });

  it("a restart of both engines finds the record, the lock and the run id again", async () => {
    const before = open();
    await before.swap(null, aRecord());
    await before.acquireLock({ lockId: makeId("lock", "x"), holder: "one", ttlMs: 1_000 });
    const read = await before.read();
    await before.close();
    expect(await before.read()).toEqual({ outcome: "unreachable", reason: "closed" });
    const after = open();
    expect(await after.read()).toEqual(read);
    expect(await after.readLock()).toMatchObject({ lock: { lockId: makeId("lock", "x") } });
  });

  it("keeps two pairs in one file apart", async () => {
    const one = open("studio-1");
    const two = open("studio-2");
    await one.swap(null, aRecord());
    await one.acquireLock({ lockId: makeId("lock", "x"), holder: "one", ttlMs: 1_000 });
    expect(await two.read()).toMatchObject({ record: null });
    expect(await two.readLock()).toEqual({ outcome: "read", lock: null });
  });

  it("leaves a file that is something else as it is", async () => {
    writeFileSync(file, "minutes of the meeting, nothing that SQLite would know\n".repeat(40));
    const answer = await open().swap(null, aRecord());
    expect(answer).toEqual({ outcome: "unreachable", reason: "the file is not a witness file" });
    rmSync(file);
    mkdirSync(file);
    expect(await open().read()).toEqual({ outcome: "unreachable", reason: "the file cannot be opened" });
  });
});

describe("witness sqlite and the wall clock", () => {
  it("[RL1] a lock outlives a clock set back by twice its time at most", async () => {
    const witness = open();
    await witness.acquireLock({ lockId: makeId("lock", "x"), holder: "one", ttlMs: 1_000 });
    clock.stepWall(-3_600_000);
    const wanted = { lockId: makeId("lock", "y"), holder: "two", ttlMs: 1_000 };
    expect(await witness.acquireLock(wanted)).toEqual({
      outcome: "held",
      holder: "one",
      expiresMs: 1_000,
      fence: expect.any(Number) as number,
    });
    clock.pass(999);
    expect(await witness.acquireLock(wanted)).toMatchObject({ outcome: "held", expiresMs: 1 });
    clock.pass(1);
    expect(await witness.acquireLock(wanted)).toMatchObject({ outcome: "acquired" });
  });

  it("[VT4] no step of the clock touches the record", async () => {
    const witness = open();
    await witness.swap(null, aRecord());
    clock.stepWall(-3_600_000);
    expect(await witness.read()).toMatchObject({ record: aRecord() });
    clock.stepWall(86_400_000);
    expect(await witness.read()).toMatchObject({ record: aRecord() });
  });
});
