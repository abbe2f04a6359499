/** SQLite makes its plan for a statement once, when it is prepared, and not again at each call. */
import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { SqliteConsumer } from "../../src/adapters/sqlite-consumer.ts";
import { SqliteStore } from "../../src/adapters/sqlite-store.ts";
import { CountedIds } from "../contracts/store-samples.ts";

/** What SQLite would plan again for each value that is bound: a bare `?` that its planner looks at. */
function isPlannedAgain(sql: string): boolean {
  if (/\bLIMIT \?/u.test(sql)) return true;
  return /^\s*(?:SELECT|WITH)/u.test(sql) && /\bORDER BY\b|\bJOIN\b/u.test(sql) && /[^<>]= \?/u.test(sql);
}

test.each([
  ["the store", (db: Database.Database) => void new SqliteStore({ ids: new CountedIds() }, { inMemory: db })],
  ["a consumer", (db: Database.Database) => void new SqliteConsumer({ db })],
])("no statement of %s is planned again at each call", (_name, open) => {
  const db = new Database(":memory:");
  const prepared: string[] = [];
  const prepare = db.prepare.bind(db);
  db.prepare = (sql: string) => {
    prepared.push(sql);
    return prepare(sql);
  };
  open(db);
  expect(prepared.length).toBeGreaterThan(5);
  expect(prepared.filter(isPlannedAgain)).toEqual([]);
});

test("the rule is needed: a bare bound is several times slower than one behind a plus", () => {
  const db = new Database(":memory:");
  db.exec(
    "CREATE TABLE t (place INTEGER PRIMARY KEY, name TEXT, version INTEGER) STRICT; CREATE INDEX n ON t (name, version)",
  );
  const msFor = (sql: string): number => {
    const statement = db.prepare(sql);
    const ask = (times: number): void => {
      for (let time = 0; time < times; time += 1) statement.get("a", 10);
    };
    ask(200);
    const begun = performance.now();
    ask(2_000);
    return performance.now() - begun;
  };
  const pairs = [1, 2, 3].map(() => [
    msFor("SELECT * FROM t WHERE name = ? ORDER BY version LIMIT ?"),
    msFor("SELECT * FROM t WHERE name = +? ORDER BY version LIMIT +?"),
  ]);
  expect(Math.max(...pairs.map(([bare = 0, plus = 0]) => bare / plus))).toBeGreaterThan(2);
});
