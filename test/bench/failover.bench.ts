/**
 * How long nobody leads after a fault, seen from outside: leader killed, leader frozen, a leader that holds much memory
 * killed. From the very call of `kill` to the first 200 of the other engine's `GET /leader`.
 */
import { setTimeout as delay } from "node:timers/promises";
import { findServer } from "../support/servers.ts";
import { startRedis } from "../support/redis-server.ts";
import { benchFloor } from "./floor.ts";
import { keepalivedFailovers } from "./keepalived.ts";
import { KeepAlive } from "./keep-alive.ts";
import { Pair, type PairOptions } from "./pair.ts";
import { firstLeads } from "./poll-leader.ts";
import { type BenchResult, benchRow } from "./rows.ts";
import { amount, type Scale } from "./scale.ts";

const KILL_GOAL = "median ≤ 10 ms, p99 ≤ 16.7 ms";
const FREEZE_GOAL = "median ≤ 527 ms, worst ≤ 817 ms (lease + one heartbeat + one frame)";
const HEARTBEAT_MS = 200;

type Fault = "SIGKILL" | "SIGSTOP";

/** Kill of a small leader, with both witnesses, beside the floor and beside keepalived. */
export async function benchKill(scale: Scale): Promise<BenchResult[]> {
  const rounds = amount(scale, 50, 8);
  const rows: BenchResult[] = [];
  const redis = findServer("redis-server") === undefined ? null : await startRedis();
  try {
    const floor = redis && { name: "floor: close, refused, one swap", samples: await benchFloor(redis.url, rounds) };
    const sqlite = await failovers("SIGKILL", {}, rounds);
    rows.push(killRow("leader killed → follower leads, SQLite witness", sqlite, floor));
    if (redis !== null && floor !== null) {
      const samples = await failovers("SIGKILL", { redis: redis.url }, rounds);
      rows.push(killRow("leader killed → follower leads, Redis witness", samples, floor));
      rows.push(benchRow({ ...floor, unit: "ms", yardstick: null, goal: "the least that there can be" }));
    } else {
      const missing = "redis-server is not installed";
      rows.push({ name: "leader killed → follower leads, Redis witness", missing, goal: KILL_GOAL });
    }
    rows.push(...(await keepalivedRows(scale, sqlite)));
    return rows;
  } finally {
    await redis?.stop();
  }
}

/** Leader frozen: nothing closes, so that only silence tells. */
export async function benchFreeze(scale: Scale): Promise<BenchResult[]> {
  const samples = await failovers("SIGSTOP", {}, amount(scale, 30, 5));
  const name = "leader frozen → follower leads";
  return [benchRow({ name, unit: "ms", samples, yardstick: null, goal: FREEZE_GOAL })];
}

/** The kernel frees the memory of a killed process before it closes its sockets. */
export async function benchLargeProcess(scale: Scale): Promise<BenchResult[]> {
  const rounds = amount(scale, 8, 3);
  const small = await failovers("SIGKILL", { traits: {} }, rounds);
  const rows: BenchResult[] = [];
  for (const ballastMiB of scale.quick ? [1_024] : [1_024, 4_096]) {
    rows.push(
      benchRow({
        name: `leader that holds ${ballastMiB / 1_024} GiB killed → follower leads`,
        unit: "ms",
        samples: await failovers("SIGKILL", { traits: { ballastMiB } }, rounds),
        yardstick: { name: "the same, small", samples: small },
        goal: "reported; the way round is the coordinator in a small process beside the engine",
      }),
    );
  }
  return rows;
}

function killRow(
  name: string,
  samples: readonly number[],
  yardstick: { readonly name: string; readonly samples: readonly number[] } | null,
): BenchResult {
  return benchRow({ name, unit: "ms", samples, yardstick, goal: KILL_GOAL });
}

async function keepalivedRows(scale: Scale, ours: readonly number[]): Promise<BenchResult[]> {
  const name = "keepalived, advert 0.2 s: both processes killed → backup is master";
  const measured = await keepalivedFailovers(amount(scale, 20, 4));
  const goal = "measured for comparison; ours ÷ 50";
  if ("missing" in measured) return [{ name, missing: measured.missing, goal }];
  const yardstick = { name: "Changeover, SQLite witness", samples: ours };
  return [benchRow({ name, unit: "ms", samples: measured.tookMs, yardstick, goal })];
}

/** One fault after another on one pair; between two of them the pair settles. */
async function failovers(fault: Fault, options: PairOptions, rounds: number): Promise<number[]> {
  const pair = await Pair.start(options);
  const samples: number[] = [];
  try {
    for (let round = 0; round < rounds; round += 1) {
      const { leader, follower } = await pair.roles();
      const connection = await KeepAlive.open(follower.url);
      const seen = firstLeads(connection);
      // Faults fall anywhere between two heartbeats.
      await delay(HEARTBEAT_MS * (0.5 + Math.random()));
      const faultMs = performance.now();
      leader.child.signal(fault);
      samples.push((await seen) - faultMs);
      connection.close();
      if (fault === "SIGSTOP") leader.child.signal("SIGCONT");
      else {
        await leader.child.gone();
        await pair.restart(leader.label);
      }
    }
    return samples;
  } finally {
    await pair.close();
  }
}
