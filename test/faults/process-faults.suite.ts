/** What befalls a process: killed, frozen, stopped, started again. */
import { describe, expect, test } from "vitest";
import { wholeLog } from "../../src/cli/demo/account.ts";
import { until } from "../../src/cli/demo/observe.ts";
import { otherLabel } from "../../src/core/ids.ts";
import { disorder, executionsOf, JOURNAL_ENGINE, journalNowMs } from "../support/journal.ts";
import { type Staged, turnsUntil, withLoadedPair } from "../support/stage-pair.ts";
import { expectWhole, expectWholeWithoutConflicts } from "../support/verdict.ts";
import { askWoken } from "./woken.ts";
import { EMBEDDED, PATIENCE_MS, type WitnessUnderTest } from "./suites.ts";

/** Far beyond the bound of the protocol: figures belong to the benchmarks. */
const SOON_MS = 3_000;
const STOPS_WITHIN_MS = 4_000;
/** Commands acknowledged before a fault, so that there is something to lose. */
const SOME = 30;
const FROZEN_MS = 3_000;
/** On a busy machine a follower is held up at times: what is acknowledged before a fault shall be safe on both. */
const PATIENT = { ackTimeoutMs: 2_000 };
const KILLS = 10;

async function someMore({ load }: Staged): Promise<void> {
  const before = load.acknowledged.length;
  await until("some commands", async () => load.acknowledged.length >= before + SOME, { pollMs: 1 });
}

export function processFaults(witness: WitnessUnderTest): void {
  describe.concurrent(`processes, witness ${witness.name}`, { timeout: PATIENCE_MS }, () => {
    killed(witness);
    killedAroundAnAcknowledgement(witness);
    frozenLeader(witness, FROZEN_MS);
    frozenFollower(witness);
    stoppedInTurn(witness);
  });
}

function killed(witness: WitnessUnderTest): void {
  test("[A1] [A8] the leader is killed: the other leads on, and the killed one comes back to follow", async () => {
    await withLoadedPair({ redis: witness.redis(), commands: PATIENT }, async (staged) => {
      const { pair, recorder, leader, finish } = staged;
      const other = otherLabel(leader);
      const before = (await pair.state(leader)).epoch;
      await someMore(staged);
      await pair.kill(leader);
      expect(await pair.untilLeads(other)).toBeLessThan(SOON_MS);
      expect((await pair.state(other)).epoch).toBeGreaterThan(before);
      await someMore(staged);
      await pair.engines[leader].start();
      expect(await pair.ready()).toBe(other);
      expect(await pair.state(leader)).toMatchObject({ role: "follower", syncState: "ready", mayAct: false });
      const acknowledged = await finish();
      expect(recorder.reigns.map(({ label }) => label)).toEqual([leader, other]);
      await expectWholeWithoutConflicts(pair, acknowledged);
    });
  });
}

/** @param frozenMs how long it is frozen: longer than every vote and wait */
export function frozenLeader(witness: WitnessUnderTest, frozenMs: number): void {
  test.each(["on-air", "consistency"] as const)(
    `[A5] [I6] under %s a leader that was frozen ${frozenMs} ms wakes fenced`,
    async (policy) => {
      await withLoadedPair(
        { redis: witness.redis(), commands: PATIENT, policy, launcher: JOURNAL_ENGINE },
        async (staged) => {
          const { pair, recorder, leader, finish } = staged;
          const other = otherLabel(leader);
          const { epoch } = await pair.state(leader);
          await someMore(staged);
          const sinceMs = performance.now();
          pair.engines[leader].freeze();
          expect(await pair.untilLeads(other)).toBeLessThan(SOON_MS);
          await someMore(staged);
          const answers = askWoken(pair.engines[leader].url);
          await until("frozen long enough", async () => performance.now() - sinceMs >= frozenMs);
          const wokenMs = journalNowMs();
          pair.engines[leader].thaw();
          // What waited in its socket while it slept is the first thing that it sees.
          expect((await answers).filter(({ status, epoch: under }) => status === 200 && under === epoch)).toEqual([]);
          expect(await pair.ready()).toBe(other);
          const acknowledged = await finish();
          expect(recorder.overtaken).toEqual([]);
          await expectWhole(pair, acknowledged);
          const standing = new Set(
            (await wholeLog(pair.engines[other].url)).map(({ seq, epoch: at }) => `${at}/${seq}`),
          );
          const afterwards = executionsOf(pair, leader).filter(({ atMs }) => atMs >= wokenMs);
          expect(afterwards.filter(({ seq, epoch: at }) => !standing.has(`${at}/${seq}`))).toEqual([]);
        },
      );
    },
  );
}

function frozenFollower(witness: WitnessUnderTest): void {
  test("a follower that was frozen wakes, takes part again, and nothing moved", async () => {
    await withLoadedPair({ redis: witness.redis(), commands: PATIENT }, async (staged) => {
      const { pair, recorder, leader, finish } = staged;
      const other = otherLabel(leader);
      pair.engines[other].freeze();
      await pair.untilState(leader, "has missed its peer", ({ peer }) => peer.state === "silent");
      await someMore(staged);
      pair.engines[other].thaw();
      expect(await pair.ready()).toBe(leader);
      const acknowledged = await finish();
      expect(recorder.reigns).toHaveLength(1);
      await expectWholeWithoutConflicts(pair, acknowledged);
    });
  });
}

function stoppedInTurn(witness: WitnessUnderTest): void {
  test("[A25] [HO2] both are stopped and started in turn: each stop is a handover, and ends with exit code 0", async () => {
    await withLoadedPair({ redis: witness.redis(), commands: PATIENT }, async (staged) => {
      const { pair, recorder, leader, finish } = staged;
      const other = otherLabel(leader);
      for (const label of [leader, other]) {
        await someMore(staged);
        const sinceMs = performance.now();
        expect(await pair.engines[label].stop()).toBe(0);
        expect(performance.now() - sinceMs).toBeLessThan(STOPS_WITHIN_MS);
        await pair.untilLeads(otherLabel(label));
        await someMore(staged);
        await pair.engines[label].start();
        expect(await pair.ready()).toBe(otherLabel(label));
      }
      const acknowledged = await finish();
      expect(recorder.reigns.map(({ label }) => label)).toEqual([leader, other, leader]);
      expect(recorder.overtaken).toEqual([]);
      await expectWholeWithoutConflicts(pair, acknowledged);
    });
  });
}

function killedAroundAnAcknowledgement(witness: WitnessUnderTest): void {
  // The witness is not asked between two acknowledgements: with a server as witness, half of the instants are enough.
  test.each(witness === EMBEDDED ? [0, 1] : [0])(
    `[A11] [I9] killed ${KILLS} times around an acknowledgement, no command is lost or stands twice (%i)`,
    async (half) => {
      await withLoadedPair(
        { redis: witness.redis(), commands: PATIENT, load: { count: 3, paceMs: 2 }, launcher: JOURNAL_ENGINE },
        async (staged) => {
          const { pair, load, finish } = staged;
          for (let round = 0; round < KILLS; round += 1) {
            const leader = await pair.ready();
            const before = load.acknowledged.length;
            await turnsUntil(() => load.acknowledged.length > before);
            // Sweeps the instants between two acknowledgements, a few milliseconds apart.
            const atMs = performance.now() + (round * 2 + half) * 0.3;
            await turnsUntil(() => performance.now() >= atMs);
            await pair.kill(leader);
            await pair.untilLeads(otherLabel(leader));
            await pair.engines[leader].start();
          }
          await expectWhole(pair, await finish());
          expect(disorder(executionsOf(pair, "a"))).toEqual([]);
          expect(disorder(executionsOf(pair, "b"))).toEqual([]);
        },
      );
    },
  );
}
