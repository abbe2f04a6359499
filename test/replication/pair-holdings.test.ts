/** What one engine of a pair has taken is not yet had by the pair: nobody who gave it compacts it away. */
import { beforeEach, describe, expect, it } from "vitest";
import { MemoryDisk } from "../../src/adapters/memory-disk.ts";
import type { EngineId } from "../../src/core/ids.ts";
import type { VectorClock } from "../../src/core/vector-clock.ts";
import type { Store } from "../../src/ports/store.ts";
import { makePlace, originOf, SetClock, type Place } from "../support/replication-node.ts";

const OTHER = "eng_other" as EngineId;
const DAY_MS = 86_400_000;
const WRITTEN = { [originOf("spoke")]: 5 };

describe("a spoke of one engine of a pair", () => {
  let engine: Place;
  let spoke: Place;

  beforeEach(async () => {
    engine = makeEngine();
    spoke = makePlace({ name: "spoke", hub: engine.wayFor(originOf("spoke")) });
    for (let n = 1; n <= 5; n += 1) spoke.replication.records.set("macro", "f", n);
    await exchange();
    await exchange();
  });

  it("keeps what the other engine has not, and so does the engine", async () => {
    expect(spoke.replication.hub.compact()).toBe(0);
    expect(engine.replication.hub.compact()).toBe(0);
    tell({ [originOf("spoke")]: 3 });
    await exchange();
    expect(spoke.replication.hub.compact()).toBe(3);
    expect(engine.replication.hub.compact()).toBe(3);
    tell(WRITTEN);
    await exchange();
    expect(spoke.replication.hub.compact()).toBe(1);
    expect(engine.replication.hub.compact()).toBe(1);
    expect(spoke.replication.records.get("macro", "f")?.value).toBe(5);
  });

  it("a word that was overtaken on the way takes nothing back; another engine in its place begins anew", () => {
    tell(WRITTEN);
    tell({ [originOf("spoke")]: 2 });
    expect(held(engine)).toEqual(WRITTEN);
    tell({ [originOf("spoke")]: 1 }, "eng_new" as EngineId);
    expect(held(engine)).toEqual({ [originOf("spoke")]: 1 });
  });

  it("the engine remembers it over a restart", () => {
    expect(held(engine)).toEqual({});
    tell(WRITTEN);
    expect(held(makeEngine(engine.store))).toEqual(WRITTEN);
    engine.store.replica.peerState.set("peer:pair:clock", "{");
    expect(held(makeEngine(engine.store))).toEqual({});
  });

  it("nobody waits for an engine that was not heard for thirty days", () => {
    engine.clock.pass(29 * DAY_MS);
    expect(held(engine)).toEqual({});
    engine.clock.pass(DAY_MS);
    expect(held(engine)).toEqual(WRITTEN);
  });

  it("R7: a wall clock that jumps by months does not make it look as if it had stayed away", () => {
    engine.clock.nowMs += 113 * DAY_MS;
    expect(held(engine)).toEqual({});
    tell({ [originOf("spoke")]: 2 });
    engine.clock.nowMs -= 900 * DAY_MS;
    expect(held(engine)).toEqual({ [originOf("spoke")]: 2 });
    // And no older note makes it waited for beyond that.
    engine.clock.pass(30 * DAY_MS + 1);
    expect(held(engine)).toEqual(WRITTEN);
  });

  it("what an older version noted of it counts as heard at the start", () => {
    const note = { engineId: OTHER, clock: { [originOf("spoke")]: 2 }, seenAtUnixMs: 1 };
    engine.store.replica.peerState.set("peer:pair:clock", JSON.stringify(note));
    expect(held(makeEngine(engine.store))).toEqual({ [originOf("spoke")]: 2 });
  });

  function tell(vector: VectorClock, by = OTHER): void {
    other = by;
    engine.replication.pair.takeNews({ type: "record-news", ops: [], vector });
  }

  async function exchange(): Promise<void> {
    expect((await spoke.replication.spoke?.exchangeNow())?.outcome).toBe("done");
  }
});

describe("an engine that has never been told anything", () => {
  it("nobody waits longer for it, however often this one is started", () => {
    const never = { name: "never", joint: { peerId: () => null }, clock: new SetClock(), disk: new MemoryDisk() };
    never.clock.pass(0);
    let place = makePlace(never);
    place.replication.records.set("macro", "f", 1);
    for (let days = 0; days < 30; days += 10) {
      expect(held(place)).toEqual({});
      never.clock.pass(10 * DAY_MS);
      // It is in use: compaction asks.
      place.replication.hub.compactStep();
      never.disk.ownerDied();
      place = makePlace(never);
    }
    never.clock.pass(1);
    expect(held(place)).toEqual({ [originOf("never")]: 1 });
  });

  it("a pair starts also where the disk is full", () => {
    const disk = new MemoryDisk();
    held(makePlace({ name: "full", disk }));
    disk.ownerDied();
    disk.full = true;
    expect(held(makePlace({ name: "full", joint: { peerId: () => null }, disk }))).toEqual({});
  });

  it("an engine that is alone has for the pair what it has", () => {
    const alone = makePlace({ name: "alone" });
    alone.replication.records.set("macro", "f", 1);
    expect(held(alone)).toEqual({ [originOf("alone")]: 1 });
  });
});

let other = OTHER;

function makeEngine(store?: Store): Place {
  return makePlace({ name: "engine", joint: { peerId: () => other }, ...(store === undefined ? {} : { store }) });
}

function held({ replication }: Place): VectorClock | undefined {
  return replication.hub.identity("prove it").held;
}
