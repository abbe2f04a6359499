/**
 * A spoke that was away catches up over HTTP: from the first request until it holds the last operation, durably. The
 * yardstick inserts the same rows into a bare SQLite table with the same settings, in the same batches.
 */
import Database from "better-sqlite3";
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SystemClock } from "../../src/adapters/system-clock.ts";
import { MAX_PAGE_OPS } from "../../src/core/sync-bounds.ts";
import type { Op } from "../../src/core/operation.ts";
import { openSpoke } from "../../src/host/spoke.ts";
import { type BenchResult, benchRow } from "./rows.ts";
import { amount, type Scale } from "./scale.ts";

const HUB = join(import.meta.dirname, "hub-process.ts");
const MIB = 1_048_576;

export async function benchReplication(scale: Scale): Promise<BenchResult[]> {
  const count = amount(scale, 100_000, 10_000);
  const folder = mkdtempSync(join(tmpdir(), "changeover-bench-"));
  const hub = fork(HUB, [join(folder, "hub"), String(count)]);
  try {
    const [url] = (await once(hub, "message")) as [string];
    const tookMs: number[] = [];
    const bareMs: number[] = [];
    const grewMiB: number[] = [];
    for (let round = 0; round < amount(scale, 5, 2); round += 1) {
      const dataDir = join(folder, `spoke-${round}`);
      const caught = await catchUp(url, dataDir);
      tookMs.push(caught.tookMs);
      grewMiB.push(caught.grewMiB);
      bareMs.push(bareInsert(caught.ops, join(folder, `bare-${round}.db`)));
    }
    const name = `${count} operations caught up over HTTP`;
    const yardstick = { name: "bare SQLite insert of the same rows in the same batches", samples: bareMs };
    return [
      benchRow({ name, unit: "ms", samples: tookMs, yardstick, goal: "≤ 2 ×" }),
      benchRow({ name: "memory that it took meanwhile", unit: "MiB", samples: grewMiB, yardstick: null, goal: "flat" }),
    ];
  } finally {
    hub.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function catchUp(hubUrl: string, dataDir: string) {
  const silent = (): void => undefined;
  const logger = { debug: silent, info: silent, warn: silent, error: silent };
  let peak = 0;
  const note = (): void => void (peak = Math.max(peak, process.memoryUsage().rss));
  const told = { onProgress: note, onExchanged: silent };
  const spoke = openSpoke({ hubUrl, dataDir, token: null, intervalMs: 3_600_000, logger, ...told });
  const clock = new SystemClock();
  const before = process.memoryUsage().rss;
  const startMs = clock.monoMs();
  const result = await spoke.replication.spoke?.exchangeNow();
  const tookMs = clock.monoMs() - startMs;
  if (result?.outcome !== "done") throw new Error(`the exchange ended as ${JSON.stringify(result)}`);
  const ops = allOf(spoke.replication.records);
  spoke.close();
  return { tookMs, grewMiB: Math.max(0, peak - before) / MIB, ops };
}

function allOf(records: { log(after: string, limit: number): { ops: readonly { op: Op; arrival: string }[] } }) {
  const all: { readonly op: Op; readonly arrival: string }[] = [];
  for (let after = ""; ; after = all.at(-1)?.arrival ?? "") {
    const { ops } = records.log(after, MAX_PAGE_OPS);
    if (ops.length === 0) return all;
    all.push(...ops);
  }
}

/** The columns and the one key that such a log cannot do without, at the same safety. */
function bareInsert(rows: readonly { readonly op: Op; readonly arrival: string }[], file: string): number {
  const db = new Database(file);
  try {
    db.pragma("locking_mode = EXCLUSIVE");
    db.pragma("journal_mode = WAL");
    db.pragma("synchronous = FULL");
    db.exec(`CREATE TABLE ops (origin TEXT, origin_seq INTEGER, hlc TEXT, epoch INTEGER, kind TEXT, entity TEXT,
      field TEXT, payload TEXT, clock TEXT, checksum TEXT, arrival TEXT, via TEXT, PRIMARY KEY (origin, origin_seq))`);
    const insert = db.prepare("INSERT INTO ops VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    const page = db.transaction((some: typeof rows) => {
      for (const { op, arrival } of some) {
        const made = [op.origin, op.originSeq, op.hlc, op.epoch, op.kind, op.entity, op.field];
        insert.run(...made, JSON.stringify(op.payload), JSON.stringify(op.clock), op.checksum, arrival, "rec_hub");
      }
    });
    const startMs = performance.now();
    for (let from = 0; from < rows.length; from += MAX_PAGE_OPS) page(rows.slice(from, from + MAX_PAGE_OPS));
    return performance.now() - startMs;
  } finally {
    db.close();
  }
}
