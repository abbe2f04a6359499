/** How far a caller has come: believed at once, noted now and then, and never noted beyond what it has. */
import { beforeEach, expect, it } from "vitest";
import { MemoryDisk } from "../../src/adapters/memory-disk.ts";
import type { SyncCaller } from "../../src/replication/callers.ts";
import { makePlace, originOf, SetClock, type Place } from "../support/replication-node.ts";

const CALLER: SyncCaller = { origin: originOf("spoke"), token: null };
const A_SECOND_MS = 1_000;
const A_MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

let clock: SetClock;
let disk: MemoryDisk;
let hub: Place;

/** A hub over the disk, whatever an earlier one left there. */
function opened(): Place {
  return makePlace({ name: "hub", clock, disk });
}

/** Asks for one operation after `after`; gives the cursor for the next. */
function pull(after: string): string {
  return hub.replication.hub.pull({ caller: CALLER, after, limit: 1, maxBytes: 1_048_576 }).nextCursor;
}

function noted(): unknown {
  return JSON.parse(hub.store.replica.peerState.get(`caller:${CALLER.origin}`) ?? "null");
}

beforeEach(() => {
  clock = new SetClock();
  clock.pass(0);
  disk = new MemoryDisk();
  hub = opened();
  for (const value of [1, 2, 3]) hub.replication.records.set("macro", "start", value);
});

it("a caller is noted when it comes first, and how far it has come once a second", () => {
  const startMs = clock.nowMs;
  const first = pull("");
  expect(noted()).toMatchObject({ cursor: "", seenAtUnixMs: startMs });
  clock.pass(A_SECOND_MS - 1);
  const second = pull(first);
  expect(noted()).toMatchObject({ cursor: "", seenAtUnixMs: startMs });
  clock.pass(1);
  pull(second);
  expect(noted()).toMatchObject({ cursor: second, seenAtUnixMs: startMs + A_SECOND_MS });
});

it("the last cursor of an exchange is noted when the caller asks again, higher or not", () => {
  const first = pull("");
  pull(first);
  clock.pass(A_SECOND_MS);
  pull(first);
  expect(noted()).toMatchObject({ cursor: first, seenAtUnixMs: clock.nowMs });
});

it("a caller that has come no further is noted as seen once a minute", () => {
  const startMs = clock.nowMs;
  pull("");
  clock.pass(A_MINUTE_MS - 1);
  pull("");
  expect(noted()).toMatchObject({ cursor: "", seenAtUnixMs: startMs });
  clock.pass(1);
  pull("");
  expect(noted()).toMatchObject({ cursor: "", seenAtUnixMs: startMs + A_MINUTE_MS });
});

it("what one has never goes back, also where it asks for older pages", () => {
  const first = pull("");
  const second = pull(first);
  pull(second);
  clock.pass(A_SECOND_MS);
  pull(first);
  expect(noted()).toMatchObject({ cursor: second, seenAtUnixMs: clock.nowMs });
});

it("compaction goes by what a caller has, noted or not", () => {
  const first = pull("");
  pull(pull(first));
  expect(hub.replication.hub.compact()).toBe(2);
});

it("a hub that was killed before it noted a cursor keeps what lies behind it until the caller comes again", () => {
  const second = pull(pull(""));
  pull(second);
  disk.ownerDied();
  hub = opened();
  expect(hub.replication.hub.compact()).toBe(0);
  pull(second);
  expect(hub.replication.hub.compact()).toBe(2);
});

it("a caller that claims to have what has not arrived yet leaves no floor above what has", () => {
  pull("ffffffffffffffff-beyond");
  expect(hub.replication.hub.compact()).toBe(2);
  const { ops } = hub.store.replica;
  expect(ops.floor()?.through).toBe(ops.lastArrival());
});

it("R7: a wall clock that jumps by years forgets no caller; one that stays away for thirty days of use is forgotten", () => {
  const first = pull("");
  expect(hub.replication.hub.compact()).toBe(0);
  clock.nowMs += 100 * 365 * DAY_MS;
  expect(hub.replication.hub.compact()).toBe(0);
  clock.nowMs -= 200 * 365 * DAY_MS;
  expect(hub.replication.hub.compact()).toBe(0);
  clock.pass(30 * DAY_MS);
  expect(hub.replication.hub.compact()).toBe(0);
  pull(first);
  clock.pass(30 * DAY_MS);
  pull(first);
  clock.pass(30 * DAY_MS + 1);
  // Nobody is waited for, and so many are kept where nobody asks.
  expect(hub.replication.hub.compact()).toBe(0);
  hub.replication.hub.pull({ caller: { origin: originOf("other"), token: null }, after: "f", limit: 1, maxBytes: 1 });
  expect(hub.replication.hub.compact()).toBe(2);
});

it("what an older version noted of a caller counts as seen at the start", () => {
  const key = `caller:${CALLER.origin}`;
  hub.store.replica.peerState.set(key, JSON.stringify({ cursor: "", seenAtUnixMs: 1 }));
  disk.ownerDied();
  hub = opened();
  hub.replication.hub.pull({ caller: { origin: originOf("other"), token: null }, after: "f", limit: 1, maxBytes: 1 });
  expect(hub.replication.hub.compact()).toBe(0);
  clock.pass(30 * DAY_MS + 1);
  hub.replication.hub.pull({ caller: { origin: originOf("other"), token: null }, after: "f", limit: 1, maxBytes: 1 });
  expect(hub.replication.hub.compact()).toBe(2);
});

it("a token that calls itself many names makes the hub forget its own names, not other callers", () => {
  const names = (): string[] => hub.store.replica.peerState.withPrefix("caller:").map(([key]) => key.slice(7));
  const seen = (origin: string, token: string) =>
    hub.replication.hub.pull({ caller: { origin, token, isSpoke: true }, after: "", limit: 1, maxBytes: 1_048_576 });
  for (const token of ["one", "two"]) seen(originOf("s"), token);
  for (let count = 0; count < 300; count += 1) seen(`made-up-${count}`, "greedy");
  expect(names()).toHaveLength(256);
  expect(names()).toEqual(
    expect.arrayContaining([`${originOf("s")}@one`, `${originOf("s")}@two`, "made-up-299@greedy"]),
  );
  hub.store.close();
  hub = opened();
  seen("made-up-300", "greedy");
  expect(names()).toHaveLength(256);
  expect(names()).toEqual(expect.arrayContaining([`${originOf("s")}@one`, `${originOf("s")}@two`]));
});
