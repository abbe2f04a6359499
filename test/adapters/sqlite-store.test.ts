/** What only the SQLite store can meet: folders, damaged files, newer schemas, a file that may not grow. */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SqliteStore } from "../../src/adapters/sqlite-store.ts";
import { SCHEMA_VERSION } from "../../src/adapters/sqlite-store/migrations.ts";
import {
  command,
  commands,
  CountedIds,
  ENGINE_A,
  ENGINE_B,
  everythingIn,
  saveCheckpoint,
} from "../contracts/store-samples.ts";

let root: string;
let dataDir: string;
let file: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "changeover-sqlite-"));
  dataDir = join(root, "var", "engine-a");
  file = join(dataDir, "changeover.db");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function open(maxBytes?: number): SqliteStore {
  return new SqliteStore({ ids: new CountedIds() }, { dataDir, maxBytes });
}

/** Makes a store with a few commands and closes it. */
function filled(count = 3): void {
  const store = open();
  store.append(commands(1, count));
  store.close();
}

/** Changes the closed file by hand. */
function edit(sql: string): void {
  const db = new Database(file);
  db.exec(sql);
  db.close();
}

function coded(code: string, message: string): unknown {
  return expect.objectContaining({ code, message: expect.stringContaining(message) as unknown });
}

describe("the data folder", () => {
  it("is made for its owner alone, with one file in it once closed", () => {
    const store = open();
    expect(statSync(dataDir).mode & 0o777).toBe(0o700);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    store.append([command(1)]);
    for (const name of readdirSync(dataDir)) expect(statSync(join(dataDir, name)).mode & 0o077).toBe(0);
    store.close();
    expect(readdirSync(dataDir)).toEqual(["changeover.db"]);
  });

  it("that is a file, or below one, is unusable", () => {
    writeFileSync(join(root, "var"), "not a folder");
    expect(() => open()).toThrow(coded("data_folder_unusable", dataDir));
    expect(readFileSync(join(root, "var"), "utf8")).toBe("not a folder");
  });

  it("whose store is a folder is unusable", () => {
    mkdirSync(file, { recursive: true });
    expect(() => open()).toThrow(coded("data_folder_unusable", dataDir));
  });

  it("is not taken by a start that fails, so that the next one can have it", () => {
    filled();
    edit("UPDATE state SET clock = 'nonsense'");
    expect(() => open()).toThrow(coded("corrupt_clock", "clock of the engine"));
    edit("UPDATE state SET clock = '{}'");
    open().close();
  });
});

describe("a file that is not what was stored", () => {
  it.each([
    ["text", () => writeFileSync(file, "this is not a database, it is a shopping list ".repeat(100))],
    ["nothing at all", () => truncateSync(file, 0)],
    ["half of itself", () => truncateSync(file, Math.floor(statSync(file).size / 2))],
    ["damaged in the middle", () => damage(file)],
    ["another program's database", () => edit("PRAGMA user_version = 0")],
  ])("is refused and left untouched: %s", (_what, spoil) => {
    filled(200);
    spoil();
    const before = readFileSync(file);
    expect(() => open()).toThrow(coded("store_corrupt", file));
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  it("is refused when its schema is newer, with file, version and bound", () => {
    filled();
    edit(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
    const before = readFileSync(file);
    const details = { file, version: SCHEMA_VERSION + 1, bound: SCHEMA_VERSION };
    expect(() => open()).toThrow(expect.objectContaining({ code: "store_too_new", details }));
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  it.each(['{"eng_a":-1}', '{"eng_a":"7"}', '{"eng_a":1.5}', "[]", "null", "", '{"eng_a":'])(
    "never takes the stored clock %s for an empty one",
    (clock) => {
      filled();
      edit(`UPDATE state SET clock = '${clock}'`);
      expect(() => open()).toThrow(coded("corrupt_clock", "clock of the engine"));
    },
  );

  it("says which command is damaged, and still reads the others", () => {
    filled();
    edit("UPDATE ops SET payload = '{' WHERE seq = 2; UPDATE ops SET clock = '7' WHERE seq = 3");
    const store = open();
    expect(store.commandsAfter(0, 1).commands).toEqual([command(1)]);
    expect(() => store.commandsAfter(1, 1)).toThrow(coded("store_corrupt", "command 2"));
    expect(() => store.commandsAfter(2, 1)).toThrow(coded("corrupt_clock", "command 3"));
    store.close();
  });
});

describe("a store that may not grow", () => {
  it("says so, changes nothing, and takes commands again once compaction has made room", () => {
    const store = open(512 * 1024);
    let seq = 0;
    const next = () => command(seq + 1, { payload: "x".repeat(5_000), idempotencyKey: `key-${seq + 1}` });
    const fill = () => {
      for (;;) {
        store.append([next()]);
        seq += 1;
      }
    };
    expect(fill).toThrow(expect.objectContaining({ code: "store_full", retryable: true }));
    expect(seq).toBeGreaterThan(50);
    const before = everythingIn(store);
    expect(() => store.append([next()])).toThrow(coded("store_full", file));
    expect(everythingIn(store)).toEqual(before);
    saveCheckpoint(store, { position: { epoch: 1, seq }, state: "small" });
    store.compact(seq, 0);
    store.append([next()]);
    store.close();
    const reopened = open(512 * 1024);
    expect(reopened.load().log.seq).toBe(seq + 1);
    reopened.close();
  });
});

describe("an older schema", () => {
  it("H2 keeps its idempotency keys, whose digest is not known", () => {
    const store = open();
    store.append([command(1, { idempotencyKey: "old" })]);
    const known = store.findKey("old");
    store.close();
    edit(`ALTER TABLE keys DROP COLUMN digest; PRAGMA user_version = 6;
      ALTER TABLE ops DROP COLUMN chain; ALTER TABLE record_vector DROP COLUMN head;
      ALTER TABLE state DROP COLUMN base_clock; ALTER TABLE state DROP COLUMN highest_own_seq`);
    const migrated = open();
    expect(known?.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(migrated.findKey("old")).toEqual({ ...known, digest: null });
    migrated.append([command(2, { idempotencyKey: "new" })]);
    expect(migrated.findKey("new")?.digest).toMatch(/^[0-9a-f]{64}$/);
    migrated.close();
  });

  it("comes along with its checkpoint, whose state was one text", () => {
    filled();
    edit(`
      DROP TABLE control_events_outbox; DROP TABLE outbox_marks;
      DROP TABLE record_heads; DROP TABLE record_vector; DROP TABLE compaction_floor; DROP TABLE set_aside;
      DROP TABLE quarantine; DROP TABLE federation_state; DROP INDEX ops_by_arrival;
      ALTER TABLE ops DROP COLUMN arrival; ALTER TABLE ops DROP COLUMN via;
      ALTER TABLE state DROP COLUMN base_clock; ALTER TABLE state DROP COLUMN highest_own_seq;
      ALTER TABLE ops DROP COLUMN chain; ALTER TABLE ops DROP COLUMN signature; DROP INDEX ops_by_seq; CREATE UNIQUE INDEX places ON ops (seq);
      DROP TABLE state_pieces; DROP TABLE checkpoint;
      CREATE TABLE checkpoint (id INTEGER PRIMARY KEY CHECK (id = 1), epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
        state TEXT NOT NULL) STRICT;
      INSERT INTO checkpoint VALUES (1, 1, 2, '{"program":[1,2]}');
      ALTER TABLE keys DROP COLUMN digest;
      PRAGMA user_version = 1`);
    const store = open();
    const checkpoint = { position: { epoch: 1, seq: 2 }, state: { program: [1, 2] } };
    expect(store.load()).toMatchObject({ checkpoint, log: { epoch: 1, seq: 3 } });
    saveCheckpoint(store, { position: { epoch: 1, seq: 3 }, state: "new" });
    expect(store.load().checkpoint?.state).toBe("new");
    store.close();
  });
});

describe("SB6 I15: a clock above the content", () => {
  it.each([
    [
      "an entry too high",
      `UPDATE state SET clock = '{"${ENGINE_A}":6}'`,
      `the clock counts 6 commands of ${ENGINE_A}, 3 are held`,
    ],
    [
      "an origin of which nothing is held",
      `UPDATE state SET clock = '{"${ENGINE_A}":3,"${ENGINE_B}":2}'`,
      `2 commands of ${ENGINE_B}, 0`,
    ],
    ["a command that is gone", "DELETE FROM ops WHERE seq = 2", "the log holds 2 commands from 1 on, not 3"],
  ])("is said at the next opening and put right: %s", (_what, tamper, flaw) => {
    filled();
    edit(tamper);
    const store = open();
    expect(store.load().flaw).toContain(flaw);
    expect(store.load().clock).toEqual({ [ENGINE_A]: 3 });
    store.append([command(4)]);
    store.close();
    const again = open();
    expect(again.load()).toMatchObject({ clock: { [ENGINE_A]: 4 }, log: { seq: 4 } });
    again.close();
  });

  it("as an older version left it: this engine still never uses a number twice", () => {
    filled();
    const { engineId } = read((store) => store.load());
    edit(`UPDATE state SET clock = '{"${ENGINE_A}":3,"${engineId}":9}', highest_own_seq = 0`);
    expect(read((store) => store.load())).toMatchObject({ highestOwnSeq: 9, clock: { [ENGINE_A]: 3 } });
    expect(read((store) => store.load())).toMatchObject({ highestOwnSeq: 9, flaw: null });
  });
});

function read<Result>(look: (store: SqliteStore) => Result): Result {
  const store = open();
  const result = look(store);
  store.close();
  return result;
}

/** Overwrites a page in the middle, as a failing disk does. */
function damage(path: string): void {
  const bytes = readFileSync(path);
  const page = 4_096 * Math.floor(bytes.length / 4_096 / 2);
  bytes.fill(0xff, page, page + 4_096);
  writeFileSync(path, bytes);
}
