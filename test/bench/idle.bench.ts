/** What a whole engine costs while nothing happens: heartbeats, witness, timers, everything. */
import { setTimeout as delay } from "node:timers/promises";
import { Pair } from "./pair.ts";
import { type BenchResult, benchRow } from "./rows.ts";
import { amount, type Scale } from "./scale.ts";

const SECOND_MS = 1_000;
const WARM_UP_MS = 5_000;

/** Share of a core in per cent, one sample a second and an engine. */
export async function benchIdle(scale: Scale): Promise<BenchResult[]> {
  const pair = await Pair.start();
  try {
    const { leader, follower } = await pair.roles();
    await delay(WARM_UP_MS);
    const shares = { leader: [] as number[], follower: [] as number[] };
    for (let second = 0; second < amount(scale, 60, 10); second += 1) {
      const before = [leader.child.cpuMs(), follower.child.cpuMs()] as const;
      const startMs = performance.now();
      await delay(SECOND_MS);
      const tookMs = performance.now() - startMs;
      shares.leader.push((100 * (leader.child.cpuMs() - before[0])) / tookMs);
      shares.follower.push((100 * (follower.child.cpuMs() - before[1])) / tookMs);
    }
    return (["leader", "follower"] as const).map((role) =>
      benchRow({
        name: `idle ${role}, a core of the machine`,
        unit: "%",
        samples: shares[role],
        yardstick: null,
        goal: "< 0.5 %",
      }),
    );
  } finally {
    await pair.close();
  }
}
