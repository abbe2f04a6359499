/**
 * A large state taken from one engine and put into the other over HTTP, under the reconcile lock, while heartbeats run.
 * The yardstick parses and hashes the same text, twice, as giving and taking each must.
 */
import { createHash } from "node:crypto";
import { request } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { type EngineHandle, Pair } from "./pair.ts";
import { type BenchResult, benchRow } from "./rows.ts";
import { amount, type Scale } from "./scale.ts";

const HEARTBEAT_MS = 200;
const BETWEEN_MS = 500;

export interface SnapshotTimes {
  readonly tookMs: number[];
  readonly bareMs: number[];
  /** How much later than its interval the latest heartbeat of a round came, on either side. */
  readonly lateMs: number[];
}

export async function benchSnapshot(scale: Scale): Promise<BenchResult[]> {
  const { tookMs, bareMs, lateMs } = await snapshotTimes(10, amount(scale, 15, 10));
  return [
    benchRow({
      name: "state of 10 MB: taken, and put into the other engine",
      unit: "ms",
      samples: tookMs,
      yardstick: { name: "JSON parse and sha256 of the same, for each of both", samples: bareMs },
      goal: "≤ 2 ×",
    }),
    benchRow({
      name: "latest heartbeat meanwhile, beyond its interval",
      unit: "ms",
      samples: lateMs,
      yardstick: null,
      goal: "worst ≤ 50 ms",
    }),
  ];
}

/** Takes and puts a state of `stateMB` so many times. */
export async function snapshotTimes(stateMB: number, rounds: number): Promise<SnapshotTimes> {
  const pair = await Pair.start({ traits: { stateMB } });
  const times: SnapshotTimes = { tookMs: [], bareMs: [], lateMs: [] };
  try {
    const { leader, follower } = await pair.roles();
    for (let round = 0; round < rounds; round += 1) {
      await Promise.all([longestGapMs(leader), longestGapMs(follower)]);
      const startMs = performance.now();
      const text = await take(leader);
      const takenMs = performance.now();
      const lock = await acquire(leader);
      const puttingMs = performance.now();
      await put(follower, text, lock);
      times.tookMs.push(takenMs - startMs + performance.now() - puttingMs);
      await call(leader, "DELETE", `/api/sync/reconcile-lock/${lock}`, {});
      await delay(BETWEEN_MS);
      const gaps = await Promise.all([longestGapMs(leader), longestGapMs(follower)]);
      times.lateMs.push(Math.max(...gaps) - HEARTBEAT_MS);
      times.bareMs.push(bare(text) + bare(text));
    }
    return times;
  } finally {
    await pair.close();
  }
}

async function take(engine: EngineHandle): Promise<string> {
  return call(engine, "GET", "/api/sync/state-snapshot", {});
}

async function put(engine: EngineHandle, text: string, lock: string): Promise<void> {
  await call(engine, "POST", "/api/sync/state-snapshot", { "x-reconcile-lock": lock }, text);
}

async function acquire(engine: EngineHandle): Promise<string> {
  const answer = await call(engine, "POST", "/api/sync/reconcile-lock", {}, JSON.stringify({ holder: "bench" }));
  return (JSON.parse(answer) as { readonly lockId: string }).lockId;
}

async function longestGapMs(engine: EngineHandle): Promise<number> {
  const answer = await call(engine, "GET", "/engine/heartbeats", {});
  return (JSON.parse(answer) as { readonly longestGapMs: number }).longestGapMs;
}

function bare(text: string): number {
  const startMs = performance.now();
  const value: unknown = JSON.parse(text);
  createHash("sha256").update(text).digest("hex");
  const tookMs = performance.now() - startMs;
  if (value === null) throw new Error("the snapshot is empty");
  return tookMs;
}

function call(
  engine: EngineHandle,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body?: string,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const typed = body === undefined ? headers : { ...headers, "content-type": "application/json" };
    const asked = request(`${engine.url}${path}`, { method, headers: typed }, (answer) => {
      const pieces: Buffer[] = [];
      answer.on("data", (piece: Buffer) => pieces.push(piece));
      answer.on("end", () => {
        const text = Buffer.concat(pieces).toString();
        if ((answer.statusCode ?? 0) < 300) resolve(text);
        else reject(new Error(`${method} ${path}: ${answer.statusCode} ${text.slice(0, 500)}`));
      });
    });
    asked.on("error", reject);
    asked.end(body);
  });
}
