/**
 * Rounds of faults drawn at random, under a load of commands, on one pair with a real Redis: after each round one
 * leader and nothing acknowledged lost; in the end, memory and handles as in the beginning.
 * `CHANGEOVER_ROUNDS=200` for more rounds, `CHANGEOVER_SEED` to draw the same faults again.
 */
import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../../src/cli/demo/observe.ts";
import type { Acknowledged } from "../../src/cli/demo/show.ts";
import { type Label, otherLabel } from "../../src/core/ids.ts";
import type { RealPair } from "../support/real-pair.ts";
import { type RedisServer, startRedis } from "../support/redis-server.ts";
import { describeWithServer } from "../support/servers.ts";
import { CommandLoad } from "../support/command-load.ts";
import { withPair } from "../support/stage-pair.ts";
import { expectWhole } from "../support/verdict.ts";
import { type Fault, FAULTS } from "./rundown.suite.ts";

const rounds = Number(process.env["CHANGEOVER_ROUNDS"] ?? 10);
const seed = Number(process.env["CHANGEOVER_SEED"] ?? 1);
/** Start, settling and the last account, then each round. */
const withinMs = 120_000 + rounds * 60_000;
const LONGEST_FAULT_MS = 2_500;
/** What an engine may grow by: its log is kept in memory in part, and V8 frees when it pleases. */
const MAX_GROWTH_MB = 150;
const MAX_MORE_HANDLES = 24;

const MORE_FAULTS: readonly Fault[] = [
  {
    name: "the leader loses the witness",
    begin: (pair, leader) => pair.witness.cut(leader),
    end: (pair, leader) => pair.witness.heal(leader),
  },
  {
    name: "the leader is cut off from all",
    begin: (pair, leader) => (pair.witness.cut(leader), pair.cutLink()),
    end: (pair) => pair.healAll(),
  },
  {
    name: "the follower is frozen",
    begin: (pair, leader) => pair.engines[otherLabel(leader)].freeze(),
    end: (pair, leader) => pair.engines[otherLabel(leader)].thaw(),
  },
];

interface Use {
  readonly mb: number;
  readonly handles: number;
}

describeWithServer("redis-server", "random faults", () => {
  let redis: RedisServer | undefined;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(async () => redis?.stop());

  test(`[A26] [I7] [I9] ${rounds} rounds under load, seed ${seed}`, { timeout: withinMs }, async () => {
    const draw = randomNumbers(seed);
    await withPair({ redis: redis?.url }, async (pair) => {
      await pair.start();
      const acknowledged: Acknowledged[] = [];
      for (let round = 0; round < rounds; round += 1) acknowledged.push(...(await playRound(pair, draw)));
      await expectWhole(pair, acknowledged);
      await expectFlat(pair);
      console.info(`${rounds} rounds, ${acknowledged.length} commands acknowledged`);
    });
  });
});

/** One fault, begun and ended under load, until the pair is ready again. */
async function playRound(pair: RealPair, draw: () => number): Promise<readonly Acknowledged[]> {
  const all = [...FAULTS, ...MORE_FAULTS];
  const fault = all[Math.floor(draw() * all.length)] ?? FAULTS[0];
  const lastsMs = draw() * LONGEST_FAULT_MS;
  const leader = await pair.ready();
  const load = CommandLoad.begin(pair);
  try {
    await until("the load has begun", async () => load.acknowledged.length > 0);
    await fault?.begin(pair, leader);
    const sinceMs = performance.now();
    await until("the fault has lasted", async () => performance.now() - sinceMs >= lastsMs);
    await fault?.end(pair, leader);
    await pair.ready();
    const acknowledged = await load.stop();
    await expectWhole(pair, acknowledged);
    return acknowledged;
  } catch (error) {
    throw new Error(`in the round "${fault?.name}" of ${lastsMs.toFixed(0)} ms`, { cause: error });
  } finally {
    await load.stop().catch(() => undefined);
  }
}

/** Both engines carry a load without faults: what they use afterwards is what they used before. */
async function expectFlat(pair: RealPair): Promise<void> {
  const before = useOf(pair);
  const load = CommandLoad.begin(pair);
  await until("much is acknowledged", async () => load.acknowledged.length >= 500, { withinMs: 60_000 });
  await expectWhole(pair, await load.stop());
  const after = useOf(pair);
  for (const label of ["a", "b"] as const) {
    const [then, now] = [before[label], after[label]];
    console.info(`engine ${label}: ${then.mb} → ${now.mb} MB resident, ${then.handles} → ${now.handles} handles`);
    expect(now.mb - then.mb).toBeLessThan(MAX_GROWTH_MB);
    expect(now.handles - then.handles).toBeLessThan(MAX_MORE_HANDLES);
  }
}

function useOf(pair: RealPair): Readonly<Record<Label, Use>> {
  const of = (label: Label): Use => {
    const folder = `/proc/${pair.engines[label].pid}`;
    const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`${folder}/status`, "utf8"))?.[1];
    return { mb: Math.round(Number(kilobytes) / 1_024), handles: readdirSync(`${folder}/fd`).length };
  };
  return { a: of("a"), b: of("b") };
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomNumbers(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
