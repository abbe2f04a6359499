/** What befalls a process: killed, frozen, stopped, started again. */
import { describe, expect, test } from "vitest";
import { until } from "../../src/cli/demo/observe.ts";
import { otherLabel } from "../../src/core/ids.ts";
import { withLoadedPair } from "../support/stage-pair.ts";
import { expectWhole, expectWholeWithoutConflicts } from "../support/verdict.ts";
import type { WitnessUnderTest } from "./suites.ts";

/** Far beyond the bound of the protocol: figures belong to the benchmarks. */
const SOON_MS = 3_000;
/** Commands acknowledged before a fault, so that there is something to lose. */
const SOME = 30;

export function processFaults(witness: WitnessUnderTest): void {
  describe.concurrent(`processes, witness ${witness.name}`, () => {
    test("[A1] [A8] the leader is killed: the other leads at a higher epoch, and the killed one comes back to follow", async () => {
      await withLoadedPair({ redis: witness.redis() }, async ({ pair, recorder, leader, load, finish }) => {
        const other = otherLabel(leader);
        const before = (await pair.state(leader)).epoch;
        await until("some commands", async () => load.acknowledged.length >= SOME, { pollMs: 1 });
        await pair.kill(leader);
        expect(await pair.untilLeads(other)).toBeLessThan(SOON_MS);
        expect((await pair.state(other)).epoch).toBeGreaterThan(before);
        await pair.engines[leader].start();
        expect(await pair.settled()).toBe(other);
        expect(await pair.state(leader)).toMatchObject({ role: "follower", syncState: "ready", mayAct: false });
        const acknowledged = await finish();
        expect(recorder.reigns.map(({ label }) => label)).toEqual([leader, other]);
        await expectWholeWithoutConflicts(pair, acknowledged);
      });
    });
  });
}
