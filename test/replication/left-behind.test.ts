/** A spoke that comes after its hub has compacted is given a snapshot: over every kind of store, also at its other end. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MemoryDisk } from "../../src/adapters/memory-disk.ts";
import { MemoryStore } from "../../src/adapters/memory-store.ts";
import { SqliteStore } from "../../src/adapters/sqlite-store.ts";
import { counterOf } from "../../src/core/vector-clock.ts";
import type { Store } from "../../src/ports/store.ts";
import type { SyncTransport } from "../../src/ports/sync-transport.ts";
import { makePlace, NamedIds, originOf, shown, type Place } from "../support/replication-node.ts";

const PAGE = 3;

interface Opened {
  readonly store: Store;
  readonly dispose: () => void;
}

function inMemory(name: string): Opened {
  return {
    store: new MemoryStore({ ids: new NamedIds(name), disk: new MemoryDisk() }),
    dispose: () => undefined,
  };
}

function inSqlite(name: string): Opened {
  const dataDir = mkdtempSync(join(tmpdir(), "changeover-left-behind-"));
  const store = new SqliteStore({ ids: new NamedIds(name) }, { dataDir });
  return { store, dispose: () => rmSync(dataDir, { recursive: true, force: true }) };
}

/** A hub that has compacted what its first spoke had written, and whoever comes later. */
class Plant {
  readonly hub: Place;
  readonly early: Place;
  readonly #open: (name: string) => Opened;
  readonly #opened: Opened[] = [];

  constructor(open: (name: string) => Opened) {
    this.#open = open;
    this.hub = this.place("hub");
    this.early = this.place("early", this.hub);
  }

  async compact(): Promise<void> {
    const { hub, early } = this;
    for (let n = 0; n < 12; n += 1) early.replication.records.set("macro", `f${n % 4}`, n);
    early.replication.records.delete("macro", "f3");
    await exchange(early);
    hub.replication.records.set("layout", "main", "2-up");
    await exchange(early);
    await exchange(early);
    expect(hub.replication.hub.compact()).toBe(9);
  }

  /** A place whose pages are small. */
  place(name: string, to?: Place): Place {
    const opened = this.#open(name);
    this.#opened.push(opened);
    const { store } = opened;
    if (to === undefined) return makePlace({ name, store });
    const way = to.wayFor(originOf(name));
    const small: SyncTransport = {
      identity: () => way.identity(),
      pull: (request) => way.pull({ ...request, limit: PAGE }),
      push: (ops, base) => way.push(ops, base),
      close: () => way.close(),
    };
    return makePlace({ name, store, hub: small });
  }

  close(): void {
    for (const { store, dispose } of this.#opened) {
      store.close();
      dispose();
    }
  }
}

async function exchange(spoke: Place): Promise<void> {
  expect((await spoke.replication.spoke?.exchangeNow())?.outcome).toBe("done");
}

describe.each([
  ["memory", inMemory],
  ["SQLite", inSqlite],
])("over a store of kind %s", (_kind, open) => {
  let plant: Plant;
  beforeEach(async () => {
    plant = new Plant(open);
    await plant.compact();
  });
  afterEach(() => plant.close());

  it("it ends with what the others have, and what it had written offline reaches them", async () => {
    const late = plant.place("late", plant.hub);
    late.replication.records.set("macro", "f0", "offline");
    await exchange(late);
    await exchange(plant.early);
    expect(shown(late)).toEqual(shown(plant.hub));
    expect(shown(plant.early)).toEqual(shown(plant.hub));
    expect(late.store.replica.ops.count()).toBeLessThan(
      counterOf(plant.hub.store.replica.ops.vector(), originOf("early")),
    );
    expect(plant.hub.replication.records.get("macro", "f0")?.contested).toBe(true);
  });

  it("whoever follows it in turn is given the same, although it has holes itself", async () => {
    const late = plant.place("late", plant.hub);
    await exchange(late);
    expect(late.store.replica.ops.floor()?.clock).toEqual(plant.hub.store.replica.ops.floor()?.clock);
    const beyond = plant.place("beyond", late);
    await exchange(beyond);
    expect(shown(beyond)).toEqual(shown(plant.hub));
  });

  it("nothing of it is compacted while it is being filled, and it says so again after a restart in between", async () => {
    const late = plant.place("late", plant.hub);
    const { intake } = late.replication;
    const page = plant.hub.replication.hub.pull({
      caller: { origin: originOf("late"), token: null },
      after: "",
      limit: PAGE,
      maxBytes: 1e6,
    });
    expect(page.snapshot).toBeDefined();
    intake.take({ via: originOf("hub"), ops: page.ops, base: page.snapshot?.clock ?? null });
    expect(intake.filling).toBe(true);
    expect(late.replication.hub.compact()).toBe(0);
    const again = makePlace({ name: "late", store: late.store, hub: plant.hub.wayFor(originOf("late")) });
    expect(again.replication.intake.filling).toBe(true);
    await exchange(again);
    expect(again.replication.intake.filling).toBe(false);
    expect(shown(again)).toEqual(shown(plant.hub));
  });

  it("what was left out of a snapshot is asked for again before it counts as complete", async () => {
    const late = plant.place("late", plant.hub);
    // Its clock is slow: everything is stamped too far ahead of it.
    late.clock.nowMs -= 10_000;
    await exchange(late);
    expect(shown(late).vector).toEqual({});
    late.clock.nowMs += 10_000;
    for (let round = 0; round < 3; round += 1) await exchange(late);
    expect(shown(late)).toEqual(shown(plant.hub));
    expect(late.store.replica.ops.allSetAside(10)).toEqual([]);
  });
});

describe("from two places at once", () => {
  it("the end of one snapshot leaves open what another one has begun", async () => {
    const plant = new Plant(inMemory);
    await plant.compact();
    const late = plant.place("late");
    const { intake } = late.replication;
    const hole = counterOf(plant.hub.store.replica.ops.vector(), originOf("early"));
    const { ops } = plant.hub.replication.hub.pull({
      caller: { origin: originOf("late"), token: null },
      after: "",
      limit: 1_000,
      maxBytes: 1e6,
    });
    intake.take({ via: originOf("hub"), ops, base: { [originOf("early")]: hole } });
    intake.take({ via: originOf("other"), ops: [], base: { [originOf("else")]: 4 }, completesBase: true });
    expect(intake.filling).toBe(true);
    expect(intake.take({ via: originOf("hub"), ops, base: null }).map(({ outcome }) => outcome)).toEqual(
      ops.map(() => "duplicate"),
    );
    const base = { [originOf("early")]: hole };
    intake.take({ via: originOf("hub"), ops: [], base, completesBase: true });
    expect(intake.filling).toBe(false);
    expect(late.store.replica.ops.vector()).toMatchObject(base);
    plant.close();
  });
});

describe("what a place holds back", () => {
  it("is not compacted at the one that it asks, however far it has asked on", async () => {
    const hub = makePlace({ name: "hub" });
    const slow = makePlace({ name: "slow", hub: hub.wayFor(originOf("slow")) });
    for (let n = 1; n <= 4; n += 1) hub.replication.records.set("macro", "f", n);
    slow.clock.nowMs -= 10_000;
    await exchange(slow);
    await exchange(slow);
    expect(shown(slow).vector).toEqual({});
    expect(hub.replication.hub.compact()).toBe(0);
    slow.clock.nowMs += 10_000;
    for (let round = 0; round < 3; round += 1) await exchange(slow);
    expect(shown(slow)).toEqual(shown(hub));
    expect(hub.replication.hub.compact()).toBe(3);
  });
});

describe("a hub that is followed no more", () => {
  it("holds up no compaction at the engine that was its spoke", async () => {
    const hub = makePlace({ name: "hub" });
    const disk = new MemoryDisk();
    const spoke = makePlace({ name: "spoke", disk, hub: hub.wayFor(originOf("spoke")) });
    const { records } = spoke.replication;
    records.set("macro", "f", 1);
    await exchange(spoke);
    await exchange(spoke);
    for (let n = 2; n <= 4; n += 1) records.set("macro", "f", n);
    const caller = { origin: originOf("other"), token: null };
    spoke.replication.hub.pull({ caller, after: spoke.store.replica.ops.lastArrival(), limit: 1, maxBytes: 1_024 });
    expect(spoke.replication.hub.compact()).toBe(1);
    disk.ownerDied();
    expect(makePlace({ name: "spoke", disk }).replication.hub.compact()).toBe(2);
  });
});

it("R1: one whose folder was restored is given what it had brought for others, also where that was compacted since", async () => {
  const hub = makePlace({ name: "hub" });
  const reader = makePlace({ name: "reader", hub: hub.wayFor(originOf("reader")) });
  const disk = new MemoryDisk();
  const carrier = makePlace({ name: "carrier", disk, hub: hub.wayFor(originOf("carrier")) });
  const far = makePlace({ name: "far", hub: carrier.wayFor(originOf("far")) });
  const meet = async (): Promise<void> => {
    for (const one of [far, carrier, reader, carrier]) await exchange(one);
  };
  hub.replication.records.set("macro", "f", 0);
  await meet();
  const copy = new MemoryDisk();
  copy.content = structuredClone(disk.content);
  for (const n of [1, 2]) far.replication.records.set("macro", "f", n);
  await meet();
  // What everybody has is known once each has asked again.
  await meet();
  expect(hub.replication.hub.compact()).toBeGreaterThan(0);
  const restored = makePlace({ name: "carrier", disk: copy, hub: hub.wayFor(originOf("carrier")) });
  await exchange(restored);
  expect(shown(restored)).toEqual(shown(hub));
  expect(restored.replication.records.get("macro", "f")?.value).toBe(2);
});
