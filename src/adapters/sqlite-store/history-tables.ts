/**
 * What is kept for people: conflicts, leaderships, requests to move the role.
 */
import type { Database, Statement } from "better-sqlite3";
import type { Conflict, KeyedAnswer } from "../../core/command.ts";
import type { LeadershipEntry, RequestEntry } from "../../ports/store.ts";
import { readObject, readJson } from "./errors.ts";
import type { SetAside } from "../../ports/replica.ts";
import { QUARANTINED_KEPT } from "../store-bounds.ts";

/** The statements on `conflicts`. None is ever dropped [SB3]. */
export class ConflictTable {
  readonly #save: Statement<[string, number, string]>;
  readonly #openFirst: Statement<[number], { readonly conflict: string }>;
  readonly #find: Statement<[string], { readonly conflict: string }>;

  constructor(db: Database) {
    this.#save = db.prepare(`
      INSERT INTO conflicts (id, open, conflict) VALUES (?, ?, ?)
      ON CONFLICT (id) DO UPDATE SET open = excluded.open, conflict = excluded.conflict`);
    this.#openFirst = db.prepare("SELECT conflict FROM conflicts ORDER BY open DESC, place DESC LIMIT +?");
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
    this.#newest = db.prepare(`SELECT ${LEADERSHIP_FIELDS} FROM leadership ORDER BY epoch DESC LIMIT +?`);
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

// The answers that idempotency keys remember.

const KEY_FIELDS = "key, seq, epoch, execute_at_us AS executeAtUs, at_unix_ms AS atUnixMs, digest";

/** The statements on `keys`. */
export class KeyTable {
  readonly #save: Statement<[string, number, number, number, number, string | null]>;
  readonly #find: Statement<[string], KeyedAnswer>;
  readonly #newest: Statement<[number], KeyedAnswer>;
  readonly #dropAfter: Statement<[number]>;
  readonly #dropOld: Statement<[number, number]>;

  constructor(db: Database) {
    this.#save = db.prepare(
      "INSERT OR REPLACE INTO keys (key, seq, epoch, execute_at_us, at_unix_ms, digest) VALUES (?, ?, ?, ?, ?, ?)",
    );
    this.#find = db.prepare(`SELECT ${KEY_FIELDS} FROM keys WHERE key = ?`);
    this.#newest = db.prepare(`SELECT ${KEY_FIELDS} FROM keys ORDER BY seq DESC LIMIT +?`);
    this.#dropAfter = db.prepare("DELETE FROM keys WHERE seq > ?");
    // Keys grow old in the order of their commands, so the search ends at the first that is young enough.
    this.#dropOld = db.prepare(`
      DELETE FROM keys
      WHERE seq <= (SELECT seq FROM keys ORDER BY seq DESC LIMIT 1 OFFSET ?)
        AND seq < coalesce((SELECT seq FROM keys WHERE at_unix_ms >= ? ORDER BY seq LIMIT 1), 9007199254740991)`);
  }

  save(answers: readonly KeyedAnswer[]): void {
    for (const { key, seq, epoch, executeAtUs, atUnixMs, digest } of answers) {
      this.#save.run(key, seq, epoch, executeAtUs, atUnixMs, digest);
    }
  }

  find(key: string): KeyedAnswer | null {
    return this.#find.get(key) ?? null;
  }

  newest(limit: number): readonly KeyedAnswer[] {
    return this.#newest.all(limit);
  }

  dropAfter(seq: number): void {
    this.#dropAfter.run(seq);
  }

  /** Drops those older than `beforeUnixMs`, but for the newest `kept`. */
  dropOld(kept: number, beforeUnixMs: number): void {
    this.#dropOld.run(kept, beforeUnixMs);
  }
}

// Operations that could not be taken: set aside, or in quarantine.

interface AsideRow {
  readonly origin: string;
  readonly originSeq: number;
  readonly via: string;
  readonly reason: string;
  readonly content: string;
  readonly attempts: number;
  readonly dead: number;
  readonly atUnixMs: number;
}

const ASIDE_FIELDS = "origin, origin_seq AS originSeq, via, reason, content, at_unix_ms AS atUnixMs";

/** The statements on `set_aside` and `quarantine`. */
export class AsideTables {
  readonly #save: Statement<[string, number, string, string, string, number, number, number]>;
  readonly #find: Statement<[string, number], AsideRow>;
  readonly #forget: Statement<[string, number]>;
  readonly #all: Statement<[number], AsideRow>;
  readonly #claim: Statement<[string, number, string, string, string, number]>;
  readonly #dropClaims: Statement<[number]>;
  readonly #claims: Statement<[number], AsideRow>;

  constructor(db: Database) {
    this.#save = db.prepare(`
      INSERT INTO set_aside (origin, origin_seq, via, reason, content, attempts, dead, at_unix_ms)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (origin, origin_seq) DO UPDATE SET via = excluded.via, reason = excluded.reason,
        content = excluded.content, attempts = excluded.attempts, dead = excluded.dead`);
    this.#find = db.prepare(
      `SELECT ${ASIDE_FIELDS}, attempts, dead FROM set_aside WHERE origin = ? AND origin_seq = ?`,
    );
    this.#forget = db.prepare("DELETE FROM set_aside WHERE origin = ? AND origin_seq = ?");
    this.#all = db.prepare(
      `SELECT ${ASIDE_FIELDS}, attempts, dead FROM set_aside ORDER BY dead DESC, place DESC LIMIT +?`,
    );
    this.#claim = db.prepare(`
      INSERT INTO quarantine (origin, origin_seq, via, reason, content, at_unix_ms) VALUES (?, ?, ?, ?, ?, ?)
      ON CONFLICT DO NOTHING`);
    this.#dropClaims = db.prepare(
      "DELETE FROM quarantine WHERE place <= (SELECT place FROM quarantine ORDER BY place DESC LIMIT 1 OFFSET ?)",
    );
    this.#claims = db.prepare(
      `SELECT ${ASIDE_FIELDS}, 0 AS attempts, 0 AS dead FROM quarantine ORDER BY place DESC LIMIT +?`,
    );
  }

  save(note: SetAside): void {
    const { origin, originSeq, via, reason, content, attempts, dead, atUnixMs } = note;
    this.#save.run(origin, originSeq, via, reason, JSON.stringify(content), attempts, dead ? 1 : 0, atUnixMs);
  }

  find(origin: string, originSeq: number): SetAside | null {
    const row = this.#find.get(origin, originSeq);
    return row === undefined ? null : toNote(row);
  }

  forget(origin: string, originSeq: number): void {
    this.#forget.run(origin, originSeq);
  }

  all(limit: number): readonly SetAside[] {
    return this.#all.all(limit).map(toNote);
  }

  claim({ origin, originSeq, via, reason, content, atUnixMs }: Omit<SetAside, "attempts" | "dead">): void {
    this.#claim.run(origin, originSeq, via, reason, JSON.stringify(content), atUnixMs);
    this.#dropClaims.run(QUARANTINED_KEPT);
  }

  claims(limit: number): readonly Omit<SetAside, "attempts" | "dead">[] {
    return this.#claims.all(limit).map((row) => {
      const { attempts: _attempts, dead: _dead, ...claim } = toNote(row);
      return claim;
    });
  }
}

function toNote(row: AsideRow): SetAside {
  const content = readJson(row.content, `what was set aside of ${row.origin}/${row.originSeq}`);
  return { ...row, content, dead: row.dead === 1 };
}
