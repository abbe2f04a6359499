/** A disk that is full takes away what needs it, and nothing else. */
import { expect } from "vitest";
import { scenario, type Stage } from "../scenarios/stage.ts";

/** The disk of the leader `a` is full, and the role has moved to `b`. */
async function leaderFilled(stage: Stage): Promise<void> {
  await stage.onAir("a");
  stage.process("a").disk.full = true;
  expect(await stage.submit("a")).toMatchObject({ outcome: "store-failed" });
  await stage.run(1_000);
  expect(stage.leads("b")).toBe(true);
}

scenario(
  "VT2",
  "a hold that cannot be saved costs the leader no vote",
  { failover: { policy: "consistency" }, witness: false },
  async (stage) => {
    await stage.onAir("a");
    stage.process("b").disk.full = true;
    stage.coordinator("a").setMaintenance({ on: true, reason: "planned work", by: "operator" });
    await stage.run(2_000);
    expect(stage.leads("a")).toBe(true);
    expect(stage.state("b").maintenance).toMatchObject({ on: true });
  },
);

scenario(
  "EN7",
  "P8: the leader's disk is full: the role moves at once to the follower, which is ready",
  {},
  async (stage) => {
    await stage.onAir("a");
    stage.process("a").disk.full = true;
    expect(await stage.submit("a")).toMatchObject({ outcome: "store-failed" });
    expect(stage.alarms("a")).toContain("store-failed");
    expect(stage.coordinator("a").ready()).toBe(false);
    await stage.run(100);
    expect([stage.leads("a"), stage.leads("b")]).toEqual([false, true]);
    expect(await stage.submit("b")).toMatchObject({ outcome: "accepted" });
    await stage.run(3_000);
    expect([stage.leads("b"), stage.coordinator("a").ready()]).toEqual([true, false]);
    stage.process("a").disk.full = false;
    await stage.atRest();
    expect([stage.leads("b"), stage.coordinator("a").ready()]).toEqual([true, true]);
    expect(stage.alarms("a")).not.toContain("store-failed");
  },
);

scenario(
  "HO5",
  "P8: both disks are full: `no-valid-backup`, and nothing moves until one has room",
  {},
  async (stage) => {
    await stage.onAir("a");
    stage.process("b").disk.full = true;
    expect(await stage.submit("a")).toMatchObject({ outcome: "accepted" });
    await stage.run(500);
    expect(stage.coordinator("b").ready()).toBe(false);
    stage.process("a").disk.full = true;
    expect(await stage.submit("a")).toMatchObject({ outcome: "store-failed" });
    await stage.run(2_000);
    expect(stage.alarms("a")).toEqual(expect.arrayContaining(["store-failed", "no-valid-backup"]));
    expect(stage.leads("a")).toBe(true);
    stage.process("b").disk.full = false;
    await stage.run(3_000);
    expect([stage.leads("a"), stage.leads("b")]).toEqual([false, true]);
    stage.process("a").disk.full = false;
    await stage.atRest();
    for (const label of ["a", "b"] as const) expect(stage.alarms(label)).toEqual([]);
  },
);

scenario("EP2", "commands are refused while the disk is full, and its alarm goes when it is not", {}, async (stage) => {
  await stage.onAir("a");
  stage.coordinator("a").setMaintenance({ on: true, reason: "stay", by: "operator" });
  await stage.run(500);
  stage.process("a").disk.full = true;
  expect(await stage.submit("a")).toMatchObject({ outcome: "store-failed" });
  expect(stage.alarms("a")).toContain("store-failed");
  await stage.run(500);
  expect(stage.leads("a")).toBe(true);
  stage.process("a").disk.full = false;
  expect(await stage.submit("a")).toMatchObject({ outcome: "accepted" });
  expect(stage.alarms("a")).not.toContain("store-failed");
  stage.coordinator("a").setMaintenance({ on: false, reason: "done", by: "operator" });
  stage.process("b").disk.full = true;
  await stage.submit("a");
  await stage.run(500);
  stage.process("b").disk.full = false;
  await stage.atRest();
  await stage.run(2_000);
  expect(stage.alarms("b")).not.toContain("store-failed");
});

scenario(
  "CP6",
  "a move of the role counts also for an engine whose full disk keeps it from following the new leader",
  { failover: { maxAutomaticFailovers: 2 } },
  async (stage) => {
    await leaderFilled(stage);
    expect([stage.alarms("a"), stage.alarms("b")]).toEqual([
      expect.arrayContaining(["hold-down"]),
      expect.arrayContaining(["hold-down"]),
    ]);
  },
);

scenario(
  "VT2",
  "who hears another engine lead waits for it, also where a full disk keeps it from giving its vote",
  { failover: { policy: "consistency" } },
  async (stage) => {
    await leaderFilled(stage);
    stage.cut();
    stage.process("a").disk.full = false;
    let reasons: readonly string[] = [];
    while (reasons.length === 0 || reasons.includes("peer-leads")) {
      await stage.run(10);
      reasons = stage.state("a").waiting?.reasons ?? [];
    }
    expect(reasons).toContain("promise");
  },
);
