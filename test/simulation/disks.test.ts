/** The disks of the virtual world: what each fault does to the store, and that the pair comes through it. */
import { describe, expect, it } from "vitest";
import { DISK_FAULT_KINDS } from "../../src/simulation/faults/catalogue.ts";
import { runSeed } from "../../src/simulation/run.ts";
import { simulated } from "../../src/simulation/subject.ts";
import { playAim } from "../../src/simulation/systematic.ts";
import type { World } from "../../src/simulation/world/world.ts";

const POLICIES = ["consistency", "on-air"] as const;

describe.each(DISK_FAULT_KINDS)("%s", (kind) => {
  it.each(POLICIES)("[I7 I9 I19] leaves an equal pair with a ready follower under %s", async (policy) => {
    for (const target of ["a", "b"] as const) {
      const faults = [{ kind, atMs: 3_000, forMs: 2_500, target, amount: 0.4 }];
      const run = await runSeed(simulated, {
        seed: 3,
        policy,
        faults,
        spokes: 1,
        sites: 1,
        feed: true,
        safetyMs: 7_000,
      });
      expect(run.violation, target).toBeNull();
    }
  });
});

it("ID2: an engine whose disk was wiped is another one, and is the peer once people have adopted it", async () => {
  let world: World | undefined;
  const prepare = (made: World): void => void (world = made);
  const faults = [{ kind: "disk-wiped" as const, atMs: 3_000, forMs: 800, target: "b" as const, amount: 0.4 }];
  let before = "";
  const watch = (made: World): void => {
    prepare(made);
    made.scheduler.at(2_900, () => void (before = made.contentOf("b")?.engineId ?? ""));
  };
  const run = await runSeed(simulated, { seed: 3, policy: "on-air", faults, spokes: 0, sites: 0, prepare: watch });
  const after = world?.contentOf("b")?.engineId;
  expect(run.violation).toBeNull();
  expect(after).not.toBe(before);
  expect(world?.contentOf("a")?.pinnedPeer?.engineId).toBe(after);
});

it("R1 RP2: a restored engine gets back what it had brought to its peer for a spoke", async () => {
  const faults = [{ kind: "disk-restored" as const, atMs: 3_000, forMs: 3_960, target: "a" as const, amount: 0.74 }];
  const around = { spokes: 2, sites: 0, feed: true, safetyMs: 9_000, singly: false };
  const { violation } = await runSeed(simulated, { seed: 2, policy: "consistency", faults, ...around });
  expect(violation).toBeNull();
});

it("SB2: a page of a recovery that is lost is asked for again when the follower asks again", async () => {
  const { reached, run } = await playAim(simulated, {
    policy: "on-air",
    scenario: "split, loser slow, witness away",
    moment: "split-brain enters backingOff",
    atMs: 7_000,
    kind: "pause",
    at: "self",
    forMs: 900,
  });
  expect(reached).toBe(true);
  expect(run.violation).toBeNull();
});
