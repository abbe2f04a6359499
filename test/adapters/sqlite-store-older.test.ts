/**
 * A store that the version before (commit 8e5ffc4) wrote: a dump of the file of a real engine that took commands, records
 * of its own and of a spoke, and a conflict, and has a feed. It opens in the present version with
 * nothing lost, and goes on with others as if it had always been of the present version.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, it } from "vitest";
import { SqliteStore } from "../../src/adapters/sqlite-store.ts";
import { SCHEMA_VERSION } from "../../src/adapters/sqlite-store/migrations.ts";
import { makePlace, NamedIds, shown, SetClock } from "../support/replication-node.ts";

const ENGINE = "eng_Ovn9F1iSgzhEkqWWuxljT";
const OWN = "rec_Ovn9F1iSgzhEkqWWuxljT";
const SPOKE = "rec_GTBfPmmuC7WhBpyVyqwj4";
const WRITTEN_UNIX_MS = 1_795_962_465_000;

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "changeover-older-"));
  mkdirSync(dataDir, { recursive: true });
  const db = new Database(join(dataDir, "changeover.db"));
  db.exec(readFileSync(join(import.meta.dirname, "stores/8e5ffc4.sql"), "utf8"));
  // It died before it had published the last four events.
  db.exec("UPDATE control_events_outbox SET published_at_unix_ms = NULL, control_version = NULL WHERE place > 9");
  expect(db.pragma("user_version", { simple: true })).toBeLessThan(SCHEMA_VERSION);
  db.close();
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));
const open = (): SqliteStore => new SqliteStore({ ids: new NamedIds("x") }, { dataDir });

it("keeps identity, epochs, commands, keys, state, leadership, conflicts and the outbox", () => {
  for (let opening = 1; opening <= 2; opening += 1) {
    const store = open();
    const { engineId, log, checkpoint, highestEpoch } = store.load();
    expect({ engineId, log, highestEpoch }).toEqual({ engineId: ENGINE, log: { epoch: 1, seq: 3 }, highestEpoch: 1 });
    expect(checkpoint).toMatchObject({ position: { epoch: 1, seq: 3 }, state: { programSource: "cam4" } });
    const { commands } = store.commandsAfter(0, 10, 1_000_000);
    expect(commands.map(({ seq, payload }) => [seq, payload])).toEqual([
      [1, { source: "cam2" }],
      [2, { source: "cam3" }],
      [3, { source: "cam4" }],
    ]);
    expect(store.findKey("key-1")).toMatchObject({ seq: 1, epoch: 1, digest: null });
    expect(store.leadership(10)).toMatchObject([{ epoch: 1, leader: "a", cause: "cold-start" }]);
    expect(store.conflicts(10)).toMatchObject([{ kind: "record", field: "title", outcome: "open" }]);
    const { waiting, oldest } = store.replica.outbox.depth();
    expect({ waiting, oldest: oldest?.event.eventId }).toEqual({ waiting: 4, oldest: `rec_studio-1_${SPOKE}_1` });
    store.close();
  }
});

it("keeps the records, their vector and their signatures' order, and every operation has a digest [RP1]", () => {
  const store = open();
  const { replica } = store;
  const values = replica.records.list(null, null, 100).map(({ field, payload }) => [field, payload]);
  expect(values).toEqual([
    ["narrow", { boxes: 1 }],
    ["wide", { boxes: 2 }],
    ["closing", { steps: [1, 2, 3] }],
    ["opening", "old"],
    ["title", "by the spoke"],
  ]);
  expect(replica.records.standing("macros", "gone")?.kind).toBe("delete");
  expect(replica.ops.vector()).toEqual({ [OWN]: 6, [SPOKE]: 2 });
  for (const [origin, count] of [[OWN, 6] as const, [SPOKE, 2] as const]) {
    const digests = Array.from({ length: count }, (_, at) => replica.ops.headAt(origin, at + 1));
    expect(new Set(digests).size).toBe(count);
    for (const digest of digests) expect(digest).toMatch(/^\S+$/);
    expect(replica.ops.heads()[origin]).toBe(digests.at(-1));
  }
  store.close();
});

it("has the same digests as a place that got the operations from it, and meets it without a fork", async () => {
  const store = open();
  const clock = new SetClock();
  clock.nowMs = WRITTEN_UNIX_MS + 60_000;
  const alarms: string[] = [];
  const hub = makePlace({ name: "hub", store, clock, joint: { alarm: (code) => void alarms.push(code) } });
  const spoke = makePlace({ name: "s1", clock, hub: hub.wayFor("rec_s1") });
  for (let turn = 1; turn <= 2; turn += 1) {
    expect(await spoke.replication.spoke?.exchangeNow()).toMatchObject({ outcome: "done" });
    expect(shown(spoke)).toEqual(shown(hub));
    expect(spoke.store.replica.ops.heads()).toEqual(store.replica.ops.heads());
    hub.replication.records.set("macros", "later", turn);
    spoke.replication.records.set("macros", "of the spoke", turn);
  }
  expect(hub.replication.records.origin).toBe(OWN);
  expect(alarms).toEqual([]);
  for (const { replication } of [hub, spoke]) replication.stop();
  store.close();
});
