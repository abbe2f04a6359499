/** How far apart both engines of a pair execute the same command, on the machine's own monotonic clock. */
import { setTimeout as delay } from "node:timers/promises";
import { KeepAlive } from "./keep-alive.ts";
import { Pair } from "./pair.ts";
import { type BenchResult, benchRow } from "./rows.ts";
import { amount, type Scale } from "./scale.ts";

/** Between two commands on average, ms. */
const PACE_MS = 15;
/** Commands until the offset between both clocks has settled. */
const WARM_UP = 100;

type Instants = ReadonlyMap<number, number>;

export async function benchLockstep(scale: Scale): Promise<BenchResult[]> {
  const pair = await Pair.start({ traits: {} });
  try {
    const { leader, follower } = await pair.roles();
    const rounds = amount(scale, 3_000, 200);
    await submit(leader.url, WARM_UP + rounds);
    const roundTrips = await roundTripsMs(leader.url);
    const [first, second] = [await instantsOf(leader.url), await instantsOf(follower.url)];
    const samples = [...first.keys()]
      .filter((seq) => seq > WARM_UP)
      .map((seq) => Math.abs((first.get(seq) ?? NaN) - (second.get(seq) ?? NaN)));
    if (samples.length < rounds || samples.some(Number.isNaN))
      throw new Error("an engine has not executed every command");
    return [
      benchRow({
        name: "lockstep: execution on one engine against the other",
        unit: "ms",
        samples,
        yardstick: { name: "round trip of the peer link", samples: roundTrips },
        goal: "p99 ≤ 1 ms",
      }),
    ];
  } finally {
    await pair.close();
  }
}

async function submit(url: string, count: number): Promise<void> {
  const connection = await KeepAlive.open(url);
  for (let n = 0; n < count; n += 1) {
    const { status, body } = await connection.post("/api/commands", JSON.stringify({ kind: "count", payload: { n } }));
    if (status !== 200) throw new Error(`a command was answered ${status} ${body}`);
    await delay(2 * PACE_MS * Math.random());
  }
  connection.close();
  // The last ones are executed a lead time after their acceptance.
  await delay(200);
}

async function roundTripsMs(url: string): Promise<number[]> {
  const connection = await KeepAlive.open(url);
  const samples: number[] = [];
  for (let look = 0; look < 10; look += 1) {
    const { peer } = JSON.parse((await connection.get("/api/state")).body) as { peer: { roundTripMs: number | null } };
    if (peer.roundTripMs !== null) samples.push(peer.roundTripMs);
    await delay(200);
  }
  connection.close();
  return samples;
}

async function instantsOf(url: string): Promise<Instants> {
  const answer = await fetch(`${url}/engine/instants`);
  return new Map((await answer.json()) as [number, number][]);
}
