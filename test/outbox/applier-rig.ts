/** A consumer as the tests of the applier need it: its data is one table, in which every applied event leaves a row. */
import Database from "better-sqlite3";
import { SqliteConsumer } from "../../src/adapters/sqlite-consumer.ts";
import { SystemClock, SystemRandom } from "../../src/adapters/basics.ts";
import type { ControlEvent } from "../../src/core/control-event.ts";
import { type Applier, type ApplierInit, createApplier } from "../../src/outbox/applier.ts";
import type { ArtifactStore, AppliedNotes, Answer, ConsumerDatabase, FeedSource } from "../../src/ports/feed-sink.ts";

export type Db = Database.Database;

const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** Opens the consumer's database; in memory unless a file is named. */
export function openData(file = ":memory:"): Db {
  const db = new Database(file);
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = FULL");
  db.exec(
    "CREATE TABLE IF NOT EXISTS data (at INTEGER PRIMARY KEY, stack TEXT, version INTEGER, event_id TEXT) STRICT",
  );
  return db;
}

/** What a handler does: one row an event. */
export function keep({ stackId, version, eventId }: ControlEvent, { tx }: { readonly tx: Db }): void {
  tx.prepare("INSERT INTO data (stack, version, event_id) VALUES (?, ?, ?)").run(stackId, version, eventId);
}

/** The versions of a stack, in the order in which they were applied. */
export function appliedVersions(db: Db, stackId = "programme"): number[] {
  return db.prepare("SELECT version FROM data WHERE stack = ? ORDER BY at").pluck().all(stackId) as number[];
}

export interface ApplierParts {
  readonly source: FeedSource;
  readonly db: Db;
  readonly database?: ConsumerDatabase<Db>;
  readonly artifacts?: ArtifactStore;
}

/** An applier with a real clock and a short pause. */
export function applierOf(parts: ApplierParts, init: Partial<ApplierInit<Db>> = {}): Applier {
  const { source, db, artifacts, database = new SqliteConsumer({ db }) } = parts;
  const components = { source, database, clock: new SystemClock(), random: new SystemRandom(), logger: SILENT };
  return createApplier(artifacts === undefined ? components : { ...components, artifacts }, {
    handlers: { "command.accepted": keep },
    pollMs: 2,
    ...init,
  });
}

/** The process dies here. */
class Crash extends Error {}

/** Dies in the transaction of number `at`, before or after it is durable; everything after it dies too. */
export class CrashingDatabase implements ConsumerDatabase<Db> {
  readonly #inner: ConsumerDatabase<Db>;
  readonly #at: number;
  readonly #when: "before" | "after";
  #count = 0;
  readonly died: Promise<void>;
  #die: () => void = () => undefined;

  constructor(db: Db, at: number, when: "before" | "after") {
    this.#inner = new SqliteConsumer({ db });
    this.#at = at;
    this.#when = when;
    this.died = new Promise((resolve) => (this.#die = resolve));
  }

  async transaction<Result>(work: (notes: AppliedNotes, tx: Db) => Answer<Result>): Promise<Result> {
    this.#count += 1;
    if (this.#count > this.#at) throw this.#crash();
    const result = await this.#inner.transaction(async (notes, tx) => {
      const done = await work(notes, tx);
      if (this.#count === this.#at && this.#when === "before") throw this.#crash();
      return done;
    });
    if (this.#count === this.#at) throw this.#crash();
    return result;
  }

  #crash(): Crash {
    this.#die();
    return new Crash();
  }
}
