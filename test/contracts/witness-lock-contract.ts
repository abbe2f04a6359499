/** Contract of the reconcile lock in the port Witness, for every adapter, also the one that witnesses nothing. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type LockId, makeId } from "../../src/core/ids.ts";
import type { LockAcquire, Witness } from "../../src/ports/witness.ts";
import { until, type WitnessUnderTest } from "./witness-under-test.ts";

const LONG_MS = 60_000;
const SHORT_MS = 40;

export function witnessLockContract(name: string, make: () => Promise<WitnessUnderTest>): void {
  describe(`reconcile lock contract: ${name}`, () => {
    let given: WitnessUnderTest;
    let a: Witness;
    let b: Witness;

    beforeEach(async () => {
      given = await make();
      a = given.connect();
      b = given.connect();
    });
    afterEach(async () => given.end());

    const both = (): readonly [Witness, Witness] => [a, b];
    holding(both);
    givingBack(both);
    lapsing(both, () => given);
  });
}

function lockId(body: string): LockId {
  return makeId("lock", body);
}

async function acquire(witness: Witness, body: string, ttlMs = LONG_MS): Promise<LockAcquire> {
  return witness.acquireLock({ lockId: lockId(body), holder: `engine of ${body}`, ttlMs });
}

async function acquired(witness: Witness, body: string, ttlMs = LONG_MS): Promise<number> {
  const answer = await acquire(witness, body, ttlMs);
  if (answer.outcome !== "acquired") throw new Error(`not acquired: ${JSON.stringify(answer)}`);
  return answer.fence;
}

function holding(both: () => readonly [Witness, Witness]): void {
  it("[RL1] is free at first, and then held by the one that acquired it", async () => {
    const [a, b] = both();
    expect(await b.readLock()).toEqual({ outcome: "read", lock: null });
    const answer = await acquire(a, "x");
    expect(answer).toMatchObject({ outcome: "acquired", lockId: lockId("x"), expiresMs: LONG_MS });

    const { lock } = (await b.readLock()) as { lock: { expiresMs: number; fence: number } };
    expect(lock).toMatchObject({ holder: "engine of x", lockId: lockId("x") });
    expect(lock.fence).toBe((answer as { fence: number }).fence);
    expect(lock.expiresMs).toBeGreaterThan(0);
    expect(lock.expiresMs).toBeLessThanOrEqual(LONG_MS);
  });

  it("[RL3] tells another who holds it and for how long", async () => {
    const [a, b] = both();
    await acquired(a, "x");
    const refused = await acquire(b, "y");
    expect(refused).toMatchObject({ outcome: "held", holder: "engine of x" });
    expect((refused as { expiresMs: number }).expiresMs).toBeGreaterThan(0);
    expect((refused as { expiresMs: number }).expiresMs).toBeLessThanOrEqual(LONG_MS);
  });

  it("[RL1] [I14] of 50 that want it at once, one gets it", async () => {
    const [a, b] = both();
    const wanting = Array.from({ length: 50 }, (_, index) => acquire(index % 2 === 0 ? a : b, `w${index}`));
    const outcomes = (await Promise.all(wanting)).map(({ outcome }) => outcome);
    expect(outcomes.filter((outcome) => outcome === "acquired")).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === "held")).toHaveLength(49);
  });

  it("[RL1] gives a higher fence each time, whoever asks", async () => {
    let last = 0;
    for (let round = 0; round < 12; round += 1) {
      const witness = both()[round % 2 === 0 ? 0 : 1];
      const fence = await acquired(witness, `r${round}`);
      expect(Number.isSafeInteger(fence)).toBe(true);
      expect(fence).toBeGreaterThan(last);
      last = fence;
      expect(await witness.releaseLock(lockId(`r${round}`))).toEqual({ outcome: "released" });
    }
  });
}

function givingBack(both: () => readonly [Witness, Witness]): void {
  it("[RL1] extends the lock of the one that holds it, with the same fence", async () => {
    const [a, b] = both();
    const fence = await acquired(a, "x", 5_000);
    expect(await a.refreshLock(lockId("x"), LONG_MS)).toEqual({ outcome: "refreshed", fence, expiresMs: LONG_MS });
    const { lock } = (await b.readLock()) as { lock: { expiresMs: number } };
    expect(lock.expiresMs).toBeGreaterThan(5_000);
  });

  it("P11 RL1: extends by the time it was acquired for, whoever asks, unless told another, which then stands", async () => {
    const [a, b] = both();
    const fence = await acquired(a, "x", 5_000);
    expect(await b.refreshLock(lockId("x"))).toEqual({ outcome: "refreshed", fence, expiresMs: 5_000 });
    expect(await b.readLock()).toMatchObject({ lock: { ttlMs: 5_000, holder: "engine of x" } });
    expect(await a.refreshLock(lockId("x"), 9_000)).toEqual({ outcome: "refreshed", fence, expiresMs: 9_000 });
    expect(await b.refreshLock(lockId("x"))).toEqual({ outcome: "refreshed", fence, expiresMs: 9_000 });
    const { lock } = (await b.readLock()) as { lock: { expiresMs: number } };
    expect(lock).toMatchObject({ ttlMs: 9_000, lockId: lockId("x"), holder: "engine of x", fence });
    expect(lock.expiresMs).toBeLessThanOrEqual(9_000);
  });

  it("SB7: is broken under its holder and fence, and under no other", async () => {
    const [a, b] = both();
    const fence = await acquired(a, "x");
    const holder = "engine of x";
    expect(await b.breakLock({ holder: "engine of", fence })).toEqual({ outcome: "wrong-id" });
    expect(await b.breakLock({ holder, fence: fence + 1 })).toEqual({ outcome: "wrong-id" });
    expect(await a.readLock()).toMatchObject({ lock: { lockId: lockId("x"), fence } });
    expect(await acquire(b, "y")).toMatchObject({ outcome: "held", holder, fence });
    expect(await b.breakLock({ holder, fence })).toEqual({ outcome: "released" });
    expect(await b.breakLock({ holder, fence })).toEqual({ outcome: "expired" });
    expect(await acquired(b, "y")).toBeGreaterThan(fence);
    expect(await a.refreshLock(lockId("x"))).toEqual({ outcome: "wrong-id" });
    expect(await a.breakLock({ holder, fence })).toEqual({ outcome: "wrong-id" });
  });

  it("[RL3] refuses a wrong id, and the lock stays with its holder", async () => {
    const [a, b] = both();
    const fence = await acquired(a, "x");
    expect(await b.refreshLock(lockId("y"), LONG_MS)).toEqual({ outcome: "wrong-id" });
    expect(await b.releaseLock(lockId("y"))).toEqual({ outcome: "wrong-id" });
    // A beginning of the right id is a wrong id.
    expect(await b.releaseLock("lock_" as LockId)).toEqual({ outcome: "wrong-id" });
    expect(await a.readLock()).toMatchObject({ lock: { lockId: lockId("x"), fence } });
  });

  it("[RL1] is free again once released; a second release finds nothing", async () => {
    const [a, b] = both();
    await acquired(a, "x");
    expect(await a.releaseLock(lockId("x"))).toEqual({ outcome: "released" });
    expect(await a.releaseLock(lockId("x"))).toEqual({ outcome: "expired" });
    expect(await a.refreshLock(lockId("x"), LONG_MS)).toEqual({ outcome: "expired" });
    expect(await b.readLock()).toEqual({ outcome: "read", lock: null });
  });
}

function lapsing(both: () => readonly [Witness, Witness], given: () => WitnessUnderTest): void {
  const lapsed = async (witness: Witness): Promise<true> =>
    until(given(), async () => {
      const read = await witness.readLock();
      return read.outcome === "read" && read.lock === null ? true : null;
    });

  it("[RL1] lapses by its time; the id that lapsed is told so", async () => {
    const [a, b] = both();
    await acquired(a, "x", SHORT_MS);
    await lapsed(b);
    expect(await a.refreshLock(lockId("x"), LONG_MS)).toEqual({ outcome: "expired" });
    expect(await a.releaseLock(lockId("x"))).toEqual({ outcome: "expired" });
  });

  it("[RL3] [I14] an id that lapsed can do nothing once another holds the lock", async () => {
    const [a, b] = both();
    const first = await acquired(a, "x", SHORT_MS);
    await lapsed(b);
    const second = await acquired(b, "y");
    expect(second).toBeGreaterThan(first);
    expect(await a.refreshLock(lockId("x"), LONG_MS)).toEqual({ outcome: "wrong-id" });
    expect(await a.releaseLock(lockId("x"))).toEqual({ outcome: "wrong-id" });
    expect(await b.readLock()).toMatchObject({ lock: { lockId: lockId("y"), fence: second } });
  });

  it("[RL1] a lock that was extended outlives its first time", async () => {
    const [a, b] = both();
    await acquired(a, "x", 2_000);
    await a.refreshLock(lockId("x"), LONG_MS);
    await given().pass(100);
    expect(await acquire(b, "y")).toMatchObject({ outcome: "held" });
    const { lock } = (await a.readLock()) as { lock: { expiresMs: number } };
    expect(lock.expiresMs).toBeGreaterThan(2_000);
  });
}
