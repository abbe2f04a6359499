/**
 * R1–R4: data folders that were restored from a backup, or copied. The folders are real SQLite stores, copied as a person
 * would copy them; the places around them are in this process.
 */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MemoryDisk } from "../../src/adapters/memory-disk.ts";
import { SqliteStore } from "../../src/adapters/sqlite-store.ts";
import { makeId } from "../../src/core/ids.ts";
import type { PeerMessage } from "../../src/core/messages.ts";
import type { Store } from "../../src/ports/store.ts";
import type { ReplicationJoint } from "../../src/replication/replication.ts";
import { makePlace, NamedIds, originOf, type Place, shown } from "../support/replication-node.ts";

const WAIT = { timeout: 25_000, interval: 20 };

let root: string;
let opened: { readonly place: Place; readonly store: Store }[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "changeover-history-"));
  opened = [];
});
afterEach(() => {
  for (const { place, store } of opened.splice(0)) close({ place, store });
  rmSync(root, { recursive: true, force: true });
});

interface Opened {
  readonly place: Place;
  readonly store: Store;
  readonly alarms: string[];
}

function close({ place, store }: { readonly place: Place; readonly store: Store }): void {
  place.replication.stop();
  store.close();
}

/** The place whose folder is `folder`; its engine is called `name` when the folder is new. */
function open(folder: string, name: string, hub?: Place, link: ReplicationJoint = {}): Opened {
  const store = new SqliteStore({ ids: new NamedIds(name) }, { dataDir: join(root, folder) });
  const alarms: string[] = [];
  const joint = { ...link, alarm: (code: string) => void alarms.push(code) };
  const place = makePlace({ name, store, joint, ...(hub === undefined ? {} : { hub: hub.wayFor(originOf(name)) }) });
  const made = { place, store, alarms };
  opened.push(made);
  return made;
}

function backUp(from: Opened, to: string, folder: string): void {
  close(from);
  opened = opened.filter((one) => one !== from);
  cpSync(join(root, folder), join(root, to), { recursive: true });
}

const set = (at: Place, field: string, value: unknown) => at.replication.records.set("macros", field, value as never);
const value = (at: Place, field: string) => at.replication.records.get("macros", field)?.value;
const exchange = async (at: Place) => at.replication.spoke?.exchangeNow();

describe("R3 RP1 RP2: a spoke whose folder was restored from a backup", () => {
  it.each([0, 1, 2, 3])("and wrote %i records before it met the hub: all edits reach everyone", async (written) => {
    const hub = open("hub", "hub");
    const before = open("s1", "s1", hub.place);
    set(before.place, "kept", 1);
    await exchange(before.place);
    backUp(before, "backup", "s1");
    const lost = open("s1", "s1", hub.place);
    set(lost.place, "old 1", 1);
    set(lost.place, "old 2", 2);
    await exchange(lost.place);
    close(lost);
    opened = opened.filter((one) => one !== lost);
    const restored = open("backup", "s1", hub.place);
    for (let n = 1; n <= written; n += 1) set(restored.place, `new ${n}`, n);
    await exchange(restored.place);
    await exchange(restored.place);
    expect(shown(restored.place)).toEqual(shown(hub.place));
    for (const one of [restored, hub]) {
      expect(["kept", "old 1", "old 2"].map((field) => value(one.place, field))).toEqual([1, 1, 2]);
      for (let n = 1; n <= written; n += 1) expect(value(one.place, `new ${n}`)).toBe(n);
    }
    expect(restored.place.replication.records.origin).toBe(`${originOf("s1")}.2`);
    expect(restored.alarms).toContain("history-forked");
    expect(hub.alarms).toContain("history-forked");
    set(restored.place, "later", 1);
    expect(await exchange(restored.place)).toMatchObject({
      outcome: "done",
      progress: { stalled: false, refused: null },
    });
    expect(value(hub.place, "later")).toBe(1);
    expect(restored.place.replication.records.quarantined(10)).toEqual([]);
    expect(hub.place.replication.records.quarantined(10)).toEqual([]);
  });

  it("starts its new origin as soon as a full disk lets it", async () => {
    const hub = open("hub", "hub");
    const joined = { name: "s1", hub: hub.place.wayFor(originOf("s1")) };
    const disk = new MemoryDisk();
    const before = makePlace({ ...joined, disk });
    set(before, "kept", 1);
    await exchange(before);
    const restoredDisk = new MemoryDisk();
    restoredDisk.content = structuredClone(disk.content);
    set(before, "opening", "old");
    await exchange(before);
    before.replication.stop();
    const restored = makePlace({ ...joined, disk: restoredDisk });
    set(restored, "opening", "new");
    restoredDisk.full = true;
    await exchange(restored);
    expect(restored.replication.records.origin).toBe(originOf("s1"));
    restoredDisk.full = false;
    await exchange(restored);
    expect(restored.replication.records.origin).toBe(`${originOf("s1")}.2`);
    expect(shown(restored)).toEqual(shown(hub.place));
    restored.replication.stop();
  });

  it("keeps both as a conflict where the lost and the new edit are of one field", async () => {
    const hub = open("hub", "hub");
    const before = open("s1", "s1", hub.place);
    set(before.place, "kept", 1);
    await exchange(before.place);
    backUp(before, "backup", "s1");
    const lost = open("s1", "s1", hub.place);
    set(lost.place, "opening", "old");
    await exchange(lost.place);
    close(lost);
    opened = opened.filter((one) => one !== lost);
    const restored = open("backup", "s1", hub.place);
    restored.place.clock.nowMs += 5_000;
    hub.place.clock.nowMs += 5_000;
    set(restored.place, "opening", "new");
    await exchange(restored.place);
    expect(shown(restored.place)).toEqual(shown(hub.place));
    expect(shown(hub.place).open).toHaveLength(1);
    expect(value(hub.place, "opening")).toBe("new");
  });
});

describe("R4 RP2: two spokes that run on copies of one folder", () => {
  it("both write, and the edits of both reach everyone", async () => {
    const hub = open("hub", "hub");
    const first = open("s1", "s1", hub.place);
    set(first.place, "kept", 1);
    await exchange(first.place);
    backUp(first, "copy", "s1");
    const one = open("s1", "s1", hub.place);
    const two = open("copy", "s1", hub.place);
    for (let turn = 1; turn <= 3; turn += 1) {
      set(one.place, `one ${turn}`, turn);
      set(two.place, `two ${turn}`, turn);
      await exchange(one.place);
      await exchange(two.place);
    }
    for (let turn = 0; turn < 3; turn += 1) {
      await exchange(one.place);
      await exchange(two.place);
    }
    for (const at of [hub, one, two]) {
      for (const turn of [1, 2, 3]) {
        expect([value(at.place, `one ${turn}`), value(at.place, `two ${turn}`)], at.place.name).toEqual([turn, turn]);
      }
    }
    expect(shown(one.place)).toEqual(shown(hub.place));
    expect(shown(two.place)).toEqual(shown(hub.place));
    expect(hub.alarms).toContain("history-forked");
  });
});

it("a store of the version before has the same digests as one that was written now", () => {
  const { place, store } = open("s1", "s1");
  for (const n of [1, 2, 3]) set(place, "opening", n);
  const heads = store.replica.ops.heads();
  expect(Object.values(heads)).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/)]);
  close({ place, store });
  opened = [];
  expect(open("s1", "s1").store.replica.ops.heads()).toEqual(heads);
});

describe("RP2: a hub whose folder was restored", () => {
  it.each([0, 1, 3])("and wrote %i records before a spoke came: it gets back what it lost", async (written) => {
    const first = open("hub", "hub");
    const spokes = [open("s1", "s1", first.place), open("s2", "s2", first.place)];
    const exchangeAll = async (all: readonly Opened[]) => {
      for (let turn = 1; turn <= 3; turn += 1) for (const { place } of all) await exchange(place);
    };
    set(first.place, "kept", 1);
    await exchangeAll(spokes);
    backUp(first, "backup", "hub");
    const lost = open("hub", "hub");
    const again = (hub: Opened): Opened[] =>
      ["s1", "s2"].map((name) => {
        const running = opened.find(({ place }) => place.name === name);
        if (running !== undefined) close(running);
        opened = opened.filter((one) => one !== running);
        return open(name, name, hub.place);
      });
    const before = again(lost);
    set(lost.place, "hub 1", 1);
    set(lost.place, "hub 2", 2);
    for (const { place } of before) set(place, `of ${place.name}`, 1);
    await exchangeAll(before);
    close(lost);
    opened = opened.filter((one) => one !== lost);

    const restored = open("backup", "hub");
    const after = again(restored);
    for (const { place } of [restored, ...after]) place.clock.nowMs += 60_000;
    for (let n = 1; n <= written; n += 1) set(restored.place, `new ${n}`, n);
    await exchangeAll(after);
    for (const { place } of [restored, ...after]) {
      expect(shown(place)).toEqual(shown(restored.place));
      expect(["kept", "hub 1", "hub 2", "of s1", "of s2"].map((field) => value(place, field))).toEqual([1, 1, 2, 1, 1]);
      for (let n = 1; n <= written; n += 1) expect(value(place, `new ${n}`)).toBe(n);
      expect(place.replication.records.quarantined(10)).toEqual([]);
    }
    expect(restored.place.replication.records.origin).toBe(`${originOf("hub")}.2`);
    expect(restored.alarms).toContain("history-forked");
    set(restored.place, "later", 1);
    await exchangeAll(after);
    for (const { place } of after) {
      expect(value(place, "later")).toBe(1);
      expect(await exchange(place)).toMatchObject({ progress: { pushed: 0, stalled: false, refused: null } });
    }
  });
});

/** Two engines of a pair: each tells the other what it is told to send, once `link()` was called. */
function pairOf(folders: { readonly a: string; readonly b: string }): {
  readonly a: Opened;
  readonly b: Opened;
  readonly link: () => Promise<void>;
} {
  let linked = false;
  const sides: Partial<Record<"a" | "b", Opened>> = {};
  const side = (label: "a" | "b", other: "a" | "b"): Opened =>
    (sides[label] = open(folders[label], label, undefined, {
      peerId: () => makeId("engine", other),
      send: (message) => {
        if (linked) setImmediate(() => deliver(sides[other], message));
        return linked;
      },
    }));
  const [a, b] = [side("a", "b"), side("b", "a")];
  const link = async (): Promise<void> => {
    linked = true;
    for (const { place } of [a, b]) place.replication.pair.linkUp();
    await vi.waitFor(() => {
      expect(shown(a.place)).toEqual(shown(b.place));
      expect(a.store.replica.ops.heads()).toEqual(b.store.replica.ops.heads());
    }, WAIT);
  };
  return { a, b, link };
}

function deliver(to: Opened | undefined, message: PeerMessage): void {
  if (to === undefined || !opened.includes(to)) return;
  const { pair } = to.place.replication;
  if (message.type === "record-news") pair.takeNews(message);
  if (message.type === "sync-call") pair.takeCall(message);
  if (message.type === "sync-answer") pair.takeAnswer(message);
}

describe("RP1 RP2: a place that took what its writer issued again since", () => {
  /** What stands under each number is the same everywhere, and every edit has come. */
  const expectSame = (all: readonly Opened[], fields: readonly string[]) => {
    const [first] = all;
    for (const { place, store } of all) {
      expect(
        fields.map((field) => value(place, field)),
        place.name,
      ).toEqual(fields);
      expect(store.replica.ops.heads(), place.name).toEqual(first?.store.replica.ops.heads());
      expect(shown(place), place.name).toEqual(first === undefined ? null : shown(first.place));
    }
  };
  const stop = (one: Opened): void => {
    close(one);
    opened = opened.filter((other) => other !== one);
  };

  it.each([
    [1, 1],
    [1, 3],
    [3, 1],
  ])("a hub lost %i and wrote %i; one spoke has the old ones, another the new ones", async (lost, written) => {
    const olds = Array.from({ length: lost }, (_, n) => `old ${n}`);
    const news = Array.from({ length: written }, (_, n) => `new ${n}`);
    const first = open("hub", "hub");
    const [s1, s2] = [open("s1", "s1", first.place), open("s2", "s2", first.place)];
    set(first.place, "kept", "kept");
    for (const { place } of [s1, s2]) await exchange(place);
    for (const one of [s1, s2]) stop(one);
    backUp(first, "backup", "hub");
    const lostHub = open("hub", "hub");
    for (const field of olds) set(lostHub.place, field, field);
    const had = open("s1", "s1", lostHub.place);
    await exchange(had.place);
    for (const one of [had, lostHub]) stop(one);

    const restored = open("backup", "hub");
    const spokes = [open("s2", "s2", restored.place), open("s1", "s1", restored.place)];
    for (const { place } of [restored, ...spokes]) place.clock.nowMs += 60_000;
    for (const field of news) set(restored.place, field, field);
    for (let turn = 1; turn <= 4; turn += 1) for (const { place } of spokes) await exchange(place);
    expectSame([restored, ...spokes], ["kept", ...olds, ...news]);
    expect(restored.place.replication.records.quarantined(10)).toEqual([]);
    for (const { alarms } of [restored, ...spokes]) expect(alarms).toContain("history-forked");
    for (const { place } of spokes) {
      expect(await exchange(place)).toMatchObject({ progress: { pushed: 0, stalled: false, refused: null } });
    }
  });

  it("the other engine took the new ones; a spoke that asks only that one has the old ones", async () => {
    const before = pairOf({ a: "a", b: "b" });
    set(before.a.place, "kept", "kept");
    await before.link();
    const spoke = open("s1", "s1", before.b.place);
    await exchange(spoke.place);
    for (const one of [spoke, before.b]) stop(one);
    backUp(before.a, "backup", "a");
    const lost = open("a", "a");
    set(lost.place, "old", "old");
    const had = open("s1", "s1", lost.place);
    await exchange(had.place);
    for (const one of [had, lost]) stop(one);

    const { a, b, link } = pairOf({ a: "backup", b: "b" });
    for (const { place } of [a, b]) place.clock.nowMs += 60_000;
    set(a.place, "new", "new");
    await link();
    const asks = open("s1", "s1", b.place);
    asks.place.clock.nowMs += 60_000;
    await vi.waitFor(async () => {
      for (const { place } of [a, b]) place.replication.pair.beat();
      await exchange(asks.place);
      expectSame([a, b, asks], ["kept", "old", "new"]);
    }, WAIT);
    expect(a.place.replication.records.origin).toBe(`${originOf("a")}.2`);
  }, 60_000);
});
