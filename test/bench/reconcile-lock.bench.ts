/**
 * The reconcile lock on a real Redis: acquire, refresh and release, each beside a PING on the very connection and
 * beside node-redlock where it is installed. Before every measured call comes its PING, and who goes first changes with
 * every round, so that all see the same state of the machine.
 */
import { Redis } from "ioredis";
import { parseRedisUrl } from "../../src/adapters/redis/address.ts";
import { openRedisClient } from "../../src/adapters/redis/client.ts";
import { RedisWitness } from "../../src/adapters/redis-witness.ts";
import { SystemClock } from "../../src/adapters/basics.ts";
import { makeId } from "../../src/core/ids.ts";
import { startRedis } from "../support/redis-server.ts";
import { type BenchRow, benchRow } from "./rows.ts";

const WARM_UP_ROUNDS = 1_000;
const ROUNDS = 5_000;
const TTL_MS = 30_000;
const TIMEOUT_MS = 1_000;
const GOAL = "≤ 1.3 × PING, and faster than redlock";

/** One thing that can be locked: three calls, made one after another. */
interface Contender {
  readonly name: string;
  readonly ping: () => Promise<unknown>;
  readonly acquire: (round: number) => Promise<unknown>;
  readonly refresh: (round: number) => Promise<unknown>;
  readonly release: (round: number) => Promise<unknown>;
}

const CALLS = ["acquire", "refresh", "release"] as const;

/** The part of redlock 4 that is measured. */
interface RedlockModule {
  readonly default: new (
    clients: readonly Redis[],
    options: { readonly retryCount: number },
  ) => {
    lock(resource: string, ttlMs: number): Promise<RedlockLock>;
  };
}

interface RedlockLock {
  extend(ttlMs: number): Promise<RedlockLock>;
  unlock(): Promise<void>;
}

/** Starts a Redis of its own. Throws where redis-server is not installed. */
export async function benchReconcileLock(): Promise<BenchRow[]> {
  const server = await startRedis();
  const { url } = server;
  const client = openRedisClient({ address: parseRedisUrl(url), timeoutMs: TIMEOUT_MS }) as Redis;
  const witness = new RedisWitness({ clock: new SystemClock(), client }, { url, pair: "bench", timeoutMs: TIMEOUT_MS });
  const plain = new Redis(url);
  try {
    await Promise.all([witness.read(), plain.ping()]);
    const contenders = [ours(witness, client), await redlock(plain)].filter((contender) => contender !== null);
    const samples = await race(contenders);
    return contenders.flatMap((contender) => rowsOf(contender, samples));
  } finally {
    plain.disconnect();
    await witness.close();
    await server.stop();
  }
}

function ours(witness: RedisWitness, client: Redis): Contender {
  const idOf = (round: number): ReturnType<typeof makeId<"lock">> => makeId("lock", `V1StGXR8Z5jdHi6B${round}`);
  const sure = async (wanted: string, call: Promise<{ readonly outcome: string }>): Promise<void> => {
    const { outcome } = await call;
    if (outcome !== wanted) throw new Error(`the lock was not ${wanted} but ${outcome}`);
  };
  return {
    name: "reconcile lock",
    ping: async () => client.ping(),
    acquire: async (round) =>
      sure("acquired", witness.acquireLock({ lockId: idOf(round), holder: "eng_V1StGXR8Z5jd", ttlMs: TTL_MS })),
    refresh: async (round) => sure("refreshed", witness.refreshLock(idOf(round), TTL_MS)),
    release: async (round) => sure("released", witness.releaseLock(idOf(round))),
  };
}

/** `null` where it is not installed. */
async function redlock(client: Redis): Promise<Contender | null> {
  // @ts-expect-error redlock 4 has no types of its own
  const loaded = (await import("redlock").catch(() => null)) as RedlockModule | null;
  if (loaded === null) return null;
  const locks = new loaded.default([client], { retryCount: 0 });
  let held: RedlockLock | null = null;
  return {
    name: "redlock",
    ping: async () => client.ping(),
    acquire: async () => (held = await locks.lock("bench:redlock", TTL_MS)),
    refresh: async () => (held = (await held?.extend(TTL_MS)) ?? null),
    release: async () => held?.unlock(),
  };
}

/** Samples in µs by `contender call` and, of the PINGs before them, by `PING contender call`. */
async function race(contenders: readonly Contender[]): Promise<Map<string, number[]>> {
  const samples = new Map<string, number[]>();
  const measure = async (key: string, keep: boolean, call: () => Promise<unknown>): Promise<void> => {
    const startMs = performance.now();
    await call();
    const tookUs = (performance.now() - startMs) * 1_000;
    if (!keep) return;
    const taken = samples.get(key) ?? [];
    taken.push(tookUs);
    samples.set(key, taken);
  };
  for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round += 1) {
    const keep = round >= WARM_UP_ROUNDS;
    for (const call of CALLS) {
      for (const contender of round % 2 === 0 ? contenders : contenders.toReversed()) {
        const key = `${contender.name} ${call}`;
        await measure(`PING ${key}`, keep, contender.ping);
        await measure(key, keep, async () => contender[call](round));
      }
    }
  }
  return samples;
}

function rowsOf(contender: Contender, samples: ReadonlyMap<string, readonly number[]>): BenchRow[] {
  return CALLS.map((call) => {
    const name = `${contender.name} ${call}`;
    return benchRow({
      name,
      unit: "µs",
      samples: samples.get(name) ?? [],
      yardstick: { name: "Redis PING", samples: samples.get(`PING ${name}`) ?? [] },
      goal: contender.name === "redlock" ? "measured for comparison" : GOAL,
    });
  });
}
