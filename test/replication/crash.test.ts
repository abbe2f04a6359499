/**
 * Spokes that are killed while they push and pull: nothing that they had said is lost, nothing comes twice.
 * `CRASH_ROUNDS` sets how many kills; few by default.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SystemClock } from "../../src/adapters/basics.ts";
import { openSpoke } from "../../src/host/spoke.ts";
import { startHub, type HubServer } from "./hub-server.ts";

const ROUNDS = Number(process.env["CRASH_ROUNDS"] ?? 6);
const SPOKE = join(import.meta.dirname, "spoke-process.ts");
const NAMES = ["one", "two"] as const;

let folder: string;
let hub: HubServer;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "changeover-spokes-"));
  hub = await startHub({ clock: new SystemClock() as never });
});
afterEach(async () => {
  await hub.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs the spoke until it has said `count` numbers, kills it, and gives the last whole one. */
async function saidBeforeDeath(name: string, count: number): Promise<number> {
  const child = spawn(process.execPath, [SPOKE, hub.url, join(folder, name), name], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
    if (said.split("\n").length > count) child.kill("SIGKILL");
  });
  await once(child, "close");
  return Number(said.slice(0, said.lastIndexOf("\n")).split("\n").at(-1));
}

test(`no operation is lost or doubled over ${ROUNDS} kills`, { timeout: 60_000 + ROUNDS * 5_000 }, async () => {
  const last: Record<string, number> = { one: 0, two: 0 };
  for (let round = 0; round < ROUNDS; round += 1) {
    const name = NAMES[round % 2] as string;
    last[name] = await saidBeforeDeath(name, 1 + Math.floor(Math.random() * 40));
  }
  const silent = (): void => undefined;
  const logger = { debug: silent, info: silent, warn: silent, error: silent };
  const shared = { hubUrl: hub.url, token: null, intervalMs: 60_000, logger, onProgress: silent, onExchanged: silent };
  for (const name of [...NAMES, ...NAMES]) {
    const spoke = openSpoke({ ...shared, dataDir: join(folder, name) });
    const result = await spoke.replication.spoke?.exchangeNow();
    expect(result?.outcome).toBe("done");
    expect(Number(spoke.replication.records.get("count", name)?.value)).toBeGreaterThanOrEqual(last[name] ?? 0);
    spoke.close();
  }
  const { ops, records } = hub.place.store.replica;
  const vector = ops.vector();
  // Every operation once: as many as the vector counts, for each was one number higher.
  expect(ops.count()).toBe(Object.values(vector).reduce((sum, seq) => sum + seq, 0));
  for (const name of NAMES)
    expect(Number(records.standing("count", name)?.payload)).toBeGreaterThanOrEqual(last[name] ?? 0);
  expect(ops.allSetAside(10)).toEqual([]);
  expect(ops.quarantined(10)).toEqual([]);
});
