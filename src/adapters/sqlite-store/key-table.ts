/**
 * Purpose: the answers that idempotency keys remember.
 */
import type { Database, Statement } from "better-sqlite3";
import type { KeyedAnswer } from "../../core/command.ts";

const FIELDS = "key, seq, epoch, execute_at_us AS executeAtUs, at_unix_ms AS atUnixMs, digest";

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
    this.#find = db.prepare(`SELECT ${FIELDS} FROM keys WHERE key = ?`);
    this.#newest = db.prepare(`SELECT ${FIELDS} FROM keys ORDER BY seq DESC LIMIT ?`);
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
