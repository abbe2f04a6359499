/** What grows with the work: the time to store a command and to start again, by commands kept; snapshots by state size. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NanoIds } from "../../src/adapters/basics.ts";
import { SqliteStore } from "../../src/adapters/sqlite-store.ts";
import { commandAt } from "../support/commands.ts";
import type { Chart } from "./chart.ts";
import { quantile } from "./rows.ts";
import { amount, type Scale } from "./scale.ts";
import { snapshotTimes } from "./snapshot.bench.ts";

const BATCH = 100;
/** Batches whose times make one point. */
const POINT_BATCHES = 50;

/** Every chart of what grows, by file name. */
export async function chartsOfGrowth(scale: Scale): Promise<Readonly<Record<string, Chart>>> {
  const log = growLog(amount(scale, 200_000, 20_000));
  const snapshots = await growState(scale.quick ? [1, 2] : [1, 2, 5, 10, 20], amount(scale, 5, 2));
  const commands = "commands kept";
  return {
    "append-by-commands-kept": {
      title: `Append of ${BATCH} commands, durable`,
      x: commands,
      y: "ms",
      lines: log.append,
    },
    "start-by-commands-kept": { title: "Opening and reading the store", x: commands, y: "ms", lines: log.start },
    "snapshot-by-state-size": {
      title: "State taken and put into the peer",
      x: "MB of state",
      y: "ms",
      lines: snapshots,
    },
  };
}

function growLog(commands: number): { readonly append: Chart["lines"]; readonly start: Chart["lines"] } {
  const dataDir = mkdtempSync(join(tmpdir(), "changeover-bench-"));
  const open = (): SqliteStore => new SqliteStore({ ids: new NanoIds() }, { dataDir });
  const points = { median: [] as [number, number][], p99: [] as [number, number][], start: [] as [number, number][] };
  let store = open();
  try {
    store.load();
    for (let seq = 0; seq < commands;) {
      const tookMs: number[] = [];
      for (let batch = 0; batch < POINT_BATCHES; batch += 1, seq += BATCH) {
        const first = seq + 1;
        const fresh = Array.from({ length: BATCH }, (_, index) => commandAt(first + index, "count", { n: index }));
        const startMs = performance.now();
        store.append(fresh);
        tookMs.push(performance.now() - startMs);
      }
      tookMs.sort((a, b) => a - b);
      points.median.push([seq, quantile(tookMs, 0.5)]);
      points.p99.push([seq, quantile(tookMs, 0.99)]);
      store.close();
      const startMs = performance.now();
      store = open();
      store.load();
      points.start.push([seq, performance.now() - startMs]);
    }
  } finally {
    store.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
  return { append: { median: points.median, p99: points.p99 }, start: { "one start": points.start } };
}

async function growState(sizesMB: readonly number[], rounds: number): Promise<Chart["lines"]> {
  const took: [number, number][] = [];
  const bare: [number, number][] = [];
  const late: [number, number][] = [];
  for (const stateMB of sizesMB) {
    const times = await snapshotTimes(stateMB, rounds);
    took.push([stateMB, middle(times.tookMs)]);
    bare.push([stateMB, middle(times.bareMs)]);
    late.push([stateMB, Math.max(0, ...times.lateMs)]);
  }
  return { "taken and put": took, "JSON parse and sha256, twice": bare, "latest heartbeat, beyond its interval": late };
}

function middle(samples: readonly number[]): number {
  return quantile(
    [...samples].sort((a, b) => a - b),
    0.5,
  );
}
