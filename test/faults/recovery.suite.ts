/** A second fault in the middle of a reconciliation: the winner, the loser or the witness goes, and everything returns. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { wholeLog } from "../../src/cli/demo/account.ts";
import { until } from "../../src/cli/demo/observe.ts";
import type { CommandConflict } from "../../src/core/command.ts";
import { type Label, otherLabel } from "../../src/core/ids.ts";
import { MachineWatch, PAUSE_MS, stalledMs } from "../campaign/machine-watch.ts";
import { call } from "../support/http-call.ts";
import type { RealPair } from "../support/real-pair.ts";
import { withPair } from "../support/stage-pair.ts";
import { PATIENCE_MS, type WitnessUnderTest } from "./suites.ts";

/** The faults themselves took 26 s and for ever. Time in which the machine kept an engine from running does not count. */
const RECOVERED_WITHIN_MS = 3_000;
/** As many as make a reconciliation last long enough to be met by the next fault. */
const DIVERGENT = 900;
const MOST_LOG_BYTES = 1_000_000;

export function recoveries(witness: WitnessUnderTest): void {
  describe.concurrent(`recovery, witness ${witness.name}`, { timeout: PATIENCE_MS }, () => {
    test("P1 SB6 I15: the winner dies with the loser's command saved, the loser leads on, the winner returns", async () => {
      await withPair({ redis: witness.redis() }, winnerDiesWithTheConflict);
    });

    test.each(["winner", "loser"] as const)(
      "P5 SB7 A28: SIGKILL of the %s while the reconcile lock is held does not hold up the recovery",
      async (victim) => {
        await withPair({ redis: witness.redis() }, async (pair) => {
          const { winner, loser } = await splitWith(pair, DIVERGENT);
          await lockHeld(pair, winner);
          const killed = victim === "winner" ? winner : loser;
          await pair.kill(killed);
          await pair.untilLeads(otherLabel(killed));
          await pair.engines[killed].start();
          await recovered(pair);
          await expectAccounted(pair, DIVERGENT);
        });
      },
    );

    test("SB7 A28: the witness is lost to both while the reconcile lock is held, and returns", async () => {
      await withPair({ redis: witness.redis() }, async (pair) => {
        const { winner, loser } = await splitWith(pair, DIVERGENT);
        await lockHeld(pair, winner);
        for (const label of [winner, loser]) pair.witness.cut(label);
        await pair.untilState(winner, "misses the witness", ({ alarms }) =>
          alarms.some(({ code }) => code === "witness-unreachable"),
        );
        for (const label of [winner, loser]) pair.witness.heal(label);
        await recovered(pair);
        await expectAccounted(pair, DIVERGENT);
      });
    });
  });
}

async function winnerDiesWithTheConflict(pair: RealPair): Promise<void> {
  const first = await pair.start();
  const second = otherLabel(first);
  for (let n = 0; n < 5; n += 1) await cut(pair, first, n);
  pair.cutLink();
  const unanswered = cut(pair, first, 5).catch(() => null);
  await until("the command is on the disk", async () => (await wholeLog(pair.engines[first].url)).length === 6);
  pair.engines[first].freeze();
  await pair.untilLeads(second);
  pair.witness.cut(first);
  pair.healLink();
  pair.engines[first].thaw();
  await unanswered;
  await until("the winner has saved the conflict", async () => (await conflictsOn(pair, second)).length === 1);
  await pair.kill(second);
  await pair.untilLeads(first);
  for (let n = 6; n < 9; n += 1) await cut(pair, first, n);
  await pair.engines[second].start();
  await recovered(pair);
  const logs = await Promise.all([first, second].map(async (label) => wholeLog(pair.engines[label].url)));
  expect(logs[1]).toEqual(logs[0]);
  expect(logs[0]).toHaveLength(9);
  for (const label of [first, second]) {
    const conflicts = await conflictsOn(pair, label);
    expect(conflicts.map(({ divergent }) => divergent.seq)).toEqual([6]);
    expect(await alarmsOn(pair, label)).not.toContain("store-failed");
    expect(statSync(join(pair.folder, `engine-${label}.log`)).size).toBeLessThan(MOST_LOG_BYTES);
  }
}

/** Both led and took commands; the link is healed, so that the one with the higher epoch begins to reconcile. */
async function splitWith(pair: RealPair, commands: number): Promise<{ winner: Label; loser: Label }> {
  const loser = await pair.start();
  const winner = otherLabel(loser);
  await cutAgain(pair, loser, -1);
  pair.witness.cut(loser);
  pair.cutLink();
  await pair.untilLeads(winner);
  await cutAgain(pair, winner, 0);
  const places = Array.from({ length: commands }, (_, n) => n);
  for (let start = 0; start < commands; start += 20) {
    await Promise.all(places.slice(start, start + 20).map(async (n) => cutAgain(pair, loser, n)));
  }
  pair.healAll();
  return { winner, loser };
}

/** A leader and a ready follower, equal, within the bound. */
async function recovered(pair: RealPair): Promise<void> {
  const watch = new MachineWatch(() => (["a", "b"] as const).flatMap((label) => pair.engines[label].pid ?? []));
  const sinceMs = performance.now();
  try {
    await pair.settled();
    const tookMs = performance.now() - sinceMs;
    const heldUpMs = stalledMs(watch.stalls, sinceMs);
    // Who was held up for as long as a pause begins anew [CP5].
    const boundMs = RECOVERED_WITHIN_MS * (heldUpMs < PAUSE_MS ? 1 : 2) + heldUpMs;
    expect(tookMs, `recovered, ${Math.round(heldUpMs)} ms of it held up by the machine`).toBeLessThan(boundMs);
  } finally {
    watch.stop();
  }
}

async function lockHeld(pair: RealPair, winner: Label): Promise<void> {
  const isHeld = async (): Promise<boolean> =>
    (await call("GET", `${pair.engines[winner].url}/api/sync/reconcile-lock`)).body?.["held"] === true;
  await until("the winner holds the lock", isHeld, { pollMs: 0 });
}

/** Every command that does not stand is listed once, on both engines. */
async function expectAccounted(pair: RealPair, divergent: number): Promise<void> {
  for (const label of ["a", "b"] as const) {
    const log = await wholeLog(pair.engines[label].url);
    const listed = await conflictsOn(pair, label);
    const ids = new Set(listed.map(({ id }) => id));
    expect(ids.size).toBe(listed.length);
    expect(log.map(({ seq }) => seq)).toEqual(log.map((_command, at) => at + 1));
    // Whichever side stood in the end, the other is in the list.
    const standing = log.length - 1;
    expect(standing + listed.length).toBe(divergent + 1);
  }
}

/** Gives one cut, again and again until it stands: a leader that was held up for a moment refuses until it knows more. */
async function cutAgain(pair: RealPair, label: Label, n: number): Promise<void> {
  const url = `${pair.engines[label].url}/engine/api/switch/cut`;
  const headers = { "idempotency-key": `${label}-${n}` };
  const stands = async (): Promise<boolean> =>
    (await call("POST", url, { source: `cam${(n % 3) + 1}` }, headers)).status === 200;
  await until(`cut ${n} at ${label}`, stands);
}

async function cut(pair: RealPair, label: Label, n: number): Promise<void> {
  const answer = await call("POST", `${pair.engines[label].url}/engine/api/switch/cut`, {
    source: `cam${(n % 3) + 1}`,
  });
  expect(answer.status).toBe(200);
}

async function conflictsOn(pair: RealPair, label: Label): Promise<readonly CommandConflict[]> {
  const { body } = await call("GET", `${pair.engines[label].url}/api/conflicts?limit=1000`);
  return (body as unknown as { readonly conflicts: readonly CommandConflict[] }).conflicts;
}

async function alarmsOn(pair: RealPair, label: Label): Promise<readonly string[]> {
  return (await pair.state(label)).alarms.map(({ code }) => code);
}
