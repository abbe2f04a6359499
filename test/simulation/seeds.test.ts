/** The real coordinator pair under faults: fresh seeds, and those that once broke something. */
import { describe, expect, it } from "vitest";
import {
  DISK_FAULT_KINDS,
  FAULT_KINDS,
  RANDOM_DISK_FAULT_KINDS,
  type FaultKind,
} from "../../src/simulation/faults/catalogue.ts";
import { runSeed } from "../../src/simulation/run.ts";
import { simulated } from "../../src/simulation/subject.ts";
import { RECORD_REGRESSIONS, SITE_REGRESSIONS } from "./record-regressions.ts";
import { REGRESSIONS } from "./regressions.ts";

const POLICIES = ["consistency", "on-air"] as const;
const SEEDS = Array.from({ length: 30 }, (_, index) => index + 1);

describe("the pair", () => {
  it.each(POLICIES)(
    "[I1–I11, I13, I14] keeps every invariant under %s, whatever fails",
    { timeout: 300_000 },
    async (policy) => {
      const kinds = new Set<FaultKind>();
      let acknowledged = 0;
      for (const seed of SEEDS) {
        const run = await runSeed(simulated, { seed, policy });
        expect(run.violation, `seed ${seed}`).toBeNull();
        for (const [kind] of run.faults) kinds.add(kind);
        acknowledged += run.tally.acknowledgedPair;
      }
      const never = DISK_FAULT_KINDS.filter((kind) => !RANDOM_DISK_FAULT_KINDS.includes(kind));
      const planned = FAULT_KINDS.filter((kind) => !never.includes(kind));
      expect([...kinds].sort()).toEqual([...planned].sort());
      expect(acknowledged).toBeGreaterThan(3_000);
    },
  );

  describe.each(REGRESSIONS)("that broke once: $found", ({ seed, faults }) => {
    it.each(POLICIES)("keeps every invariant under %s", async (policy) => {
      const { violation } = await runSeed(simulated, { seed, policy, faults, spokes: 0, sites: 0, feed: false });
      expect(violation).toBeNull();
    });
  });
});

describe.each(RECORD_REGRESSIONS)("the pair and its spokes, that broke once: $found", ({ seed, faults, sites = 0 }) => {
  it.each(POLICIES)("keep every invariant under %s", async (policy) => {
    const { violation } = await runSeed(simulated, { seed, policy, faults, sites });
    expect(violation).toBeNull();
  });
});

describe.each(SITE_REGRESSIONS)("the pair and a site, that broke once: $found", ({ seed, faults }) => {
  it.each(POLICIES)("keep every invariant under %s", async (policy) => {
    const { violation } = await runSeed(simulated, { seed, policy, faults, spokes: 0, sites: 1, feed: false });
    expect(violation).toBeNull();
  });
});
