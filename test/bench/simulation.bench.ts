/** How much faster than real time the virtual world runs on one core. */
import { runSeed } from "../../src/simulation/run.ts";
import { simulated } from "../../src/simulation/subject.ts";
import { type BenchResult, benchRow } from "./rows.ts";
import { amount, type Scale } from "./scale.ts";

const WARM_UP_SEEDS = 3;
/** Seeds that no other run uses. */
const FIRST_SEED = 500_000;

/** One sample a seed, both policies in turn. */
export async function benchSimulation(scale: Scale): Promise<BenchResult[]> {
  const samples: number[] = [];
  for (let index = 0; index < WARM_UP_SEEDS + amount(scale, 60, 6); index += 1) {
    const startMs = performance.now();
    const policy = index % 2 === 0 ? "on-air" : "consistency";
    const { virtualMs } = await runSeed(simulated, { seed: FIRST_SEED + index, policy });
    if (index >= WARM_UP_SEEDS) samples.push(virtualMs / (performance.now() - startMs));
  }
  const name = "simulation: virtual time ÷ real time on one core";
  return [benchRow({ name, unit: "×", samples, yardstick: null, goal: "≥ 1000 ×" })];
}
