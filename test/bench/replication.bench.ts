/**
 * A spoke that was away catches up over HTTP: from the first request until it holds the last operation, durably. The
 * yardsticks insert the same rows with the same settings in the same batches: into one bare SQLite table with one key,
 * and into the two tables that pages and records are read from, each with its keys.
 */
import Database from "better-sqlite3";
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SystemClock } from "../../src/adapters/basics.ts";
import { MAX_PAGE_OPS, type Op } from "../../src/core/operation.ts";
import type { Progress } from "../../src/replication/exchange.ts";
import { openSpoke } from "../../src/host/spoke.ts";
import { type BenchResult, benchRow } from "./rows.ts";
import { amount, type Scale } from "./scale.ts";

const HUB = join(import.meta.dirname, "hub-process.ts");
const MIB = 1_048_576;

/** The columns and the one key that a log cannot do without. */
const LOG = `CREATE TABLE ops (origin TEXT, origin_seq INTEGER, hlc TEXT, epoch INTEGER, kind TEXT, entity TEXT,
  field TEXT, payload TEXT, clock TEXT, checksum TEXT, arrival TEXT, via TEXT, PRIMARY KEY (origin, origin_seq));`;
const INSERT = "INSERT INTO ops VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
/** What others are given pages by. */
const BY_ARRIVAL = "CREATE UNIQUE INDEX ops_by_arrival ON ops (arrival);";
/** What is asked for: which operation stands on a field. */
const HEADS = `CREATE TABLE heads (entity TEXT, field TEXT, origin TEXT, origin_seq INTEGER,
  PRIMARY KEY (entity, field)) WITHOUT ROWID;`;
const STAND = `INSERT INTO heads VALUES (?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET origin = excluded.origin, origin_seq = excluded.origin_seq`;

/** Rounds also of a short run: two say nothing on a machine that others share. */
const ROUNDS = 10;

interface Row {
  readonly op: Op;
  readonly arrival: string;
}

export async function benchReplication(scale: Scale): Promise<BenchResult[]> {
  const count = amount(scale, 100_000, 10_000);
  const folder = mkdtempSync(join(tmpdir(), "changeover-bench-"));
  const hub = fork(HUB, [join(folder, "hub"), String(count)]);
  try {
    const [url] = (await once(hub, "message")) as [string];
    const tookMs: number[] = [];
    const bareMs: number[] = [];
    const bothMs: number[] = [];
    const grewMiB: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const dataDir = join(folder, `spoke-${round}`);
      const caught = await catchUp(url, dataDir, count);
      tookMs.push(caught.tookMs);
      grewMiB.push(caught.grewMiB);
      const bare = { file: join(folder, `bare-${round}.db`), schema: LOG, statements: [INSERT] };
      bareMs.push(bareInsert(caught, bare));
      const both = { schema: LOG + BY_ARRIVAL + HEADS, statements: [INSERT, STAND] };
      bothMs.push(bareInsert(caught, { ...both, file: join(folder, `both-${round}.db`) }));
    }
    const name = `${count} operations caught up over HTTP`;
    const took = { name, unit: "ms", samples: tookMs, goal: "≤ 2 ×" } as const;
    const grew = { name: "memory that it took more after its first tenth", unit: "MiB", samples: grewMiB } as const;
    return [
      benchRow({
        ...took,
        yardstick: { name: "bare SQLite insert of the same rows in the same batches", samples: bareMs },
      }),
      benchRow({
        ...took,
        yardstick: { name: "bare SQLite insert of the same rows and of what stands, with all keys", samples: bothMs },
      }),
      benchRow({ ...grew, yardstick: null, goal: "flat" }),
    ];
  } finally {
    hub.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function catchUp(hubUrl: string, dataDir: string, count: number) {
  const silent = (): void => undefined;
  const logger = { debug: silent, info: silent, warn: silent, error: silent };
  let early = 0;
  let peak = 0;
  let pages = 0;
  const note = ({ pulled }: Progress): void => {
    const { rss } = process.memoryUsage();
    peak = Math.max(peak, rss);
    pages += 1;
    if (pulled <= count / 10) early = peak;
  };
  const told = { onProgress: note, onExchanged: silent };
  const spoke = openSpoke({ hubUrl, dataDir, token: null, intervalMs: 3_600_000, logger, ...told });
  const clock = new SystemClock();
  const startMs = clock.monoMs();
  const result = await spoke.replication.spoke?.exchangeNow();
  const tookMs = clock.monoMs() - startMs;
  if (result?.outcome !== "done") throw new Error(`the exchange ended as ${JSON.stringify(result)}`);
  const ops = allOf(spoke.replication.records);
  spoke.close();
  return { tookMs, grewMiB: (peak - early) / MIB, ops, batch: Math.ceil(count / pages) };
}

function allOf(records: { log(after: string, limit: number): { ops: readonly Row[] } }): readonly Row[] {
  const all: Row[] = [];
  for (let after = ""; ; after = all.at(-1)?.arrival ?? "") {
    const { ops } = records.log(after, MAX_PAGE_OPS);
    if (ops.length === 0) return all;
    all.push(...ops);
  }
}

/** Inserts all rows at the same safety, in as many transactions as there were pages. */
function bareInsert(
  { ops: rows, batch }: { readonly ops: readonly Row[]; readonly batch: number },
  {
    file,
    schema,
    statements,
  }: { readonly file: string; readonly schema: string; readonly statements: readonly string[] },
): number {
  const db = new Database(file);
  try {
    db.pragma("locking_mode = EXCLUSIVE");
    db.pragma("journal_mode = WAL");
    db.pragma("synchronous = FULL");
    db.exec(schema);
    const [insert, stand = null] = statements.map((statement) => db.prepare(statement));
    const page = db.transaction((some: readonly Row[]) => {
      for (const { op, arrival } of some) {
        const made = [op.origin, op.originSeq, op.hlc, op.epoch, op.kind, op.entity, op.field];
        const [payload, clock] = [JSON.stringify(op.payload), JSON.stringify(op.clock)];
        insert?.run(...made, payload, clock, op.checksum, arrival, "rec_hub");
        stand?.run(op.entity, op.field, op.origin, op.originSeq);
      }
    });
    const startMs = performance.now();
    for (let from = 0; from < rows.length; from += batch) page(rows.slice(from, from + batch));
    return performance.now() - startMs;
  } finally {
    db.close();
  }
}
