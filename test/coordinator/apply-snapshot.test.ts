/** A posted state: every refusal leaves the engine byte for byte as it was. */
import { expect, test } from "vitest";
import { checksumOf } from "../../src/actors/checksum.ts";
import { NodeDigest } from "../../src/adapters/basics.ts";
import { canonicalJson, type Json } from "../../src/core/canonical-json.ts";
import { makeId, type LockId } from "../../src/core/ids.ts";
import type { StateSnapshot } from "../../src/core/messages.ts";
import { Pair } from "./pair.ts";

/** All that an engine holds, as one text. */
function everythingOf(pair: Pair): string {
  const { store, engine } = pair.member("b");
  const { log, clock, hlc, checkpoint, lockFence, acceptedEpoch, highestEpoch, lastExecutedSeq } = store.load();
  const held = { log, clock, hlc, checkpoint, lockFence, acceptedEpoch, highestEpoch, lastExecutedSeq };
  const { commands } = store.commandsAfter(0, 10_000);
  const state = { chain: engine.chain, programSource: engine.programSource() };
  return canonicalJson({ held, commands, state, shape: store.logShape() } as unknown as Json);
}

async function posting() {
  const pair = await Pair.started();
  for (const source of ["CAM 1", "CAM 2", "CAM 3"]) await pair.submit("a", source);
  await pair.clock.pass(300);
  const taken = await pair.untilDone(pair.of("a").snapshot());
  if (taken.outcome !== "taken") throw new Error(taken.outcome);
  const lock = await pair.of("a").acquireLock({ holder: "a", ttlMs: 30_000 });
  if (lock.outcome !== "acquired") throw new Error(lock.outcome);
  const post = (lockId: LockId | null, snapshot: unknown) =>
    pair.untilDone(pair.of("b").applySnapshot(lockId, snapshot as Json));
  return { pair, snapshot: taken.snapshot, lockId: lock.lockId, post };
}

/** `snapshot` changed, with a checksum that fits again. */
async function resealed(pair: Pair, snapshot: StateSnapshot, change: Partial<StateSnapshot>): Promise<StateSnapshot> {
  const changed = { ...snapshot, ...change };
  return { ...changed, checksum: await checksumOf({ clock: pair.clock, digest: new NodeDigest() }, changed) };
}

test("[SB4] under the lock, with its checksum, of the standing epoch: applied", async () => {
  const { pair, snapshot, lockId, post } = await posting();
  expect(await post(lockId, snapshot)).toMatchObject({ outcome: "applied", lastCommandSeq: 3 });
  expect(pair.member("b").engine.chain).toBe(pair.member("a").engine.chain);
  expect(pair.of("b").counters().snapshotsApplied).toBe(1);
});

test("[SB4] [HO2] a snapshot of before: what the log has beyond it is executed again on top", async () => {
  const { pair, snapshot, lockId, post } = await posting();
  await pair.submit("a", "CAM 4");
  await pair.clock.pass(300);
  expect(await post(lockId, snapshot)).toMatchObject({ outcome: "applied", lastCommandSeq: 4 });
  await pair.clock.pass(300);
  expect(pair.member("b").engine.programSource()).toBe("CAM 4");
  expect(pair.member("b").engine.chain).toBe(pair.member("a").engine.chain);
});

type Change = (snapshot: StateSnapshot) => unknown;

test.each<[string, Change]>([
  ["no object", () => [1, 2]],
  ["another version", (snapshot) => ({ ...snapshot, version: 2 })],
  ["another label", (snapshot) => ({ ...snapshot, engineLabel: "c" })],
  ["a long engine id", (snapshot) => ({ ...snapshot, engineId: "e".repeat(65) })],
  ["an epoch with a fraction", (snapshot) => ({ ...snapshot, epoch: 1.5 })],
  ["a negative seq", (snapshot) => ({ ...snapshot, lastCommandSeq: -1 })],
  ["more executed than held", (snapshot) => ({ ...snapshot, lastExecutedSeq: 4 })],
  ["a clock that is a list", (snapshot) => ({ ...snapshot, clock: [] })],
  ["a clock of fractions", (snapshot) => ({ ...snapshot, clock: { eng_a: 0.5 } })],
  ["a stamp of another form", (snapshot) => ({ ...snapshot, hlc: "yesterday" })],
  ["no state", ({ state: _state, ...rest }) => rest],
  ["a short checksum", (snapshot) => ({ ...snapshot, checksum: "abc" })],
  ["a checksum of something else", (snapshot) => ({ ...snapshot, checksum: "0".repeat(64) })],
  ["a state that was changed on its way", (snapshot) => ({ ...snapshot, state: { chain: "x" } })],
  ["an epoch that was changed on its way", (snapshot) => ({ ...snapshot, epoch: 3 })],
])("[SB4] %s: refused as invalid, nothing changed", async (_what, change) => {
  const { pair, snapshot, lockId, post } = await posting();
  const before = everythingOf(pair);
  expect(await post(lockId, change(snapshot))).toMatchObject({ outcome: "invalid-snapshot" });
  expect(everythingOf(pair)).toBe(before);
});

test("[SB4] [RL3] without a lock, with a foreign one, after it lapsed: refused, nothing changed", async () => {
  const { pair, snapshot, lockId, post } = await posting();
  const before = everythingOf(pair);
  expect(await post(null, snapshot)).toMatchObject({ outcome: "lock-not-held" });
  expect(await post(makeId("lock", "foreign"), snapshot)).toMatchObject({ outcome: "lock-not-held" });
  await pair.clock.pass(30_000);
  expect(await post(lockId, snapshot)).toMatchObject({ outcome: "lock-not-held" });
  expect(everythingOf(pair)).toBe(before);
});

test("[EP4] [SB4] of an earlier epoch: refused with the standing one, nothing changed", async () => {
  const { pair, snapshot, lockId, post } = await posting();
  const old = await resealed(pair, snapshot, { epoch: 0 });
  const before = everythingOf(pair);
  expect(await post(lockId, old)).toEqual({ outcome: "stale-epoch", epoch: 1 });
  expect(everythingOf(pair)).toBe(before);
});

test("[SB4] a state that the engine refuses, however well sealed: nothing changed, and a restart still works", async () => {
  const { pair, snapshot, lockId, post } = await posting();
  const foreign = await resealed(pair, snapshot, { state: { chain: "of another engine" } });
  const before = everythingOf(pair);
  const shown = async () => pair.untilDone(pair.of("b").snapshot());
  const shownBefore = await shown();
  expect(await post(lockId, foreign)).toMatchObject({ outcome: "invalid-snapshot" });
  expect(everythingOf(pair)).toBe(before);
  expect(await shown()).toEqual(shownBefore);
  await pair.stop("b");
  await pair.start("b");
  await pair.until(() => pair.of("b").ready());
  expect(pair.member("b").engine.chain).toBe(pair.member("a").engine.chain);
});

test.each<[string, Partial<StateSnapshot>]>([
  ["epoch", { epoch: Number.MAX_SAFE_INTEGER }],
  ["position", { lastCommandSeq: Number.MAX_SAFE_INTEGER, lastExecutedSeq: Number.MAX_SAFE_INTEGER }],
  ["clock", { clock: { "eng_sim-a-1": Number.MAX_SAFE_INTEGER } }],
])("[EP1] [EP6] [SB4] a %s out of all reach is refused and told: the pair has numbers left", async (_what, change) => {
  const { pair, snapshot, lockId, post } = await posting();
  const before = everythingOf(pair);
  const forged = await resealed(pair, snapshot, change);
  expect(await post(lockId, forged)).toMatchObject({
    outcome: "invalid-snapshot",
    detail: expect.stringContaining("out of reach") as string,
  });
  expect(everythingOf(pair)).toBe(before);
  const alarm = pair
    .of("b")
    .state()
    .alarms.find(({ code }) => code === "number-out-of-reach");
  expect(alarm?.detail).toMatch(/posted a snapshot: .* out of reach .*reset-numbers/u);
});

test("[SB4] a stamp from the far future is left behind, the state taken", async () => {
  const { pair, snapshot, lockId, post } = await posting();
  expect(await post(lockId, { ...snapshot, hlc: "ffffffffffffffff-eng_far" })).toMatchObject({ outcome: "applied" });
  expect(pair.member("b").store.load().hlc < "f").toBe(true);
  await pair.untilDone(pair.of("a").handover({ reason: "test", by: "test" }));
  expect(await pair.submit("b", "CAM 5")).toMatchObject({ outcome: "accepted" });
});

test("[SB4] a disk that is full: nothing changed, the engine's own state stands again", async () => {
  const { pair, snapshot, lockId, post } = await posting();
  const other = await resealed(pair, snapshot, { state: { chain: "0", count: 0, programSource: "BLACK" } });
  const before = everythingOf(pair);
  pair.disks.b.full = true;
  expect(await post(lockId, other)).toMatchObject({ outcome: "engine-not-ready" });
  expect(everythingOf(pair)).toBe(before);
});

test("an engine that cannot give its state says so", async () => {
  const { pair } = await posting();
  pair.member("a").faults.health = "failed";
  expect(await pair.untilDone(pair.of("a").snapshot())).toMatchObject({ outcome: "engine-not-ready" });
});
