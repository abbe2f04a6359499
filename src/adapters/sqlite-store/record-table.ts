/**
 * The heads of every field, by reference to their operations.
 * Rank 0 is the operation that stands. Fields that were asked for lately are also held in memory, since a
 * page that is taken in asks for every field that it changes; they are forgotten when a transaction is undone.
 */
import type { Database, Statement } from "better-sqlite3";
import type { Op, Heads } from "../../core/operation.ts";
import type { RecordPlace } from "../../ports/replica.ts";
import type { OpCompaction } from "../op-compaction.ts";
import { OP_COLUMNS, type OpRow, toOp } from "./op-table.ts";

const HEADS = `SELECT ${OP_COLUMNS} FROM record_heads AS head JOIN ops USING (origin, origin_seq)`;

/** Fields whose heads are held in memory. */
const HELD_FIELDS = 4_096;

/** The statements on `record_heads`. */
export class RecordTable {
  readonly #heads: Statement<[string, string], OpRow>;
  readonly #standing: Statement<[string, string], OpRow>;
  readonly #save: Statement<[string, string, number, string, number]>;
  readonly #dropFrom: Statement<[string, string, number]>;
  readonly #ofEntity: Statement<[string, string, number], OpRow>;
  readonly #ofAll: Statement<[string, string, number], OpRow>;
  readonly #every: Statement<[string, string, number], OpRow>;
  readonly #held = new Map<string, Heads>();

  readonly #names: Statement<[string, string], Pick<OpRow, "origin" | "origin_seq">>;
  readonly #compaction: OpCompaction;

  constructor(db: Database, compaction: OpCompaction) {
    this.#compaction = compaction;
    this.#heads = db.prepare(`${HEADS} WHERE head.entity = +? AND head.field = +? ORDER BY rank`);
    this.#standing = db.prepare(`${HEADS} WHERE head.entity = +? AND head.field = +? AND rank = 0`);
    this.#save = db.prepare(`
      INSERT INTO record_heads VALUES (?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET origin = excluded.origin, origin_seq = excluded.origin_seq`);
    this.#names = db.prepare(
      "SELECT origin, origin_seq FROM record_heads WHERE entity = +? AND field = +? ORDER BY rank",
    );
    this.#dropFrom = db.prepare("DELETE FROM record_heads WHERE entity = ? AND field = ? AND rank >= ?");
    const page = "AND rank = 0 ORDER BY head.entity, head.field LIMIT +?";
    this.#ofEntity = db.prepare(`${HEADS} WHERE head.entity = +? AND head.field > ? AND kind = 'set' ${page}`);
    this.#ofAll = db.prepare(`${HEADS} WHERE (head.entity, head.field) > (?, ?) AND kind = 'set' ${page}`);
    this.#every = db.prepare(`${HEADS} WHERE (head.entity, head.field) > (?, ?) ${page}`);
  }

  standing(entity: string, field: string): Op | null {
    const row = this.#standing.get(entity, field);
    return row === undefined ? null : toOp(row);
  }

  heads(entity: string, field: string): Heads {
    const place = keyOf(entity, field);
    const held = this.#held.get(place);
    if (held !== undefined) return held;
    const heads = this.#heads.all(entity, field).map(toOp);
    this.#hold(place, heads);
    return heads;
  }

  save(heads: Heads): void {
    const [standing] = heads;
    if (standing === undefined) return;
    const { entity, field } = standing;
    const place = keyOf(entity, field);
    let rank = 0;
    this.#compaction.moved(this.#held.get(place) ?? this.#named(entity, field), heads);
    for (const { origin, originSeq } of heads) this.#save.run(entity, field, rank++, origin, originSeq);
    const before = this.#held.get(place)?.length ?? Infinity;
    if (before > heads.length) this.#dropFrom.run(entity, field, heads.length);
    this.#hold(place, heads);
  }

  replace({ entity, field }: RecordPlace, heads: Heads): void {
    this.#compaction.moved(this.#named(entity, field), heads);
    this.#dropFrom.run(entity, field, 0);
    this.#held.delete(keyOf(entity, field));
    this.save(heads);
  }

  /** Which operations the heads of a field name; they may be withdrawn already. */
  #named(entity: string, field: string): { readonly origin: string; readonly originSeq: number }[] {
    return this.#names.all(entity, field).map(({ origin, origin_seq }) => ({ origin, originSeq: origin_seq }));
  }

  /** After a transaction was undone. */
  reread(): void {
    this.#held.clear();
  }

  list(entity: string | null, after: RecordPlace | null, limit: number): readonly Op[] {
    if (entity !== null) return this.#ofEntity.all(entity, after?.field ?? "", limit).map(toOp);
    return this.#ofAll.all(after?.entity ?? "", after?.field ?? "", limit).map(toOp);
  }

  all(after: RecordPlace | null, limit: number): readonly Op[] {
    return this.#every.all(after?.entity ?? "", after?.field ?? "", limit).map(toOp);
  }

  #hold(place: string, heads: Heads): void {
    this.#held.set(place, heads);
    if (this.#held.size <= HELD_FIELDS) return;
    // The one held for longest goes.
    const [oldest = place] = this.#held.keys();
    this.#held.delete(oldest);
  }
}

function keyOf(entity: string, field: string): string {
  return `${entity}\u0000${field}`;
}
