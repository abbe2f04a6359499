/** The role goes back to the preferred engine by itself [HO9], and moves at a time that a person set [HO10]. */
import { expect } from "vitest";
import type { Label } from "../../src/core/ids.ts";
import { scenario, type Stage } from "./stage.ts";

const DELAY_MS = 3_000;
const BACK_TO_A = { failover: { preferred: "a", switchBack: "when-ready", switchBackDelayMs: DELAY_MS } } as const;
const BY = { reason: "planned work", by: "operator" };

/** a was on air and died; b leads, and a is back and ready. */
async function aIsBack(stage: Stage): Promise<void> {
  await stage.onAir("a");
  stage.process("a").kill(1);
  await stage.until("b leads", () => stage.leads("b"), 2_000);
  stage.process("a").boot();
  await stage.until("a is ready again", () => seesReady(stage, "b"), 10_000);
}

function seesReady(stage: Stage, label: Label): boolean {
  return (
    stage.leads(label) && stage.state(label).peer.syncState === "ready" && stage.state(label).peer.state === "alive"
  );
}

scenario("HO9", "the preferred engine gets the role back once it was ready for the delay", BACK_TO_A, async (stage) => {
  await stage.given("a died and is back, b leads", () => aIsBack(stage));
  expect(stage.state("b")).toMatchObject({ preferred: "a", switchBack: { mode: "when-ready", waiting: ["delay"] } });
  const { dueAt } = stage.state("b").switchBack;
  expect(dueAt).toEqual(expect.any(Number));
  const accepted = await stage.submit("b");
  const tookMs = await stage.until("a leads again", () => stage.leads("a"), DELAY_MS + 2_000);
  expect(tookMs).toBeGreaterThan(DELAY_MS - 1_000);
  await stage.atRest();
  expect(stage.coordinator("a").leadership(1)[0]).toMatchObject({ cause: "handover", by: "switch-back", leader: "a" });
  expect(accepted.outcome).toBe("accepted");
  expect(stage.log("a").at(-1)?.payload).toEqual(stage.log("b").at(-1)?.payload);
  await stage.outcome("and it stays there", async () => {
    await stage.run(10_000);
    expect(stage.leads("a")).toBe(true);
  });
});

scenario("HO9", "without switchBack nothing goes back", { failover: { preferred: "a" } }, async (stage) => {
  await aIsBack(stage);
  await stage.run(30_000);
  expect(stage.leads("b")).toBe(true);
  expect(stage.state("b")).toMatchObject({ preferred: "a", switchBack: { mode: "never", waiting: [], dueAt: null } });
});

scenario("HO9", "not while a person holds the role", BACK_TO_A, async (stage) => {
  await aIsBack(stage);
  stage.coordinator("a").setMaintenance({ on: true, ...BY });
  await stage.run(DELAY_MS * 3);
  expect(stage.leads("b")).toBe(true);
  expect(stage.state("b").switchBack.waiting).toEqual(["maintenance"]);
  stage.coordinator("a").setMaintenance({ on: false, ...BY });
  await stage.until("a leads again", () => stage.leads("a"), 2_000);
});

scenario("HO9", "not against a person who handed the role over", BACK_TO_A, async (stage) => {
  await stage.onAir("a");
  await stage.until("b is seen ready", () => seesReady(stage, "a"), 5_000);
  expect(await stage.answer(stage.coordinator("a").handover(BY))).toMatchObject({ outcome: "handed-over" });
  await stage.run(DELAY_MS * 5);
  expect(stage.leads("b")).toBe(true);
  expect(stage.state("b").switchBack.waiting).toContain("placed-by-a-person");
});

scenario(
  "HO9",
  "a restart of the preferred engine is no person's word: it gets the role back",
  BACK_TO_A,
  async (stage) => {
    await stage.onAir("a");
    stage.process("a").stop();
    await stage.until("b leads", () => stage.leads("b"), 2_000);
    await stage.run(500);
    stage.process("a").boot();
    await stage.until("a leads again", () => stage.leads("a"), DELAY_MS + 10_000);
  },
);

scenario("HO9", "an engine that flaps is not given the role", BACK_TO_A, async (stage) => {
  await aIsBack(stage);
  for (let sick = 0; sick < 6; sick += 1) {
    stage.process("a").engineFaults.health = "failed";
    await stage.run(500);
    stage.process("a").engineFaults.health = "ok";
    await stage.run(DELAY_MS - 1_000);
    expect(stage.leads("b")).toBe(true);
  }
  await stage.until("a leads once it is calm", () => stage.leads("a"), DELAY_MS + 2_000);
});

const HELD = {
  failover: { ...BACK_TO_A.failover, maxAutomaticFailovers: 2, holdDownWindowMs: 20_000 },
} as const;

scenario("HO9 CP6", "a switch-back waits for the hold-down, and counts in it", HELD, async (stage) => {
  await aIsBack(stage);
  await stage.run(DELAY_MS + 1_000);
  expect(stage.state("b").switchBack.waiting).toEqual(["hold-down"]);
  await stage.until("a leads again", () => stage.leads("a"), 25_000);
});

scenario("HO10", "a planned handover happens at its time, also under maintenance", {}, async (stage) => {
  await stage.onAir("a");
  const { world } = stage;
  const at = stage.process("a").machine.clock.unixMs(world.nowMs) + 5_000;
  stage.coordinator("a").setMaintenance({ on: true, ...BY });
  const planned = stage.coordinator("a").planHandover({ atUnixMs: at, ...BY });
  expect(planned).toMatchObject({ outcome: "planned", plan: { at, ...BY } });
  await stage.run(4_000);
  expect(stage.leads("a")).toBe(true);
  expect(stage.state("a").plannedHandover).toMatchObject({ at });
  await stage.until("b leads", () => stage.leads("b"), 2_000);
  await stage.run(1_000);
  expect(stage.coordinator("b").leadership(1)[0]).toMatchObject({ cause: "handover", ...BY });
  expect(stage.state("a").plannedHandover).toBeNull();
});

scenario(
  "HO10",
  "a plan survives a restart, and ends when the role moves",
  { failover: { deathProof: "none" } },
  async (stage) => {
    await stage.onAir("a");
    const clock = stage.process("a").machine.clock;
    const at = clock.unixMs(stage.world.nowMs) + 20_000;
    stage.coordinator("a").planHandover({ atUnixMs: at, ...BY });
    stage.process("b").kill(1);
    await stage.run(200);
    stage.process("a").kill(1);
    await stage.run(200);
    stage.process("a").boot();
    await stage.until("a leads again", () => stage.leads("a"), 10_000);
    expect(stage.state("a").plannedHandover).toMatchObject({ at });
    await stage.run(31_000);
    stage.process("b").boot();
    await stage.until("b is back", () => seesReady(stage, "a"), 10_000);
    await stage.run(1_000);
    // b was away at that time, and for longer than a plan is tried.
    expect(stage.leads("a")).toBe(true);
    expect(stage.alarms("a")).toContain("handover-missed");
    expect(stage.coordinator("a").cancelHandover({ by: "operator" })).toEqual({ outcome: "nothing-planned" });
    expect(stage.alarms("a")).not.toContain("handover-missed");
  },
);

scenario("HO10", "a plan for a leadership that has ended moves nothing", {}, async (stage) => {
  await stage.onAir("a");
  const at = stage.process("a").machine.clock.unixMs(stage.world.nowMs) + 8_000;
  stage.coordinator("a").planHandover({ atUnixMs: at, ...BY });
  await stage.until("b is seen ready", () => seesReady(stage, "a"), 5_000);
  expect(await stage.answer(stage.coordinator("a").handover(BY))).toMatchObject({ outcome: "handed-over" });
  await stage.until("b leads", () => stage.leads("b"), 1_000);
  await stage.run(1_000);
  await stage.until("a is seen ready", () => seesReady(stage, "b"), 5_000);
  expect(await stage.answer(stage.coordinator("b").handover(BY))).toMatchObject({ outcome: "handed-over" });
  await stage.until("a leads again", () => stage.leads("a"), 1_000);
  expect(stage.state("a").plannedHandover).toBeNull();
  await stage.run(12_000);
  expect(stage.leads("a")).toBe(true);
});

scenario("HO10", "only the leader takes a plan, for a time that is still to come", {}, async (stage) => {
  await stage.onAir("a");
  const nowMs = stage.process("a").machine.clock.unixMs(stage.world.nowMs);
  const plan = (label: Label, atUnixMs: number) => stage.coordinator(label).planHandover({ atUnixMs, ...BY });
  expect(plan("b", nowMs + 1_000)).toMatchObject({ outcome: "not-leader", leader: "a" });
  expect(plan("a", nowMs - 1)).toMatchObject({ outcome: "invalid-time" });
  expect(plan("a", nowMs + 8 * 86_400_000)).toMatchObject({ outcome: "invalid-time" });
  expect(plan("a", nowMs + 60_000)).toMatchObject({ outcome: "planned" });
  expect(plan("a", nowMs + 90_000)).toMatchObject({ outcome: "planned" });
  expect(stage.state("a").plannedHandover?.at).toBe(nowMs + 90_000);
  expect(stage.coordinator("a").cancelHandover({ by: "operator" })).toMatchObject({ outcome: "cancelled" });
  expect(stage.state("a").plannedHandover).toBeNull();
});
