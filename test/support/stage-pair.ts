/** A settled pair, watched and under load, for the length of one test. */
import { availableParallelism } from "node:os";
import type { Acknowledged } from "../../src/cli/demo/show.ts";
import type { Label } from "../../src/core/ids.ts";
import { CommandLoad } from "./command-load.ts";
import { RealPair, type RealPairOptions } from "./real-pair.ts";
import { Recorder } from "./recorder.ts";

export interface Staged {
  readonly pair: RealPair;
  readonly recorder: Recorder;
  readonly leader: Label;
  readonly load: CommandLoad;
  /** Ends load and recorder, and says what was acknowledged. */
  readonly finish: () => Promise<readonly Acknowledged[]>;
}

/** Pairs of one file that run at once: engines that starve each other prove nothing. */
const MAX_PAIRS = Math.max(1, Math.min(3, availableParallelism() - 1));

const waiting: (() => void)[] = [];
let free = MAX_PAIRS;

/** Runs `play` on a pair of its own. What fails carries the last words of both engines. */
export async function withPair(options: RealPairOptions, play: (pair: RealPair) => Promise<void>): Promise<void> {
  if (free > 0) free -= 1;
  else await new Promise<void>((resolve) => waiting.push(resolve));
  try {
    await playOn(await RealPair.prepare(options), play);
  } finally {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  }
}

async function playOn(pair: RealPair, play: (pair: RealPair) => Promise<void>): Promise<void> {
  try {
    await play(pair);
  } catch (error) {
    if (error instanceof Error) error.message += `\n${pair.lastWords()}`;
    throw error;
  } finally {
    await pair.close();
  }
}

/** Runs `play` on a settled pair with clients that give commands all along. */
export async function withLoadedPair(
  options: RealPairOptions & { readonly load?: { readonly count?: number; readonly paceMs?: number } },
  play: (staged: Staged) => Promise<void>,
): Promise<void> {
  await withPair(options, async (pair) => {
    const leader = await pair.start();
    const recorder = Recorder.watch(pair);
    const load = CommandLoad.begin(pair, options.load);
    const finish = async (): Promise<readonly Acknowledged[]> => {
      const acknowledged = await load.stop();
      await recorder.stop();
      return acknowledged;
    };
    try {
      await play({ pair, recorder, leader, load, finish });
    } finally {
      await finish().catch(() => undefined);
    }
  });
}

/** Waits turn by turn of the loop, where a millisecond is too coarse. */
export async function turnsUntil(condition: () => boolean, withinMs = 15_000): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`not within ${withinMs} ms: ${condition.toString()}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
