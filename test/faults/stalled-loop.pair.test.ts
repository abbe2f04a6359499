/** A leader whose event loop stands still, because a hook of the engine that it embeds blocks it. */
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../src/cli/demo/observe.ts";
import { type Label, otherLabel } from "../../src/core/ids.ts";
import { RealPair, type RealPairOptions } from "../support/real-pair.ts";

const LAUNCHER = fileURLToPath(new URL("../support/faulty-engine-process.ts", import.meta.url));
const PATIENCE_MS = 60_000;
const LONG_MS = 8_000;
/** So patient that on a busy machine nothing but the report moves the role. */
const PATIENT = { missLimit: 20, leaseMs: 4_000, campaignWaitMs: 4_500 };

let pair: RealPair;

function forEachTest(options: RealPairOptions): void {
  beforeAll(async () => {
    pair = await RealPair.prepare({ launcher: LAUNCHER, ...options });
    await pair.start();
  }, PATIENCE_MS);
  afterAll(async () => pair.close());
}

/** How the newest leadership that `label` knows of began. */
async function lastMove(
  label: Label,
): Promise<{ readonly leader: Label; readonly cause: string; readonly reason: string }> {
  const answer = await fetch(`${pair.engines[label].url}/api/leadership`);
  const { history } = (await answer.json()) as { history: { leader: Label; cause: string; reason: string }[] };
  const [entry] = history;
  if (entry === undefined) throw new Error("nobody has led yet");
  return entry;
}

async function post(label: Label, path: string, body: object): Promise<Response> {
  const headers = { "content-type": "application/json" };
  return fetch(`${pair.engines[label].url}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
}

/** Answered when the loop runs again. */
async function block(label: Label, how: "busy" | "asleep", ms: number): Promise<number> {
  const response = await fetch(`${pair.engines[label].url}/engine/block/${how}/${ms}`);
  await response.text();
  return response.status;
}

const stalled = ({ alarms }: { readonly alarms: readonly { readonly code: string }[] }): boolean =>
  alarms.some(({ code }) => code === "loop-stalled");

/** The loop of the leader stands still for long: the other leads meanwhile, and the old one follows when it wakes. */
async function isReplaced(how: "busy" | "asleep"): Promise<void> {
  const leader = await pair.settled();
  const other = otherLabel(leader);
  const blocked = block(leader, how, LONG_MS);
  // Whatever fails first, nobody is left who waits for it.
  blocked.catch(() => undefined);
  await pair.untilLeads(other, LONG_MS);
  expect(stalled(await pair.state(other))).toBe(true);
  const entry = await lastMove(other);
  expect(entry).toMatchObject({ leader: other, cause: "unhealthy" });
  expect(entry.reason).toMatch(new RegExp(`^the event loop of engine ${leader} stood still for \\d+ ms$`));
  expect(Number(/\d+/.exec(entry.reason)?.[0])).toBeGreaterThan(250);
  expect(await blocked).toBe(200);
  await pair.untilState(leader, "says what happened", stalled);
  expect(await pair.settled()).toBe(other);
}

describe("E4 EN5 EN7: the event loop of a leader stands still, on-air", { timeout: PATIENCE_MS }, () => {
  forEachTest({ failover: PATIENT, stallMs: 250 });

  test.each(["busy", "asleep"] as const)("%s: the other leads while it still stands", async (how) => isReplaced(how));

  test("EN8: a person who holds the role is obeyed, the alarm says why nothing moved, and it clears", async () => {
    const leader = await pair.settled();
    await post(leader, "/api/maintenance", { on: true, reason: "on air" });
    await pair.untilState(otherLabel(leader), "knows of the hold", ({ maintenance }) => maintenance?.on === true);
    const { epoch } = await pair.state(leader);
    await block(leader, "asleep", 1_500);
    await pair.untilState(leader, "says why", ({ alarms }) =>
      alarms.some(({ code, detail }) => code === "loop-stalled" && detail.includes("maintenance")),
    );
    expect(await pair.leader()).toBe(leader);
    expect((await pair.state(leader)).epoch).toBe(epoch);
    await post(leader, "/api/maintenance", { on: false, reason: "done" });
    await until("the alarm clears", async () => !stalled(await pair.state(leader)), { withinMs: 30_000 });
  });

  test("ID1: a report that the leader's key did not sign is refused, named in an alarm, and moves nothing", async () => {
    const leader = await pair.settled();
    const other = otherLabel(leader);
    const { pair: name, engineId, epoch } = await pair.state(leader);
    const forged = { label: leader, incarnation: "inc_1-x", epoch, n: 1e9, stoodMs: 999, stalled: true };
    const answer = await post(other, "/api/peer/stall", {
      ...{ pair: name, engineId, ...forged },
      signature: "A".repeat(86),
    });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ taken: false, detail: "a stall report that the pinned key did not sign" });
    await pair.untilState(other, "names the forgery", ({ alarms }) =>
      alarms.some(({ code, detail }) => code === "peer-refused" && detail.includes("stall report")),
    );
    expect(await pair.settled()).toBe(leader);
    expect((await pair.state(leader)).epoch).toBe(epoch);
  });
});

describe("E4 EN5: the event loop of a leader stands still, consistency", { timeout: PATIENCE_MS }, () => {
  forEachTest({ policy: "consistency", failover: PATIENT, stallMs: 250 });

  test("busy: the other leads while it still stands", async () => isReplaced("busy"));
});

describe("E4 EN5: below engine.stallMs", { timeout: PATIENCE_MS }, () => {
  forEachTest({ stallMs: 4_000 });

  test("the role stays, though the lease runs out", async () => {
    const leader = await pair.settled();
    const { epoch } = await pair.state(leader);
    for (const how of ["busy", "asleep", "busy"] as const) expect(await block(leader, how, 1_500)).toBe(200);
    expect(await pair.settled()).toBe(leader);
    expect((await pair.state(leader)).epoch).toBe(epoch);
  });
});
