/**
 * An engine that was away comes back to a log that has grown: from when it listens until it holds and has executed all of it. The yardstick inserts the same commands into a bare SQLite table.
 */
import Database from "better-sqlite3";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { CoordinatorState } from "../../src/coordinator/types.ts";
import { bareTable } from "./bare-table.ts";
import { KeepAlive } from "./keep-alive.ts";
import { type EngineHandle, Pair, stateOf } from "./pair.ts";
import { type BenchResult, benchRow } from "./rows.ts";
import { amount, type Scale } from "./scale.ts";

const CONNECTIONS = 256;
/** Commands that the bare table takes in one transaction: as many as the coordinator at most sends in a page. */
const BATCH = 512;
/** Rounds also of a short run: one round says nothing on a machine that others share. */
const ROUNDS = 10;
const LOOK_EVERY_MS = 5;
const WITHIN_MS = 120_000;
/** How long the leader may refuse commands. */
const LEADS_WITHIN_MS = 10_000;

export async function benchCatchUp(scale: Scale): Promise<BenchResult[]> {
  const count = amount(scale, 100_000, 10_000);
  const pair = await Pair.start({ traits: {} });
  try {
    const { leader, follower } = await pair.roles();
    await follower.child.stop();
    const before = join(pair.folder, "before");
    cpSync(follower.config.dataDir, before, { recursive: true });
    const start = (await stateOf(leader.url))?.lastCommandSeq ?? NaN;
    await fill(leader.url, count);
    const target = (await stateOf(leader.url))?.lastCommandSeq ?? NaN;
    const tookMs: number[] = [];
    const pagesMs: number[] = [];
    const bareMs: number[] = [];
    const grewMiB: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      rmSync(follower.config.dataDir, { recursive: true });
      cpSync(before, follower.config.dataDir, { recursive: true });
      await pair.restart(follower.label);
      const startMs = performance.now();
      const listensMiB = residentMiB(follower.child.pid);
      const { peakMiB, firstPageMs } = await caughtUp(follower, start, target);
      const endMs = performance.now();
      tookMs.push(endMs - startMs);
      pagesMs.push(endMs - firstPageMs);
      grewMiB.push(peakMiB - listensMiB);
      bareMs.push(bareInsert(count));
      await follower.child.stop();
    }
    const yardstick = { name: "bare SQLite insert of the same", samples: bareMs };
    return [
      benchRow({
        name: `catch-up of ${count} commands, from its first listening`,
        unit: "ms",
        samples: tookMs,
        yardstick,
        goal: "≤ 2 ×",
      }),
      benchRow({ name: "the same from its first page on", unit: "ms", samples: pagesMs, yardstick, goal: "≤ 2 ×" }),
      benchRow({
        name: "memory that it took meanwhile",
        unit: "MiB",
        samples: grewMiB,
        yardstick: null,
        goal: "flat",
      }),
    ];
  } finally {
    await pair.close();
  }
}

/** Gives the leader commands, which it answers alone. On a busy machine it may not lead for a moment: asked again. */
async function fill(url: string, count: number): Promise<void> {
  const connections = await Promise.all(Array.from({ length: CONNECTIONS }, async () => KeepAlive.open(url)));
  let given = 0;
  await Promise.all(
    connections.map(async (connection) => {
      while (given < count) {
        given += 1;
        await submit(connection, commandText(given));
      }
      connection.close();
    }),
  );
}

async function submit(connection: KeepAlive, command: string): Promise<void> {
  for (const endMs = performance.now() + LEADS_WITHIN_MS; ; await delay(LOOK_EVERY_MS)) {
    const { status, body } = await connection.post("/api/commands", command);
    if (status === 200) return;
    const isAskedAgain = status === 409 || status === 503;
    if (!isAskedAgain || performance.now() > endMs) throw new Error(`a command was answered ${status} ${body}`);
  }
}

/** `firstPageMs`: when it was first seen to hold more than `start`. */
async function caughtUp(
  engine: EngineHandle,
  start: number,
  target: number,
): Promise<{ readonly peakMiB: number; readonly firstPageMs: number }> {
  const endMs = performance.now() + WITHIN_MS;
  let peakMiB = 0;
  let firstPageMs = Number.POSITIVE_INFINITY;
  while (performance.now() < endMs) {
    peakMiB = Math.max(peakMiB, residentMiB(engine.child.pid));
    const state = await stateOf(engine.url);
    if (state !== null && state.lastCommandSeq > start) firstPageMs = Math.min(firstPageMs, performance.now());
    if (state !== null && holdsAll(state, target)) return { peakMiB, firstPageMs };
    await delay(LOOK_EVERY_MS);
  }
  throw new Error(`not caught up within ${WITHIN_MS} ms`);
}

function holdsAll({ lastCommandSeq, lastExecutedSeq, syncState }: CoordinatorState, target: number): boolean {
  return syncState === "ready" && lastCommandSeq >= target && lastExecutedSeq >= target;
}

function bareInsert(count: number): number {
  const folder = mkdtempSync(join(tmpdir(), "changeover-bench-"));
  const db = new Database(join(folder, "bare.db"));
  try {
    const insert = bareTable(db);
    const startMs = performance.now();
    for (let from = 0; from < count; from += BATCH) {
      insert(Array.from({ length: Math.min(BATCH, count - from) }, (_, index) => commandText(from + index)));
    }
    return performance.now() - startMs;
  } finally {
    db.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function commandText(n: number): string {
  return JSON.stringify({ kind: "count", payload: { n, text: "a payload as commands have it" } });
}

function residentMiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1_024;
}
