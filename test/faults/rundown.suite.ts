/** The 98 calls of a real switcher's API, replayed through every fault: nothing lost, nothing doubled, both equal. */
import { describe, expect, test } from "vitest";
import { until } from "../../src/cli/demo/observe.ts";
import { loadRundown, Show } from "../../src/cli/demo/show.ts";
import { type Label, otherLabel } from "../../src/core/ids.ts";
import type { RealPair } from "../support/real-pair.ts";
import { withPair } from "../support/stage-pair.ts";
import { expectWhole } from "../support/verdict.ts";
import { PATIENCE_MS, type WitnessUnderTest } from "./suites.ts";

const CALLS = 98;
/** Calls before the fault, and until it is over. */
const BEFORE = 30;
const DURING = 30;

/** A fault that begins in the middle of the rundown, and how it ends. */
export interface Fault {
  readonly name: string;
  readonly begin: (pair: RealPair, leader: Label) => Promise<void> | void;
  readonly end: (pair: RealPair, leader: Label) => Promise<void> | void;
}

export const FAULTS = [
  {
    name: "the leader is killed",
    begin: (pair, leader) => pair.kill(leader),
    end: (pair, leader) => pair.engines[leader].start(),
  },
  {
    name: "the follower is killed",
    begin: (pair, leader) => pair.kill(otherLabel(leader)),
    end: (pair, leader) => pair.engines[otherLabel(leader)].start(),
  },
  {
    name: "the leader is frozen",
    begin: (pair, leader) => pair.engines[leader].freeze(),
    end: (pair, leader) => pair.engines[leader].thaw(),
  },
  {
    name: "the leader is stopped",
    begin: async (pair, leader) => void (await pair.engines[leader].stop()),
    end: (pair, leader) => pair.engines[leader].start(),
  },
  { name: "the link is cut", begin: (pair) => pair.cutLink(), end: (pair) => pair.healLink() },
  {
    name: "the follower does not hear the leader",
    begin: (pair, leader) => pair.cutFrom(leader),
    end: (pair) => pair.healLink(),
  },
  {
    name: "the leader does not hear the follower",
    begin: (pair, leader) => pair.cutFrom(otherLabel(leader)),
    end: (pair) => pair.healLink(),
  },
] as const satisfies readonly Fault[];

export function rundowns(witness: WitnessUnderTest, faults: readonly Fault[]): void {
  describe.concurrent(`the rundown, witness ${witness.name}`, { timeout: PATIENCE_MS }, () => {
    test.each(faults)("[I7] [I9] $name: both end equal, with all of it", async (fault) => {
      await playThrough(witness.redis(), fault);
    });
  });
}

/** Plays the whole rundown with the fault in the middle, on a pair of its own. */
export async function playThrough(redis: string | undefined, { begin, end }: Omit<Fault, "name">): Promise<void> {
  await withPair({ redis }, async (pair) => {
    const leader = await pair.start();
    const show = new Show(loadRundown(), { a: pair.engines.a.url, b: pair.engines.b.url });
    const played = show.play(CALLS);
    await until("the beginning is played", async () => show.acknowledged.length >= BEFORE, { pollMs: 1 });
    await begin(pair, leader);
    await until("more is played", async () => show.acknowledged.length >= BEFORE + DURING);
    await end(pair, leader);
    await played;
    expect(show.refused).toEqual([]);
    expect(show.acknowledged).toHaveLength(CALLS);
    await expectWhole(pair, show.acknowledged);
  });
}
