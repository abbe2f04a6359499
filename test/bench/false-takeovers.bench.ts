/**
 * Take-overs that nobody needed: a pair on a machine whose cores are all busy, both loops held up for 50 ms about every
 * 0.7 s, with keepalived under the same load beside it.
 */
import { cpus } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Child } from "./child.ts";
import { KeepalivedPair } from "./keepalived.ts";
import { Pair, stateOf } from "./pair.ts";
import { type BenchResult, benchRow } from "./rows.ts";
import type { Scale } from "./scale.ts";

const BUSY = fileURLToPath(new URL("busy-process.ts", import.meta.url));
const STALL_MS = 50;
const QUICK_MS = 15_000;
const MINUTE_MS = 60_000;

export async function benchFalseTakeovers(scale: Scale): Promise<BenchResult[]> {
  const watchMs = scale.quick ? QUICK_MS : scale.minutes * MINUTE_MS;
  const pair = await Pair.start({ traits: { stallMs: STALL_MS } });
  const keepalived = await KeepalivedPair.start().catch(() => null);
  const busy = cpus().map(() => new Child([BUSY]));
  try {
    const leader = pair.engines[await pair.settled()];
    const before = (await stateOf(leader.url))?.epoch;
    const mastersBefore = keepalived?.masters ?? 0;
    await delay(watchMs);
    for (const child of busy) await child.kill();
    await pair.settled();
    const after = (await stateOf(leader.url))?.epoch;
    if (before === undefined || after === undefined) throw new Error("the leader did not tell its epoch");
    return [
      benchRow({
        name: `false take-overs in ${watchMs / MINUTE_MS} min, all cores busy, stalls of ${STALL_MS} ms`,
        unit: "times",
        samples: [after - before],
        yardstick: keepalived && { name: "keepalived", samples: [keepalived.masters - mastersBefore] },
        goal: "0",
      }),
    ];
  } finally {
    for (const child of busy) await child.kill();
    await keepalived?.close();
    await pair.close();
  }
}
