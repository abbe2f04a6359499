/**
 * Operations on records as rows of the op log, in the order of their arrival.
 * What a field needs is never compacted away. The vector is also held in memory, for it is asked at every
 * operation; it is read again after a transaction that was undone.
 */
import type { Database, Statement } from "better-sqlite3";
import { chainAfter, isGivenUp, type Op, type OpKind } from "../../core/operation.ts";
import { counterOf, type VectorClock } from "../../core/vector-clock.ts";
import { type ArrivedOp, type Compacted, type CompactionFloor, lowered, mergeFloors } from "../../ports/replica.ts";
import { type CompactedLog, type LookedAt, OpCompaction } from "../op-compaction.ts";
import { opBytes } from "../store-bounds.ts";
import { sha256Of } from "../basics.ts";
import { readClock, readJson } from "./errors.ts";

/** One row of an operation on a record. */
export interface OpRow {
  readonly origin: string;
  readonly origin_seq: number;
  readonly hlc: string;
  readonly epoch: number;
  readonly kind: string;
  readonly entity: string;
  readonly field: string;
  readonly payload: string;
  readonly clock: string;
  readonly checksum: string;
  readonly arrival: string;
  readonly via: string;
  readonly signature: string | null;
}

const NAMES = ["origin", "origin_seq", "hlc", "epoch", "kind", "entity", "field", "payload", "clock", "checksum"];
/** The columns of an operation, under the table's name in a join. */
export const OP_COLUMNS = [...NAMES, "arrival", "via", "signature"].map((name) => `ops.${name} AS ${name}`).join(", ");

/** Of an operation, what compaction asks. */
interface JudgedRow extends OriginRow {
  readonly arrival: string;
  readonly stands: number;
  readonly waits: number;
}

const JUDGED = `
  SELECT origin, origin_seq, arrival,
    EXISTS (SELECT 1 FROM record_heads AS head WHERE head.entity = ops.entity AND head.field = ops.field
      AND head.origin = ops.origin AND head.origin_seq = ops.origin_seq) AS stands,
    EXISTS (SELECT 1 FROM record_heads AS head WHERE head.entity = ops.entity AND head.field = ops.field
      AND head.origin_seq > coalesce(
        (SELECT origin_seq FROM record_vector AS held WHERE held.origin = head.origin), 0)) AS waits
  FROM ops`;

/** One entry of a clock. */
interface OriginRow {
  readonly origin: string;
  readonly origin_seq: number;
}

/** What the digest of an older store's history is made of. */
type OlderRow = Pick<OpRow, "origin_seq" | "checksum" | "entity"> & { readonly kind: OpKind };

/** How far the history of an origin is digested. */
interface Reached {
  readonly seq: number;
  readonly head: string | null;
}

/** See `OpLog.arrivedAfter`. */
interface ArrivedQuery {
  readonly after: string;
  readonly limit: number;
  readonly maxBytes: number;
  readonly exceptVia: string;
  readonly alsoVia: string | null;
}

/** Rows read beyond a page's limit in one step are bounded by its bytes. */
export class OpTable {
  readonly #insert: Statement<unknown[]>;
  readonly #find: Statement<[string, number], OpRow>;
  readonly #arrived: Statement<[string, string, string, string, number], OpRow>;
  readonly #ofOrigin: Statement<[string, number, number], OpRow>;
  readonly #ofField: Statement<[string, string], OpRow>;
  readonly #dropAbove: Statement<[string, number]>;
  readonly #setVector: Statement<[number, string, number]>;
  readonly #forgetOrigin: Statement<[string]>;
  readonly #last: Statement<[], { readonly arrival: string | null }>;
  readonly #newest: Statement<[number], OpRow>;
  readonly #count: Statement<[], { readonly count: number }>;
  readonly #raise: Statement<[string, number, string | null]>;
  readonly #head: Statement<[string], { readonly head: string | null }>;
  readonly #chain: Statement<[string, number], { readonly chain: string | null }>;
  readonly #saveHead: Statement<[string | null, string]>;
  readonly #saveChain: Statement<[string, string, number]>;
  readonly #heads = new Map<string, Reached>();
  readonly #vector: Statement<[], OriginRow>;
  readonly #placed: Statement<[string, number], Pick<OpRow, "arrival" | "origin" | "origin_seq">>;
  readonly #before: Statement<[number], { readonly arrival: string }>;
  readonly compaction: OpCompaction;
  readonly #floor: Statement<[], { readonly through: string; readonly clock: string }>;
  readonly #saveFloor: Statement<[string, string]>;
  #held: VectorClock;

  constructor(db: Database) {
    this.#insert = db.prepare(
      `INSERT INTO ops (${NAMES.join(", ")}, arrival, via, signature, chain)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#find = db.prepare(
      `SELECT ${OP_COLUMNS} FROM ops WHERE origin = ? AND origin_seq = ? AND arrival IS NOT NULL`,
    );
    this.#arrived = db.prepare(`
      SELECT ${OP_COLUMNS} FROM ops WHERE arrival > ? AND via <> ? AND via <> ? AND origin <> ? ORDER BY arrival LIMIT +?`);
    this.#ofOrigin = db.prepare(`
      SELECT ${OP_COLUMNS} FROM ops WHERE origin = +? AND origin_seq > ? AND arrival IS NOT NULL
      ORDER BY origin_seq LIMIT +?`);
    this.#ofField = db.prepare(
      `SELECT ${OP_COLUMNS} FROM ops WHERE entity = +? AND field = +? AND arrival IS NOT NULL ORDER BY arrival`,
    );
    this.#dropAbove = db.prepare("DELETE FROM ops WHERE origin = ? AND origin_seq > ? AND arrival IS NOT NULL");
    this.#setVector = db.prepare("UPDATE record_vector SET origin_seq = ? WHERE origin = ? AND origin_seq > ?");
    this.#forgetOrigin = db.prepare("DELETE FROM record_vector WHERE origin = ?");
    this.#last = db.prepare("SELECT max(arrival) AS arrival FROM ops WHERE arrival IS NOT NULL");
    this.#newest = db.prepare(`SELECT ${OP_COLUMNS} FROM ops WHERE arrival IS NOT NULL ORDER BY arrival DESC LIMIT +?`);
    this.#count = db.prepare("SELECT count(*) AS count FROM ops WHERE arrival IS NOT NULL");
    this.#raise = db.prepare(`
      INSERT INTO record_vector (origin, origin_seq, head) VALUES (?, ?, ?)
      ON CONFLICT (origin) DO UPDATE SET origin_seq = excluded.origin_seq, head = excluded.head`);
    this.#head = db.prepare("SELECT head FROM record_vector WHERE origin = ?");
    this.#chain = db.prepare("SELECT chain FROM ops WHERE origin = ? AND origin_seq = ? AND arrival IS NOT NULL");
    this.#saveChain = db.prepare("UPDATE ops SET chain = ? WHERE origin = ? AND origin_seq = ?");
    this.#saveHead = db.prepare("UPDATE record_vector SET head = ? WHERE origin = ?");
    this.#vector = db.prepare("SELECT origin, origin_seq FROM record_vector");
    this.#placed = db.prepare(
      "SELECT arrival, origin, origin_seq FROM ops WHERE arrival > ? ORDER BY arrival LIMIT +?",
    );
    this.#before = db.prepare(
      "SELECT arrival FROM ops WHERE arrival IS NOT NULL ORDER BY arrival DESC LIMIT 1 OFFSET ?",
    );
    this.compaction = new OpCompaction(this.#compactedLog(db));
    this.#floor = db.prepare("SELECT through, clock FROM compaction_floor");
    this.#saveFloor = db.prepare("INSERT OR REPLACE INTO compaction_floor (id, through, clock) VALUES (1, ?, ?)");
    db.transaction(() => this.#digestOlder(db))();
    this.#held = this.#readVector();
  }

  get vector(): VectorClock {
    return this.#held;
  }

  /** After a transaction was undone. */
  reread(): void {
    this.compaction.beginAgain();
    this.#held = this.#readVector();
    this.#heads.clear();
  }

  raise(origin: string, originSeq: number): void {
    if (originSeq <= counterOf(this.#held, origin)) return;
    const head = this.headAt(origin, originSeq);
    this.#raise.run(origin, originSeq, head);
    this.#heads.set(origin, { seq: originSeq, head });
    // Written in place: this clock is read once for every operation of a page and never given away.
    (this.#held as Record<string, number>)[origin] = originSeq;
  }

  insert({ op, arrival, via }: ArrivedOp): void {
    this.#insert.run(
      op.origin,
      op.originSeq,
      op.hlc,
      op.epoch,
      op.kind,
      op.entity,
      op.field,
      JSON.stringify(op.payload),
      JSON.stringify(op.clock),
      op.checksum,
      arrival,
      via,
      op.signature ?? null,
      this.#extend(op),
    );
  }

  heads(): Readonly<Record<string, string | null>> {
    return Object.fromEntries(Object.keys(this.#held).map((origin) => [origin, this.#reached(origin).head]));
  }

  headAt(origin: string, originSeq: number): string | null {
    const { seq, head } = this.#reached(origin);
    if (originSeq === seq) return head;
    return originSeq === 0 ? "" : (this.#chain.get(origin, originSeq)?.chain ?? null);
  }

  adoptHead(origin: string, originSeq: number, head: string): void {
    const reached = this.#reached(origin);
    if (reached.head !== null || reached.seq !== originSeq) return;
    this.#saveHead.run(head, origin);
    this.#saveChain.run(head, origin, originSeq);
    this.#heads.set(origin, { seq: originSeq, head });
  }

  /** The digest through `op`, where it is the next one of its origin. */
  #extend(op: Op): string | null {
    const { origin, originSeq, checksum } = op;
    const head = this.headAt(origin, originSeq - 1);
    if (head === null || isGivenUp(op)) return null;
    const chain = chainAfter(head, checksum, sha256Of);
    this.#heads.set(origin, { seq: originSeq, head: chain });
    return chain;
  }

  #reached(origin: string): Reached {
    const known = this.#heads.get(origin);
    if (known !== undefined) return known;
    const seq = counterOf(this.#held, origin);
    const reached = { seq, head: seq === 0 ? "" : (this.#head.get(origin)?.head ?? null) };
    this.#heads.set(origin, reached);
    return reached;
  }

  /** Digests what an older version has written, where the history is held from its first operation on. */
  #digestOlder(db: Database): void {
    const ofOlder = db.prepare<[], OriginRow>("SELECT origin, origin_seq FROM record_vector WHERE head IS NULL").all();
    const rows = db.prepare<[string, number], OlderRow>(
      "SELECT origin_seq, checksum, kind, entity FROM ops WHERE origin = +? AND origin_seq <= ? AND arrival IS NOT NULL ORDER BY origin_seq",
    );
    for (const { origin, origin_seq: through } of ofOlder) {
      if (this.#find.get(origin, 1) === undefined) continue;
      const held = rows.all(origin, through);
      if (held.length !== through || held.some(isGivenUp)) continue;
      let head = "";
      for (const { origin_seq, checksum } of held) {
        head = chainAfter(head, checksum, sha256Of);
        this.#saveChain.run(head, origin, origin_seq);
      }
      this.#saveHead.run(head, origin);
    }
  }

  find(origin: string, originSeq: number): ArrivedOp | null {
    const row = this.#find.get(origin, originSeq);
    return row === undefined ? null : { op: toOp(row), arrival: row.arrival, via: row.via };
  }

  withdraw(origin: string, keepThrough: number): readonly ArrivedOp[] {
    const head = this.headAt(origin, keepThrough);
    const rows = this.#ofOrigin.all(origin, keepThrough, -1);
    this.#dropAbove.run(origin, keepThrough);
    this.#setVector.run(keepThrough, origin, keepThrough);
    if (keepThrough === 0) this.#forgetOrigin.run(origin);
    else if (rows.length > 0) this.#saveHead.run(head, origin);
    const floor = this.floor();
    if (floor !== null) this.#keepFloor(lowered(floor, origin, keepThrough));
    this.reread();
    return rows.map((row) => ({ op: toOp(row), arrival: row.arrival, via: row.via }));
  }

  ofField(entity: string, field: string): readonly Op[] {
    return this.#ofField.all(entity, field).map(toOp);
  }

  arrivedAfter(asked: ArrivedQuery): readonly ArrivedOp[] {
    const { after, limit, maxBytes } = asked;
    // What was made here has no `via`, and "" stands for nobody: no text differs from it in both columns.
    const nobody = "\u0000";
    const except = asked.exceptVia || nobody;
    const vias = asked.alsoVia === null ? ([nobody, nobody] as const) : ([except, asked.alsoVia || nobody] as const);
    return firstArrived(this.#arrived.iterate(after, ...vias, except, limit), maxBytes);
  }

  /** Of one origin, after `originSeq`. `bytes` is told what each one weighs. */
  *ofOrigin(origin: string, originSeq: number, limit: number): Generator<{ readonly op: Op; readonly bytes: number }> {
    for (const row of this.#ofOrigin.iterate(origin, originSeq, limit)) yield { op: toOp(row), bytes: opBytes(row) };
  }

  last(): string {
    return this.#last.get()?.arrival ?? "";
  }

  newest(limit: number, maxBytes = Infinity): readonly ArrivedOp[] {
    return firstArrived(this.#newest.iterate(limit), maxBytes);
  }

  count(): number {
    return this.#count.get()?.count ?? 0;
  }

  coveredBy(clock: VectorClock, after: string, limit: number): string {
    let covered = after;
    for (const { arrival, origin, origin_seq } of this.#placed.iterate(after, limit)) {
      if (origin_seq > counterOf(clock, origin)) break;
      covered = arrival;
    }
    return covered;
  }

  /** See `OpCompaction`. A step that was not committed counts for nothing. */
  compact(through: string, limit: number): Compacted {
    return this.compaction.step(through, limit);
  }

  #compactedLog(db: Database): CompactedLog {
    const next = db.prepare<[string, string, number], JudgedRow>(
      `${JUDGED} WHERE arrival > ? AND arrival <= ? ORDER BY arrival LIMIT +?`,
    );
    const one = db.prepare<[string, number], JudgedRow>(
      `${JUDGED} WHERE origin = ? AND origin_seq = ? AND arrival IS NOT NULL`,
    );
    const drop = db.prepare<[string, number]>(
      "DELETE FROM ops WHERE origin = ? AND origin_seq = ? AND arrival IS NOT NULL",
    );
    return {
      next: (after, through, limit) => next.all(after, through, limit).map(toLookedAt),
      find: (origin, originSeq) => {
        const row = one.get(origin, originSeq);
        return row === undefined ? null : toLookedAt(row);
      },
      drop: (gone) => {
        for (const { origin, originSeq } of gone) drop.run(origin, originSeq);
      },
      floor: () => this.floor(),
      held: () => this.#held,
      raiseFloor: (floor) => this.raiseFloor(floor),
    };
  }

  arrivalBefore(count: number): string {
    return this.#before.get(count)?.arrival ?? "";
  }

  raiseFloor(given: CompactionFloor): void {
    this.#keepFloor(mergeFloors(this.floor(), given));
  }

  #keepFloor({ through, clock }: CompactionFloor): void {
    this.#saveFloor.run(through, JSON.stringify(clock));
  }

  floor(): CompactionFloor | null {
    const row = this.#floor.get();
    return row === undefined ? null : { through: row.through, clock: readClock(row.clock, "clock of the compaction") };
  }

  #readVector(): VectorClock {
    return toClock(this.#vector.all());
  }
}

function toClock(rows: readonly OriginRow[]): VectorClock {
  return Object.fromEntries(rows.map(({ origin, origin_seq }) => [origin, origin_seq]));
}

function toLookedAt({ origin, origin_seq, arrival, stands, waits }: JudgedRow): LookedAt {
  return { origin, originSeq: origin_seq, arrival, stands: stands !== 0, waits: waits !== 0 };
}

/** A row as the operation that it was. */
export function toOp(row: OpRow): Op {
  const where = `${row.origin}/${row.origin_seq}`;
  return {
    origin: row.origin,
    originSeq: row.origin_seq,
    hlc: row.hlc,
    epoch: row.epoch,
    kind: row.kind as OpKind,
    entity: row.entity,
    field: row.field,
    payload: readJson(row.payload, `the payload of ${where}`),
    clock: readClock(row.clock, `clock of ${where}`),
    checksum: row.checksum,
    ...(row.signature === null ? {} : { signature: row.signature }),
  };
}

/** At least one where there is one, and no more once there are `maxBytes`. */
function firstArrived(rows: Iterable<OpRow>, maxBytes: number): readonly ArrivedOp[] {
  const arrived: ArrivedOp[] = [];
  let bytes = 0;
  for (const row of rows) {
    bytes += opBytes(row);
    if (arrived.length > 0 && bytes > maxBytes) break;
    arrived.push({ op: toOp(row), arrival: row.arrival, via: row.via });
  }
  return arrived;
}

// Which operations somebody lacks, by the vector that they showed.

/** Each origin in order, at least one where there is one, no more once there are `maxBytes`. */
export function lackedBy(ops: OpTable, vector: VectorClock, limit: number, maxBytes: number): readonly Op[] {
  const lacked: Op[] = [];
  let bytes = 0;
  for (const [origin, held] of Object.entries(ops.vector)) {
    const known = counterOf(vector, origin);
    if (known >= held) continue;
    for (const found of ops.ofOrigin(origin, known, limit - lacked.length)) {
      lacked.push(found.op);
      bytes += found.bytes;
      if (lacked.length >= limit || bytes >= maxBytes) return lacked;
    }
  }
  return lacked;
}
