/**
 * The rows of the failure matrix that are about an engine, the witness's memory or the clocks, on the virtual pair with
 * every invariant watched. The rows about links run on real processes (test/faults).
 */
import { expect } from "vitest";
import type { Policy } from "../../src/core/settings.ts";
import { scenario, type Stage } from "../scenarios/stage.ts";

const POLICIES = ["on-air", "consistency"] as const;
/** A scheduler's turn, the swap at the witness, and the jitter of a timer. */
const SLACK_MS = 60;

function each(id: string, situation: string, play: (stage: Stage, policy: Policy) => Promise<void>): void {
  for (const policy of POLICIES) {
    scenario(id, `${policy}: ${situation}`, { failover: { policy } }, async (stage) => {
      await stage.given("a on air, b ready", () => stage.onAir("a"));
      await stage.run(1_000);
      await play(stage, policy);
    });
  }
}

function witnessOf(stage: Stage) {
  const { witness } = stage.world.ground;
  if (witness === null) throw new Error("this stage has a witness");
  return witness;
}

const takesOver = (stage: Stage, limitMs: number): Promise<number> =>
  stage.until("b leads", () => stage.leads("b"), limitMs);

each("DP1", "a is killed, the witness is there", async (stage, policy) => {
  stage.process("a").kill(3);
  const tookMs = await takesOver(stage, 3_000);
  if (policy === "on-air") expect(tookMs).toBeLessThan(20);
  else expect(tookMs).toBeGreaterThan(600 - 200);
  expect(tookMs).toBeLessThan(750 + 200 + SLACK_MS);
});

each("CP3", "a is killed, the witness is gone too", async (stage, policy) => {
  witnessOf(stage).up = false;
  await stage.run(1_000);
  expect(stage.leads("a")).toBe(true);
  stage.process("a").kill(3);
  if (policy === "on-air") {
    // Two calls to a witness that does not answer, one after the other.
    expect(await takesOver(stage, 3_000)).toBeLessThan(400);
    return;
  }
  await stage.run(5_000);
  expect(stage.leads("b")).toBe(false);
  expect(stage.alarms("b")).toContain("no-quorum");
});

each("VT4", "a's host loses power", async (stage, policy) => {
  stage.process("a").losePower();
  const tookMs = await takesOver(stage, 3_000);
  const waitMs = policy === "on-air" ? 600 : 750;
  expect(tookMs).toBeGreaterThan(waitMs - 200 - SLACK_MS);
  expect(tookMs).toBeLessThan(waitMs + 200 + SLACK_MS);
});

each("VT5", "a is frozen longer than its lease, and wakes", async (stage) => {
  const { epoch } = stage.state("a");
  stage.process("a").pause();
  await takesOver(stage, 3_000);
  stage.process("a").wake("timers-first");
  expect(stage.leads("a")).toBe(false);
  await stage.atRest();
  expect(stage.state("a")).toMatchObject({ role: "follower" });
  expect(stage.state("b").epoch).toBeGreaterThan(epoch);
});

each("CP5", "b is frozen, and wakes", async (stage) => {
  const { epoch } = stage.state("a");
  stage.process("b").pause();
  await stage.run(3_000);
  stage.process("b").wake("timers-first");
  await stage.atRest();
  expect(stage.state("a")).toMatchObject({ role: "leader", epoch });
});

each("CP5", "the witness restarts empty", async (stage) => {
  const { epoch } = stage.state("a");
  witnessOf(stage).server.forget();
  await stage.run(3_000);
  expect(stage.state("a")).toMatchObject({ role: "leader", epoch, mayAct: true });
  expect(witnessOf(stage).server.record).toMatchObject({ holder: "a", epoch });
});

each("CP5", "the witness restarts empty while the link is down", async (stage) => {
  const { epoch } = stage.state("a");
  stage.cut();
  await stage.run(2_000);
  witnessOf(stage).server.forget();
  await stage.run(3_000);
  expect(stage.state("a")).toMatchObject({ role: "leader", epoch, mayAct: true });
  expect([stage.leads("b"), witnessOf(stage).server.record?.epoch]).toEqual([false, epoch]);
});

each("VT4", "a wall clock jumps: a's, b's, the witness's, forward and back", async (stage) => {
  const { epoch } = stage.state("a");
  for (const byMs of [3_600_000, -7_200_000]) {
    for (const label of ["a", "b"] as const) stage.world.ground.machines[label].clock.stepUnix(byMs);
    witnessOf(stage).stepClock(byMs);
    await stage.run(3_000);
    expect(stage.state("a")).toMatchObject({ role: "leader", epoch, mayAct: true });
  }
});

for (const policy of POLICIES) {
  scenario("CP7", `${policy}: both start cold`, { failover: { policy } }, async (stage) => {
    stage.world.boot();
    await stage.until("one leads", () => stage.leads("a") || stage.leads("b"), 5_000);
    await stage.atRest();
  });

  scenario("CP3", `${policy}: one starts cold, alone`, { failover: { policy } }, async (stage) => {
    stage.process("b").boot();
    await stage.until("b leads, vouched by the witness", () => stage.leads("b"), 5_000);
    expect(stage.state("b").confirmedBy).toBe(policy === "on-air" ? "both" : "witness");
  });
}
