/** A disk that is full takes away what needs it, and nothing else. */
import { expect } from "vitest";
import { scenario } from "../scenarios/stage.ts";

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

scenario("EP2", "commands are refused while the disk is full, and its alarm goes when it is not", {}, async (stage) => {
  await stage.onAir("a");
  stage.process("a").disk.full = true;
  expect(await stage.submit("a")).toMatchObject({ outcome: "busy" });
  expect(stage.alarms("a")).toContain("store-failed");
  stage.process("a").disk.full = false;
  expect(await stage.submit("a")).toMatchObject({ outcome: "accepted" });
  expect(stage.alarms("a")).not.toContain("store-failed");
  stage.process("b").disk.full = true;
  await stage.submit("a");
  await stage.run(500);
  stage.process("b").disk.full = false;
  await stage.atRest();
  expect(stage.alarms("b")).not.toContain("store-failed");
});
