/**
 * Purpose: what is kept for people: conflicts, leaderships, requests to move the role.
 */
import type { Database, Statement } from "better-sqlite3";
import type { Conflict } from "../../core/command.ts";
import type { LeadershipEntry, RequestEntry } from "../../ports/store.ts";
import { readObject } from "./json.ts";

/** The statements on `conflicts`. None is ever dropped [SB3]. */
export class ConflictTable {
  readonly #save: Statement<[string, number, string]>;
  readonly #openFirst: Statement<[number], { readonly conflict: string }>;
  readonly #find: Statement<[string], { readonly conflict: string }>;

  constructor(db: Database) {
    this.#save = db.prepare(`
      INSERT INTO conflicts (id, open, conflict) VALUES (?, ?, ?)
      ON CONFLICT (id) DO UPDATE SET open = excluded.open, conflict = excluded.conflict`);
    this.#openFirst = db.prepare("SELECT conflict FROM conflicts ORDER BY open DESC, place DESC LIMIT ?");
    this.#find = db.prepare("SELECT conflict FROM conflicts WHERE id = ?");
  }

  save(conflicts: readonly Conflict[]): void {
    for (const conflict of conflicts) {
      this.#save.run(conflict.id, conflict.outcome === "open" ? 1 : 0, JSON.stringify(conflict));
    }
  }

  openFirst(limit: number): readonly Conflict[] {
    return this.#openFirst.all(limit).map(({ conflict }) => readObject<Conflict>(conflict, "a conflict"));
  }

  find(id: string): Conflict | null {
    const row = this.#find.get(id);
    return row === undefined ? null : readObject<Conflict>(row.conflict, `the conflict ${id}`);
  }
}

const LEADERSHIP_FIELDS = `epoch, leader, from_unix_ms AS fromUnixMs, to_unix_ms AS toUnixMs, cause, by, reason,
  took_ms AS tookMs`;

/** The statements on `leadership`. */
export class LeadershipTable {
  readonly #endEarlier: Statement<[number, number]>;
  readonly #insert: Statement<[number, string, number, number | null, string, string, string, number]>;
  readonly #end: Statement<[number | null, number]>;
  readonly #newest: Statement<[number], LeadershipEntry>;
  readonly #drop: Statement<[number]>;

  constructor(db: Database) {
    this.#endEarlier = db.prepare("UPDATE leadership SET to_unix_ms = ? WHERE to_unix_ms IS NULL AND epoch < ?");
    this.#insert = db.prepare(`
      INSERT INTO leadership (epoch, leader, from_unix_ms, to_unix_ms, cause, by, reason, took_ms)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)`);
    this.#end = db.prepare("UPDATE leadership SET to_unix_ms = ? WHERE epoch = ?");
    this.#newest = db.prepare(`SELECT ${LEADERSHIP_FIELDS} FROM leadership ORDER BY epoch DESC LIMIT ?`);
    this.#drop = db.prepare(
      "DELETE FROM leadership WHERE epoch <= (SELECT epoch FROM leadership ORDER BY epoch DESC LIMIT 1 OFFSET ?)",
    );
  }

  /** Ends what lasts and begins `entry` (true), or only sets the end of a known one. Keeps the newest `kept`. */
  save(entry: LeadershipEntry, kept: number): boolean {
    const { epoch, leader, fromUnixMs, toUnixMs, cause, by, reason, tookMs } = entry;
    if (this.#end.run(toUnixMs, epoch).changes > 0) return false;
    this.#endEarlier.run(fromUnixMs, epoch);
    this.#insert.run(epoch, leader, fromUnixMs, toUnixMs, cause, by, reason, tookMs);
    this.#drop.run(kept);
    return true;
  }

  end(epoch: number, toUnixMs: number): void {
    this.#end.run(toUnixMs, epoch);
  }

  newest(limit: number): readonly LeadershipEntry[] {
    return this.#newest.all(limit);
  }
}

/** The statements on `requests`. */
export class RequestTable {
  readonly #save: Statement<[string, string]>;
  readonly #find: Statement<[string], { readonly request: string }>;
  readonly #drop: Statement<[number]>;

  constructor(db: Database) {
    this.#save = db.prepare("INSERT INTO requests (request_id, request) VALUES (?, ?) ON CONFLICT DO NOTHING");
    this.#find = db.prepare("SELECT request FROM requests WHERE request_id = ?");
    this.#drop = db.prepare(
      "DELETE FROM requests WHERE place <= (SELECT place FROM requests ORDER BY place DESC LIMIT 1 OFFSET ?)",
    );
  }

  /** The first answer to a request stands. Keeps the newest `kept`. */
  save(entry: RequestEntry, kept: number): void {
    this.#save.run(entry.requestId, JSON.stringify(entry));
    this.#drop.run(kept);
  }

  find(requestId: string): RequestEntry | null {
    const row = this.#find.get(requestId);
    return row === undefined ? null : readObject<RequestEntry>(row.request, `the request ${requestId}`);
  }
}
