/** One holding of the reconcile lock, on a real witness in memory. */
import { expect, test } from "vitest";
import { ReconcileLock } from "../../src/actors/reconcile-lock.ts";
import { MemoryWitnessServer } from "../../src/adapters/memory-witness.ts";
import { makeId } from "../../src/core/ids.ts";
import { VirtualClock } from "../support/virtual-clock.ts";
import { buildRig } from "./rig.ts";
import { WayToLock } from "./way-to-lock.ts";

const OTHER = { lockId: makeId("lock", "other"), holder: "b", ttlMs: 30_000 };

function locking() {
  const clock = new VirtualClock();
  const server = new MemoryWitnessServer({ clock });
  const way = new WayToLock({ clock, server });
  const rig = buildRig({ clock, ports: { witness: way } });
  const peer = { state: "alive" };
  const lost: number[] = [];
  const onLost = (): void => void lost.push(clock.monoMs());
  const lock = new ReconcileLock(rig.kit, { book: { accepted: 3 }, monitor: peer, onLost });
  const acquire = () => lock.acquire();
  return { ...rig, server, way, lock, lost, acquire, peer };
}

test("[RL1] acquired under a fresh id with a fence; released, it is free and its next fence is higher", async () => {
  const { lock, server, acquire } = locking();
  const first = await acquire();
  expect(first).toMatchObject({ outcome: "acquired", lock: { lockId: server.lock.read()?.lockId } });
  lock.release();
  expect(server.lock.read()).toBeNull();
  const second = await acquire();
  expect(second.outcome === "acquired" && first.outcome === "acquired" && second.lock.fence > first.lock.fence).toBe(
    true,
  );
});

test("[RL2] it is kept fresh for as long as it is held, and no timer outlives it", async () => {
  const { clock, lock, server, acquire, lost } = locking();
  await acquire();
  await clock.pass(120_000);
  expect(lock.usable?.lockId).toBe(server.lock.read()?.lockId);
  expect(lost).toEqual([]);
  lock.release();
  expect(clock.waiting).toBe(0);
});

test("[RL2] use ends a margin before the own count does, from the send time", async () => {
  const { clock, kit, lock, way, acquire } = locking();
  const { reconcileLockMs, maxClockDriftPpm, quiesceMs } = kit.failover;
  const sentAtMs = clock.monoMs();
  way.delayMs = 1_000;
  const acquiring = acquire();
  await clock.pass(1_000);
  await acquiring;
  const endsAtMs = sentAtMs + reconcileLockMs * (1 - (2 * maxClockDriftPpm) / 1e6) - quiesceMs;
  expect(lock.usableForMs).toBe(endsAtMs - clock.monoMs());
  way.cut = true;
  clock.freeze(endsAtMs - clock.monoMs() - 1);
  expect(lock.usable).not.toBeNull();
  clock.freeze(1);
  expect(lock.usable).toBeNull();
});

test("[RL2] an acquire that came back too late is released and reported as not acquired", async () => {
  const { clock, server, way, lock, acquire } = locking();
  way.delayMs = 29_500;
  const acquiring = acquire();
  await clock.pass(29_500);
  expect(await acquiring).toEqual({ outcome: "not-acquired", reason: "the answer came too late to be useful" });
  expect([server.lock.read(), lock.usable, lock.machineValue]).toEqual([null, null, "free"]);
});

test("[RL3] held by another and out of reach are told apart", async () => {
  const { server, way, lock, acquire } = locking();
  server.lock.acquire(OTHER);
  expect(await acquire()).toEqual({ outcome: "not-acquired", reason: "held by b" });
  way.cut = true;
  expect(await acquire()).toEqual({ outcome: "not-acquired", reason: "cut" });
  expect(lock.machineValue).toBe("free");
});

test("[RL3] a lock that the witness gave to another is lost at the next refresh, and never used again", async () => {
  const { clock, server, lock, acquire, lost } = locking();
  await acquire();
  server.lock.forget();
  server.lock.acquire(OTHER);
  await clock.pass(10_000);
  expect(lost).toHaveLength(1);
  expect([lock.usable, lock.machineValue, clock.waiting]).toEqual([null, "lost", 0]);
  lock.release();
  expect(server.lock.read()?.lockId).toBe(OTHER.lockId);
});

test("[RL2] [RL3] a witness out of reach for one refresh is outlived; for the whole count it is not", async () => {
  const { clock, way, lock, acquire, lost } = locking();
  await acquire();
  way.cut = true;
  await clock.pass(1_000);
  way.cut = false;
  await clock.pass(3_000);
  expect(lock.usable).not.toBeNull();
  way.cut = true;
  await clock.pass(4_000);
  expect(lock.usable).toBeNull();
  expect(lost).toHaveLength(1);
});

test.each([
  ["a leadership that is over", "engine b, epoch 2", false, true],
  ["this engine's own earlier life", "engine a, epoch 3", false, true],
  ["a peer that is proven dead, whatever its epoch", "engine b, epoch 8", true, true],
  ["a leader of a higher epoch", "engine b, epoch 8", false, false],
  ["a person, however long", "ops", true, false],
])("[SB7] the lock of %s: broken by holder and fence, or waited for", async (_whose, holder, peerDead, breaks) => {
  const { server, acquire, peer } = locking();
  server.lock.acquire({ ...OTHER, holder });
  if (peerDead) peer.state = "dead";
  const answer = await acquire();
  expect(answer.outcome).toBe(breaks ? "acquired" : "not-acquired");
  expect(server.lock.read()?.holder).toBe(breaks ? "engine a, epoch 3" : holder);
});

test("[RL1] given up while it is being acquired, it is not held", async () => {
  const { clock, server, way, lock, acquire } = locking();
  way.delayMs = 100;
  const acquiring = acquire();
  lock.release();
  await clock.pass(100);
  expect(await acquiring).toEqual({ outcome: "not-acquired", reason: "given up meanwhile" });
  expect([server.lock.read(), lock.usable]).toEqual([null, null]);
  way.delayMs = 0;
  expect(await acquire()).toMatchObject({ outcome: "acquired" });
});
