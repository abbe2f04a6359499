/**
 * A consumer's own SQLite file, as the applier needs it: `applied_events`, `applied_stacks`, `applied_cursor`.
 * One transaction at a time on the connection. The connection belongs to the applier: what others did on it
 * while a handler waits would become part of its transaction.
 */
import type { Database, Statement } from "better-sqlite3";
import type {
  AppliedNotes,
  AppliedStack,
  Answer,
  ConsumerDatabase,
  StackHold,
  StackKey,
  FeedMark,
} from "../ports/feed-sink.ts";
import { SerialQueue } from "./serial-queue.ts";

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS applied_cursor (
    one INTEGER PRIMARY KEY CHECK (one = 1), control_version INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS applied_events (event_id TEXT PRIMARY KEY, control_version INTEGER NOT NULL) STRICT;
  CREATE INDEX IF NOT EXISTS applied_events_by_place ON applied_events (control_version);
  CREATE TABLE IF NOT EXISTS applied_stacks (
    tenant_id TEXT NOT NULL, stack_id TEXT NOT NULL, version INTEGER NOT NULL,
    hold TEXT, held_from INTEGER, PRIMARY KEY (tenant_id, stack_id)
  ) STRICT;
  CREATE INDEX IF NOT EXISTS applied_stacks_held ON applied_stacks (held_from) WHERE held_from IS NOT NULL;
  INSERT INTO applied_cursor (one, control_version) VALUES (1, 0) ON CONFLICT DO NOTHING;`;

interface StackRow {
  readonly tenant_id: string;
  readonly stack_id: string;
  readonly version: number;
  readonly hold: string | null;
}

export class SqliteConsumer implements ConsumerDatabase<Database> {
  readonly #db: Database;
  readonly #notes: AppliedNotes;
  readonly #queue = new SerialQueue();

  /** Makes its tables where they are missing. `db` stays the caller's, to be closed after the applier has stopped. */
  constructor({ db }: { readonly db: Database }) {
    this.#db = db;
    db.exec(SCHEMA);
    const columns = db.prepare("SELECT name FROM pragma_table_info('applied_cursor')").pluck().all();
    for (const name of ["feed_id", "event_id"]) {
      if (!columns.includes(name)) db.exec(`ALTER TABLE applied_cursor ADD COLUMN ${name} TEXT`);
    }
    this.#notes = new SqliteNotes(db);
  }

  async transaction<Result>(work: (notes: AppliedNotes, tx: Database) => Answer<Result>): Promise<Result> {
    return this.#queue.run(async () => {
      this.#db.exec("BEGIN IMMEDIATE");
      try {
        const result = await work(this.#notes, this.#db);
        this.#db.exec("COMMIT");
        return result;
      } catch (error) {
        if (this.#db.inTransaction) this.#db.exec("ROLLBACK");
        throw error;
      }
    });
  }
}

class SqliteNotes implements AppliedNotes {
  readonly #cursor: Statement;
  readonly #move: Statement;
  readonly #mark: Statement;
  readonly #setFeed: Statement;
  readonly #rebase: Statement;
  readonly #applied: Statement;
  readonly #add: Statement;
  readonly #forget: Statement;
  readonly #stack: Statement;
  readonly #put: Statement;
  readonly #held: Statement;

  constructor(db: Database) {
    this.#cursor = db.prepare("SELECT control_version FROM applied_cursor").pluck();
    this.#move = db.prepare("UPDATE applied_cursor SET control_version = ?, event_id = ?");
    this.#mark = db.prepare("SELECT feed_id AS feedId, event_id AS eventId FROM applied_cursor");
    this.#setFeed = db.prepare("UPDATE applied_cursor SET feed_id = ?");
    this.#rebase = db.prepare("UPDATE applied_events SET control_version = ?");
    this.#applied = db.prepare("SELECT 1 FROM applied_events WHERE event_id = ?").pluck();
    this.#add = db.prepare("INSERT INTO applied_events VALUES (?, ?)");
    this.#forget = db.prepare("DELETE FROM applied_events WHERE control_version <= ?");
    this.#stack = db.prepare("SELECT * FROM applied_stacks WHERE tenant_id = ? AND stack_id = ?");
    this.#put = db.prepare("INSERT OR REPLACE INTO applied_stacks VALUES (?, ?, ?, ?, ?)");
    this.#held = db.prepare("SELECT * FROM applied_stacks WHERE held_from IS NOT NULL ORDER BY held_from LIMIT +?");
  }

  cursor(): number {
    return this.#cursor.get() as number;
  }

  moveCursor(to: number, eventId: string | null = null): void {
    this.#move.run(to, eventId);
  }

  mark(): FeedMark {
    return this.#mark.get() as FeedMark;
  }

  setFeed(feedId: string | null): void {
    this.#setFeed.run(feedId);
  }

  rebaseApplied(to: number): void {
    this.#rebase.run(to);
  }

  hasApplied(eventId: string): boolean {
    return this.#applied.get(eventId) !== undefined;
  }

  addApplied(eventId: string, controlVersion: number): void {
    this.#add.run(eventId, controlVersion);
  }

  forgetApplied(through: number): void {
    this.#forget.run(through);
  }

  stack({ tenantId, stackId }: StackKey): AppliedStack | null {
    const row = this.#stack.get(tenantId, stackId) as StackRow | undefined;
    return row === undefined ? null : stackOf(row);
  }

  putStack({ tenantId, stackId, version, hold }: AppliedStack): void {
    this.#put.run(tenantId, stackId, version, hold === null ? null : JSON.stringify(hold), hold?.from ?? null);
  }

  heldStacks(limit: number): AppliedStack[] {
    return (this.#held.all(limit) as StackRow[]).map(stackOf);
  }
}

function stackOf({ tenant_id, stack_id, version, hold }: StackRow): AppliedStack {
  return {
    tenantId: tenant_id,
    stackId: stack_id,
    version,
    hold: hold === null ? null : (JSON.parse(hold) as StackHold),
  };
}
