/** A leader whose event loop stands still, because a hook of the engine that it embeds blocks it. */
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import { stateOf, until } from "../../src/cli/demo/observe.ts";
import { type Label, otherLabel } from "../../src/core/ids.ts";
import { RealPair, type RealPairOptions } from "../support/real-pair.ts";

const LAUNCHER = fileURLToPath(new URL("../support/faulty-engine-process.ts", import.meta.url));
const PATIENCE_MS = 60_000;
const LONG_MS = 8_000;
/** So patient that on a busy machine nothing but the report moves the role. */
const PATIENT = { missLimit: 20, leaseMs: 4_000, campaignWaitMs: 4_500 };

let pair: RealPair | null = null;

async function started(options: RealPairOptions = {}): Promise<{ readonly pair: RealPair; readonly leader: Label }> {
  pair = await RealPair.prepare({ launcher: LAUNCHER, ...options });
  const leader = await pair.start();
  return { pair, leader };
}

afterEach(async () => pair?.close());

/** How the newest leadership that `label` knows of began. */
async function lastMove(
  label: Label,
): Promise<{ readonly leader: Label; readonly cause: string; readonly reason: string }> {
  const answer = await fetch(`${pair?.engines[label].url}/api/leadership`);
  const { history } = (await answer.json()) as { history: { leader: Label; cause: string; reason: string }[] };
  const [entry] = history;
  if (entry === undefined) throw new Error("nobody has led yet");
  return entry;
}

/** Answered when the loop runs again. */
async function block(label: Label, how: "busy" | "asleep", ms: number): Promise<number> {
  const response = await fetch(`${pair?.engines[label].url}/engine/block/${how}/${ms}`);
  await response.text();
  return response.status;
}

const stalled = ({ alarms }: { readonly alarms: readonly { readonly code: string }[] }): boolean =>
  alarms.some(({ code }) => code === "loop-stalled");

describe("E4 EN5 EN7: the event loop of a leader stands still", { timeout: PATIENCE_MS }, () => {
  test.each([
    ["on-air", ["busy", "asleep"]],
    ["consistency", ["busy"]],
  ] as const)("%s: the other leads while it still stands, and it follows when it wakes", async (policy, ways) => {
    const { pair: both } = await started({ policy, failover: PATIENT, stallMs: 250 });
    for (const how of ways) {
      const leader = await both.settled();
      const other = otherLabel(leader);
      const blocked = block(leader, how, LONG_MS);
      // Whatever fails first, nobody is left who waits for it.
      blocked.catch(() => undefined);
      await both.untilLeads(other, LONG_MS);
      expect(stalled(await both.state(other))).toBe(true);
      const entry = await lastMove(other);
      expect(entry).toMatchObject({ leader: other, cause: "unhealthy" });
      expect(entry.reason).toMatch(new RegExp(`^the event loop of engine ${leader} stood still for \\d+ ms$`));
      expect(Number(/\d+/.exec(entry.reason)?.[0])).toBeGreaterThan(250);
      expect(await blocked).toBe(200);
      await both.untilState(leader, "says what happened", stalled);
      expect(await both.settled()).toBe(other);
    }
  });

  test("below engine.stallMs the role stays, however long that is", async () => {
    const { pair: both, leader } = await started({ stallMs: 4_000 });
    const { epoch } = await both.state(leader);
    for (const how of ["busy", "asleep", "busy"] as const) expect(await block(leader, how, 1_500)).toBe(200);
    expect(await both.settled()).toBe(leader);
    expect((await both.state(leader)).epoch).toBe(epoch);
  });

  test("ID1: a report that the leader's key did not sign is refused, named in an alarm, and moves nothing", async () => {
    const { pair: both, leader } = await started();
    const other = otherLabel(leader);
    const { pair: name, engineId, epoch } = await both.state(leader);
    const forged = { label: leader, incarnation: "inc_1-x", epoch, n: 1e9, stoodMs: 999, stalled: true };
    const report = { pair: name, engineId, ...forged, signature: "A".repeat(86) };
    const answer = await fetch(`${both.engines[other].url}/api/peer/stall`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(report),
    });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ taken: false, detail: "a stall report that the pinned key did not sign" });
    await both.untilState(other, "names the forgery", ({ alarms }) =>
      alarms.some(({ code, detail }) => code === "peer-refused" && detail.includes("stall report")),
    );
    expect(await both.settled()).toBe(leader);
    expect((await both.state(leader)).epoch).toBe(epoch);
  });

  test("EN8: a person who holds the role is obeyed, and the alarm says why nothing moved", async () => {
    const { pair: both, leader } = await started({ failover: PATIENT, stallMs: 100 });
    const hold = { on: true, reason: "on air" };
    await fetch(`${both.engines[leader].url}/api/maintenance`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(hold),
    });
    await both.untilState(otherLabel(leader), "knows of the hold", ({ maintenance }) => maintenance?.on === true);
    const { epoch } = await both.state(leader);
    await block(leader, "asleep", 1_000);
    await both.untilState(leader, "says why", ({ alarms }) =>
      alarms.some(({ code, detail }) => code === "loop-stalled" && detail.includes("maintenance")),
    );
    expect(await both.leader()).toBe(leader);
    expect((await stateOf(both.engines[leader].url))?.epoch).toBe(epoch);
    await until("the alarm clears", async () => !stalled(await both.state(leader)), { withinMs: 30_000 });
  });
});
