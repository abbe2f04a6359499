/** The proof of the reconcile lock, asked of a real witness in memory. */
import { expect, test } from "vitest";
import { LockProof } from "../../src/actors/lock-proof.ts";
import { MemoryWitnessServer } from "../../src/adapters/memory-witness.ts";
import { makeId } from "../../src/core/ids.ts";
import { VirtualClock } from "../support/virtual-clock.ts";
import { buildRig } from "./rig.ts";
import { WayToLock } from "./way-to-lock.ts";

const HELD = makeId("lock", "held");
const HEARTBEAT_MS = 200;

async function proving(of: "winner" | "caller" = "winner") {
  const clock = new VirtualClock();
  const server = new MemoryWitnessServer({ clock });
  const way = new WayToLock({ clock, server });
  const { kit } = buildRig({ clock, ports: { witness: way } });
  const answer = await way.acquireLock({ lockId: HELD, holder: "b", ttlMs: 30_000 });
  if (answer.outcome !== "acquired") throw new Error("prepared");
  const proof = new LockProof(kit, { lockId: HELD, fence: answer.fence }, of);
  await proof.ask();
  expect(proof.counts).toBe(true);
  return { clock, way, proof };
}

test("[SB4] the winner's lock counts for less than the silence after which the winner gives it back", async () => {
  const { clock, proof } = await proving();
  await clock.pass(2 * HEARTBEAT_MS - 20);
  expect(proof.counts).toBe(true);
  await clock.pass(20);
  expect(proof.counts).toBe(false);
});

test("[SB4] asked again at every heartbeat, it counts for as long as the lock stands, and no timer outlives it", async () => {
  const { clock, way, proof } = await proving();
  proof.keep();
  for (let beat = 0; beat < 20; beat += 1) {
    await clock.pass(HEARTBEAT_MS);
    expect(proof.counts).toBe(true);
  }
  await way.releaseLock(HELD);
  await clock.pass(HEARTBEAT_MS + 10);
  expect(proof.counts).toBe(false);
  proof.end();
  expect(clock.waiting).toBe(0);
});

test("[SB4] when another has taken the lock, the next answer ends the proof at once", async () => {
  const { way, proof } = await proving("caller");
  await way.releaseLock(HELD);
  await way.acquireLock({ lockId: makeId("lock", "other"), holder: "tool", ttlMs: 30_000 });
  await proof.ask();
  expect(proof.counts).toBe(false);
});

test("[SB4] a witness that does not answer leaves what was proven", async () => {
  const { clock, way, proof } = await proving();
  way.cut = true;
  await clock.pass(100);
  await proof.ask();
  expect(proof.counts).toBe(true);
});

test("[SB4] in doubt it counts only once the witness has said again that the lock stands", async () => {
  const { clock, way, proof } = await proving();
  way.delayMs = 50;
  void proof.ask();
  await clock.pass(10);
  proof.doubt();
  expect(proof.counts).toBe(false);
  await clock.pass(45);
  // The answer to what was asked before the doubt says nothing.
  expect(proof.counts).toBe(false);
  await clock.pass(10);
  expect(proof.counts).toBe(true);
});

test("[SB4] a caller's lock counts for its time to live", async () => {
  const { clock, proof } = await proving("caller");
  await clock.pass(20_000);
  expect(proof.counts).toBe(true);
  await clock.pass(10_000);
  expect(proof.counts).toBe(false);
});
