/**
 * Purpose: the heads of every field, by reference to their operations.
 * Keeps true: rank 0 is the operation that stands.
 */
import type { Database, Statement } from "better-sqlite3";
import type { Op } from "../../core/operation.ts";
import type { Heads } from "../../core/record-merge.ts";
import type { RecordPlace } from "../../ports/record-store.ts";
import { OP_COLUMNS, type OpRow, toOp } from "./op-table.ts";

const HEADS = `SELECT ${OP_COLUMNS} FROM record_heads AS head JOIN ops USING (origin, origin_seq)`;

/** The statements on `record_heads`. */
export class RecordTable {
  readonly #heads: Statement<[string, string], OpRow>;
  readonly #standing: Statement<[string, string], OpRow>;
  readonly #save: Statement<[string, string, number, string, number]>;
  readonly #dropFrom: Statement<[string, string, number]>;
  readonly #ofEntity: Statement<[string, string, number], OpRow>;
  readonly #ofAll: Statement<[string, string, number], OpRow>;
  readonly #every: Statement<[string, string, number], OpRow>;

  constructor(db: Database) {
    this.#heads = db.prepare(`${HEADS} WHERE head.entity = ? AND head.field = ? ORDER BY rank`);
    this.#standing = db.prepare(`${HEADS} WHERE head.entity = ? AND head.field = ? AND rank = 0`);
    this.#save = db.prepare("INSERT OR REPLACE INTO record_heads VALUES (?, ?, ?, ?, ?)");
    this.#dropFrom = db.prepare("DELETE FROM record_heads WHERE entity = ? AND field = ? AND rank >= ?");
    const page = "AND rank = 0 ORDER BY head.entity, head.field LIMIT ?";
    this.#ofEntity = db.prepare(`${HEADS} WHERE head.entity = ? AND head.field > ? AND kind = 'set' ${page}`);
    this.#ofAll = db.prepare(`${HEADS} WHERE (head.entity, head.field) > (?, ?) AND kind = 'set' ${page}`);
    this.#every = db.prepare(`${HEADS} WHERE (head.entity, head.field) > (?, ?) ${page}`);
  }

  standing(entity: string, field: string): Op | null {
    const row = this.#standing.get(entity, field);
    return row === undefined ? null : toOp(row);
  }

  heads(entity: string, field: string): Heads {
    return this.#heads.all(entity, field).map(toOp);
  }

  save(heads: Heads): void {
    heads.forEach(({ entity, field, origin, originSeq }, rank) => {
      this.#save.run(entity, field, rank, origin, originSeq);
    });
    const [standing] = heads;
    if (standing !== undefined) this.#dropFrom.run(standing.entity, standing.field, heads.length);
  }

  list(entity: string | null, after: RecordPlace | null, limit: number): readonly Op[] {
    if (entity !== null) return this.#ofEntity.all(entity, after?.field ?? "", limit).map(toOp);
    return this.#ofAll.all(after?.entity ?? "", after?.field ?? "", limit).map(toOp);
  }

  all(after: RecordPlace | null, limit: number): readonly Op[] {
    return this.#every.all(after?.entity ?? "", after?.field ?? "", limit).map(toOp);
  }
}
