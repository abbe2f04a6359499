/** What holds automation back. */
import { expect, test } from "vitest";
import { Restraints } from "../../src/actors/restraints.ts";
import { buildRig, type RigSettings } from "./rig.ts";

function restrained(settings: RigSettings = {}) {
  const rig = buildRig(settings);
  return { ...rig, restraints: new Restraints(rig.kit) };
}

test("[CP5] quarantine lasts `campaignWaitMs` and begins anew with each cause", async () => {
  const { clock, restraints } = restrained();
  restraints.quarantine();
  expect(restraints.quarantineUntilMs).toBe(clock.monoMs() + 750);
  await clock.pass(500);
  restraints.quarantine();
  expect(restraints.quarantineUntilMs).toBe(clock.monoMs() + 750);
});

test("[CP6] the third automatic change begins the hold-down, which ends with the first one's window", async () => {
  const { clock, restraints } = restrained();
  const firstAtMs = clock.monoMs();
  restraints.noteLeadership(2, "silence");
  await clock.pass(1_000);
  restraints.noteLeadership(3, "death-proof");
  expect(restraints.heldDownUntilMs()).toBeNull();
  await clock.pass(1_000);
  restraints.noteLeadership(4, "blind");
  expect(restraints.heldDownUntilMs()).toBe(firstAtMs + 60_000);
  await clock.pass(57_999);
  expect(restraints.heldDownUntilMs()).not.toBeNull();
  await clock.pass(1);
  expect(restraints.heldDownUntilMs()).toBeNull();
});

test("[CP6] what people do is never counted", () => {
  const { restraints } = restrained();
  for (const [at, cause] of (["forced", "handover", "forced"] as const).entries()) restraints.noteLeadership(at, cause);
  expect(restraints.heldDownUntilMs()).toBeNull();
});

test("[CP6] what people do gives automation no new moves either", () => {
  const { restraints } = restrained();
  for (const epoch of [1, 2, 3]) restraints.noteLeadership(epoch, "silence");
  restraints.noteLeadership(4, "handover");
  restraints.noteLeadership(5, "forced");
  expect(restraints.heldDownUntilMs()).not.toBeNull();
});

test("P7 CP6: elections and cold starts count too; a leadership that is met again does not", () => {
  const { restraints } = restrained();
  for (const epoch of [1, 2, 2, 1, 2]) restraints.noteLeadership(epoch, "cold-start");
  expect(restraints.heldDownUntilMs()).toBeNull();
  restraints.noteLeadership(3, "cold-start");
  expect(restraints.heldDownUntilMs()).not.toBeNull();
});

test("[HO3] a hold is durable, told, and the later word stands on both engines", () => {
  const { restraints, store, events } = restrained();
  const on = restraints.setMaintenance({ on: true, by: "ops", reason: "rehearsal" });
  expect(store.load().maintenance).toEqual(on);
  expect(events).toContainEqual({ type: "maintenance", maintenance: on });
  const earlier = { ...on, on: false, stamp: "0000000000000000-b" };
  expect([restraints.learnMaintenance(null), restraints.learnMaintenance(on)]).toEqual([false, false]);
  expect(restraints.learnMaintenance(earlier)).toBe(false);
  expect(restraints.maintenanceOn).toBe(true);
  const off = restraints.setMaintenance({ on: false, by: "ops", reason: "" });
  expect(off.stamp > on.stamp).toBe(true);
  expect(restraints.learnMaintenance({ ...on, stamp: "ffffffffffffffff-b" })).toBe(true);
  expect(restraints.maintenanceOn).toBe(true);
});

test("[HO3] a hold that the disk refuses is not taken", () => {
  const { restraints, disk } = restrained();
  disk.full = true;
  expect(() => restraints.setMaintenance({ on: true, by: "ops", reason: "" })).toThrow(/full/);
  expect(restraints.maintenanceOn).toBe(false);
});

test("[CP4] patience with the peer ends after `staleTakeoverMs` of being behind without a break", async () => {
  const { clock, restraints } = restrained();
  restraints.noteBehind(true);
  await clock.pass(4_999);
  restraints.noteBehind(true);
  expect(restraints.patienceIsOver()).toBe(false);
  await clock.pass(1);
  expect(restraints.patienceIsOver()).toBe(true);
  restraints.noteBehind(false);
  expect(restraints.patienceEndsMs).toBeNull();
});

test("[CP4] under `consistency` it never ends: a person decides", async () => {
  const { clock, restraints } = restrained({ failover: { policy: "consistency" } });
  restraints.noteBehind(true);
  await clock.pass(1e9);
  expect(restraints.patienceIsOver()).toBe(false);
});
