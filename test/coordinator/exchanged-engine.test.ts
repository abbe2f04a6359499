/** A host that was replaced, without a witness: the new engine is empty, and its peer has pinned the old one. */
import { expect, test } from "vitest";
import { MemoryDisk } from "../../src/adapters/memory-disk.ts";
import type { ForceLeaderRequest } from "../../src/core/outcomes.ts";
import { Pair } from "./pair.ts";

async function exchanged() {
  const pair = await Pair.started({ witness: false, failover: { policy: "on-air", blindPromoteMs: 1_000 } });
  await pair.submit("a", "CAM 3");
  await pair.stop("b");
  Object.assign(pair.disks, { b: new MemoryDisk() });
  await pair.start("b");
  await pair.until(() => pair.alarm("b", "refused-by-peer"));
  return pair;
}

test("ID2 CP3: an empty engine that its peer refuses never leads by itself, with or without that peer", async () => {
  const pair = await exchanged();
  await pair.clock.pass(10_000);
  expect(pair.of("b").state()).toMatchObject({ role: "follower", mayAct: false });
  expect(pair.of("b").state().waiting.reasons).toContain("refused-by-peer");
  expect(pair.of("b").ready()).toBe(false);
  expect(pair.of("a").state()).toMatchObject({ role: "leader", epoch: 1, mayAct: true });
  await pair.stop("a");
  await pair.clock.pass(10_000);
  expect(pair.of("b").state().role).toBe("follower");
});

const FORCE = {
  requestId: null,
  expectedEpoch: null,
  reason: "the old engine is lost",
  by: "operator",
  acceptDualAir: false,
} as const;

test("ID2 HO3: a person's word is not held back by it", async () => {
  const pair = await exchanged();
  await pair.stop("a");
  await pair.clock.pass(100);
  const request: ForceLeaderRequest = { ...FORCE, mode: "immediate" };
  expect(await pair.untilDone(pair.of("b").forceLeader(request))).toMatchObject({ outcome: "leads" });
});

test("ID2: forced gracefully while its peer is there, it says who must adopt it, and the peer leads on", async () => {
  const pair = await exchanged();
  const request: ForceLeaderRequest = { ...FORCE, mode: "graceful" };
  expect(await pair.untilDone(pair.of("b").forceLeader(request))).toMatchObject({
    outcome: "no-quorum",
    detail: expect.stringContaining("run changeover pair adopt there first") as string,
  });
  await pair.clock.pass(2_000);
  expect(pair.of("a").state()).toMatchObject({ role: "leader", epoch: 1, mayAct: true });
  expect(pair.of("b").state().role).toBe("follower");
});

test("HO2: an empty engine that a person lets in knows the idempotency keys of commands that it never got", async () => {
  const pair = await Pair.started({ commands: { keep: 0, checkpointEvery: 1 } });
  for (const key of ["one", "two", "three"]) await pair.submit("a", `CAM ${key}`, key);
  await pair.until(() => pair.of("b").syncHealth().lastExecutedSeq === 3);
  await pair.submit("a", "CAM 4", "four");
  await pair.clock.pass(1_000);
  expect(pair.member("a").store.firstHeldSeq()).toBeGreaterThan(1);
  await pair.stop("b");
  Object.assign(pair.disks, { b: new MemoryDisk() });
  await pair.start("b");
  await pair.until(() => pair.alarm("b", "refused-by-peer"));
  expect(pair.of("a").forgetPeer({ by: "operator" })).toMatchObject({ outcome: "forgotten" });
  await pair.until(() => pair.of("b").ready());
  expect(pair.of("b").counters().snapshotsApplied).toBe(1);
  await pair.untilDone(pair.of("a").handover({ reason: "drill", by: "operator" }));
  expect(await pair.submit("b", "CAM one", "one")).toMatchObject({ outcome: "accepted", seq: 1 });
  expect(pair.of("b").syncHealth().lastCommandSeq).toBe(4);
});
