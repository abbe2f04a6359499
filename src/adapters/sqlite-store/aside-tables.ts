/** Purpose: operations that could not be taken: set aside, or in quarantine. */
import type { Database, Statement } from "better-sqlite3";
import type { SetAside } from "../../ports/op-log.ts";
import { QUARANTINED_KEPT } from "../store-bounds.ts";
import { readJson } from "./json.ts";

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

const FIELDS = "origin, origin_seq AS originSeq, via, reason, content, at_unix_ms AS atUnixMs";

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
    this.#find = db.prepare(`SELECT ${FIELDS}, attempts, dead FROM set_aside WHERE origin = ? AND origin_seq = ?`);
    this.#forget = db.prepare("DELETE FROM set_aside WHERE origin = ? AND origin_seq = ?");
    this.#all = db.prepare(`SELECT ${FIELDS}, attempts, dead FROM set_aside ORDER BY dead DESC, place DESC LIMIT ?`);
    this.#claim = db.prepare(`
      INSERT INTO quarantine (origin, origin_seq, via, reason, content, at_unix_ms) VALUES (?, ?, ?, ?, ?, ?)
      ON CONFLICT DO NOTHING`);
    this.#dropClaims = db.prepare(
      "DELETE FROM quarantine WHERE place <= (SELECT place FROM quarantine ORDER BY place DESC LIMIT 1 OFFSET ?)",
    );
    this.#claims = db.prepare(`SELECT ${FIELDS}, 0 AS attempts, 0 AS dead FROM quarantine ORDER BY place DESC LIMIT ?`);
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
