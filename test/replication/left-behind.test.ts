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
import { makePlace, NamedIds, originOf, shown, type Place } from "../support/replication-node.ts";

const PAGE = 3;

interface Opened {
  readonly store: Store;
  dispose(): void;
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

describe.each([
  ["memory", inMemory],
  ["SQLite", inSqlite],
])("over a store of kind %s", (_kind, open) => {
  let stores: Opened[];
  let hub: Place;
  let early: Place;
  beforeEach(async () => {
    stores = [];
    hub = place("hub");
    early = place("early", hub);
    for (let n = 0; n < 12; n += 1) early.replication.records.set("macro", `f${n % 4}`, n);
    early.replication.records.delete("macro", "f3");
    await exchange(early);
    hub.replication.records.set("layout", "main", "2-up");
    await exchange(early);
    await exchange(early);
    expect(hub.replication.hub.compact()).toBe(9);
  });
  afterEach(() => {
    for (const { store, dispose } of stores) {
      store.close();
      dispose();
    }
  });

  /** A place whose pages are small. */
  function place(name: string, to?: Place): Place {
    const opened = open(name);
    const { store } = opened;
    stores.push(opened);
    if (to === undefined) return makePlace({ name, store });
    const way = to.wayFor(originOf(name));
    const pull: typeof way.pull = (request) => way.pull({ ...request, limit: PAGE });
    return makePlace({
      name,
      store,
      hub: {
        pull,
        identity: () => way.identity(),
        push: (ops, base) => way.push(ops, base),
        close: () => way.close(),
      },
    });
  }

  const exchange = async (spoke: Place) => expect((await spoke.replication.spoke?.exchangeNow())?.outcome).toBe("done");

  it("it ends with what the others have, and what it had written offline reaches them", async () => {
    const late = place("late", hub);
    late.replication.records.set("macro", "f0", "offline");
    await exchange(late);
    await exchange(early);
    expect(shown(late)).toEqual(shown(hub));
    expect(shown(early)).toEqual(shown(hub));
    expect(late.store.replica.ops.count()).toBeLessThan(counterOf(hub.store.replica.ops.vector(), originOf("early")));
    expect(hub.replication.records.get("macro", "f0")?.contested).toBe(true);
  });

  it("whoever follows it in turn is given the same, although it has holes itself", async () => {
    const late = place("late", hub);
    await exchange(late);
    expect(late.store.replica.ops.floor()?.clock).toEqual(hub.store.replica.ops.floor()?.clock);
    const beyond = place("beyond", late);
    await exchange(beyond);
    expect(shown(beyond)).toEqual(shown(hub));
  });

  it("nothing of it is compacted while it is being filled, and it says so again after a restart in between", async () => {
    const late = place("late", hub);
    const { intake } = late.replication;
    const page = hub.replication.hub.pull({ caller: originOf("late"), after: "", limit: PAGE, maxBytes: 1e6 });
    expect(page.snapshot).toBeDefined();
    intake.take({ via: originOf("hub"), ops: page.ops, base: page.snapshot?.clock ?? null });
    expect(intake.filling).toBe(true);
    expect(late.replication.hub.compact()).toBe(0);
    const again = makePlace({ name: "late", store: late.store, hub: hub.wayFor(originOf("late")) });
    expect(again.replication.intake.filling).toBe(true);
    await exchange(again);
    expect(again.replication.intake.filling).toBe(false);
    expect(shown(again)).toEqual(shown(hub));
  });

  it("what was left out of a snapshot is asked for again before it counts as complete", async () => {
    const late = place("late", hub);
    // Its clock is slow: everything is stamped too far ahead of it.
    late.clock.nowMs -= 10_000;
    await exchange(late);
    expect(shown(late).vector).toEqual({});
    late.clock.nowMs += 10_000;
    for (let round = 0; round < 3; round += 1) await exchange(late);
    expect(shown(late)).toEqual(shown(hub));
    expect(late.store.replica.ops.allSetAside(10)).toEqual([]);
  });
});
