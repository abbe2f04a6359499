/** What SQLite's promise of durability is worth when the process is killed in the middle of it. */
import { type ChildProcess, type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SqliteStore } from "../../src/adapters/sqlite-store.ts";
import { command, CountedIds } from "../contracts/store-samples.ts";

const WRITER = join(import.meta.dirname, "sqlite-store-writer-process.ts");
const ROUNDS = 20;

let dataDir: string;
const writers: ChildProcess[] = [];
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "changeover-crash-"));
});
afterEach(() => {
  for (const writer of writers.splice(0)) writer.kill("SIGKILL");
  rmSync(dataDir, { recursive: true, force: true });
});

function startWriter(): ChildProcessByStdio<null, Readable, Readable> {
  const child = spawn(process.execPath, [WRITER, dataDir], { stdio: ["ignore", "pipe", "pipe"] });
  writers.push(child);
  return child;
}

/** Starts a writer, kills it once it has acknowledged `count` batches, and gives the last seq that it acknowledged. */
async function acknowledgedBeforeDeath(count: number): Promise<number> {
  const child = startWriter();
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
    if (said.split("\n").length > count) child.kill("SIGKILL");
  });
  const [, signal] = (await once(child, "close")) as [number | null, string | null];
  expect(signal).toBe("SIGKILL");
  // The last line may be cut by the kill: only a whole one is an acknowledgement.
  return Number(said.slice(0, said.lastIndexOf("\n")).split("\n").at(-1));
}

function open(): SqliteStore {
  return new SqliteStore({ ids: new CountedIds() }, { dataDir });
}

describe("a store whose process is killed", () => {
  it("[EP2] holds everything it acknowledged, without a gap, over 20 kills", { timeout: 120_000 }, async () => {
    let engineId: string | null = null;
    let through = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const acknowledged = await acknowledgedBeforeDeath(1 + Math.floor(Math.random() * 100));
      const store = open();
      const state = store.load();
      expect(state.log.seq).toBeGreaterThanOrEqual(acknowledged);
      const { commands } = store.commandsAfter(through, 100_000);
      expect(commands).toEqual(commands.map((_, index) => command(through + 1 + index)));
      expect(commands.at(-1)?.seq ?? through).toBe(state.log.seq);
      expect(store.logShape()).toEqual([{ epoch: 1, from: 1, to: state.log.seq }]);
      expect(state.engineId).toBe((engineId ??= state.engineId));
      through = state.log.seq;
      store.close();
    }
    expect(through).toBeGreaterThanOrEqual(ROUNDS);
  });

  it("keeps a second process out while it lives, and lets it in the moment it is dead", async () => {
    const child = startWriter();
    child.stdout.resume();
    await once(child.stdout, "data");
    const refusal = { code: "store_in_use", message: expect.stringContaining(dataDir) as string };
    expect(open).toThrow(expect.objectContaining(refusal));
    child.kill("SIGKILL");
    await once(child, "close");
    const store = open();
    expect(store.load().log.seq).toBeGreaterThan(0);
    store.close();
  });

  it("goes to one of two processes that begin it at the same moment", async () => {
    const rivals = [startWriter(), startWriter()];
    for (const rival of rivals) rival.stdout.resume();
    const complaints = rivals.map(async (rival) => {
      let said = "";
      rival.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
      await once(rival, "close");
      return { rival, said };
    });
    const { rival: refused, said } = await Promise.race(complaints);
    expect(said).toContain("store_in_use");
    const owner = rivals.find((rival) => rival !== refused);
    expect(owner?.exitCode).toBeNull();
    owner?.kill("SIGKILL");
    await Promise.all(complaints);
    const store = open();
    expect(store.load().log.seq).toBeGreaterThan(0);
    store.close();
  });
});
