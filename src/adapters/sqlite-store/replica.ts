/**
 * The replica port on the store's own file and transactions.
 * It does not know commands; `SqliteStore` gives it its way to write.
 */
import type { Database, Statement } from "better-sqlite3";
import type { Conflict } from "../../core/command.ts";
import type { Hlc } from "../../core/hlc.ts";
import type {
  ArrivedOp,
  Compacted,
  OpLog,
  OutboxStore,
  PeerState,
  RecordStore,
  ConflictStore,
  Replica,
} from "../../ports/replica.ts";
import { AsideTables, type ConflictTable } from "./history-tables.ts";
import { lackedBy, OpTable } from "./op-table.ts";
import { OutboxTable } from "./outbox-table.ts";
import { RecordTable } from "./record-table.ts";

/** How the store lets others into its file. */
export interface Access {
  readonly db: Database;
  readonly conflicts: ConflictTable;
  readonly read: <Result>(work: () => Result) => Result;
  /** One transaction, or part of the one that is under way. */
  readonly write: (work: () => void) => void;
  /** Inside a transaction. */
  readonly saveConflicts: (conflicts: readonly Conflict[]) => void;
}

export class SqliteReplica implements Replica {
  readonly ops: OpLog;
  readonly records: RecordStore;
  readonly peerState: PeerState;
  readonly conflicts: ConflictStore;
  readonly outbox: OutboxStore;
  readonly #access: Access;
  readonly #opTable: OpTable;
  readonly #recordTable: RecordTable;
  readonly #hlc: Statement<[], { readonly hlc: string }>;
  readonly #raiseHlc: Statement<[string]>;
  readonly #resetHlc: Statement<[string]>;

  constructor(access: Access) {
    this.#access = access;
    const { db, conflicts } = access;
    this.#opTable = new OpTable(db);
    this.#recordTable = new RecordTable(db, this.#opTable.compaction);
    this.#hlc = db.prepare("SELECT hlc FROM state");
    this.#resetHlc = db.prepare("UPDATE state SET hlc = ?");
    this.#raiseHlc = db.prepare("UPDATE state SET hlc = max(hlc, ?)");
    this.ops = opLog(access, this.#opTable, new AsideTables(db));
    this.records = recordStore(access, this.#recordTable);
    this.peerState = peerState(access);
    this.conflicts = {
      save: (kept) => access.write(() => access.saveConflicts(kept)),
      find: (id) => access.read(() => conflicts.find(id)),
    };
    this.outbox = outboxStore(access, new OutboxTable(db));
  }

  hlc(): Hlc {
    return this.#access.read(() => this.#hlc.get()?.hlc ?? "");
  }

  raiseHlc(hlc: Hlc): void {
    this.#access.write(() => this.#raiseHlc.run(hlc));
  }

  resetHlc(hlc: Hlc): void {
    this.#access.write(() => this.#resetHlc.run(hlc));
  }

  transaction<Result>(work: () => Result): Result {
    let result: { readonly value: Result } | null = null;
    try {
      this.#access.write(() => (result = { value: work() }));
    } catch (error) {
      this.#recordTable.reread();
      if (this.#access.db.open) this.#opTable.reread();
      throw error;
    }
    return (result as unknown as { readonly value: Result }).value;
  }
}

function opLog({ read, write }: Access, ops: OpTable, aside: AsideTables): OpLog {
  return {
    vector: () => ({ ...ops.vector }),
    raiseVector: (origin, originSeq) => write(() => ops.raise(origin, originSeq)),
    heads: () => read(() => ops.heads()),
    headAt: (origin, originSeq) => read(() => ops.headAt(origin, originSeq)),
    adoptHead: (origin, originSeq, head) => write(() => ops.adoptHead(origin, originSeq, head)),
    add: (arrived) => write(() => ops.insert(arrived)),
    find: (origin, originSeq) => read(() => ops.find(origin, originSeq)),
    withdraw: (origin, keepThrough) => {
      let withdrawn: readonly ArrivedOp[] = [];
      write(() => (withdrawn = ops.withdraw(origin, keepThrough)));
      return withdrawn;
    },
    ofField: (entity, field) => read(() => ops.ofField(entity, field)),
    arrivedAfter: (after, limit, maxBytes, exceptVia = "", alsoVia = exceptVia) =>
      read(() => ops.arrivedAfter({ after, limit, maxBytes, exceptVia, alsoVia })),
    lackedBy: (vector, limit, maxBytes) => read(() => lackedBy(ops, vector, limit, maxBytes)),
    lastArrival: () => read(() => ops.last()),
    newest: (limit, maxBytes) => read(() => ops.newest(limit, maxBytes)),
    count: () => read(() => ops.count()),
    coveredBy: (clock, after, limit) => read(() => ops.coveredBy(clock, after, limit)),
    arrivalBefore: (count) => read(() => ops.arrivalBefore(count)),
    compact: (through, limit) => {
      let compacted: Compacted = { dropped: 0, looked: 0, more: false };
      try {
        write(() => (compacted = ops.compact(through, limit)));
      } catch (error) {
        ops.compaction.beginAgain();
        throw error;
      }
      return compacted;
    },
    floor: () => read(() => ops.floor()),
    raiseFloor: (floor) => write(() => ops.raiseFloor(floor)),
    setAside: (note) => write(() => aside.save(note)),
    findSetAside: (origin, originSeq) => read(() => aside.find(origin, originSeq)),
    forgetSetAside: (origin, originSeq) => write(() => aside.forget(origin, originSeq)),
    allSetAside: (limit) => read(() => aside.all(limit)),
    quarantine: (claim) => write(() => aside.claim(claim)),
    quarantined: (limit) => read(() => aside.claims(limit)),
  };
}

function recordStore({ read, write }: Access, records: RecordTable): RecordStore {
  return {
    standing: (entity, field) => read(() => records.standing(entity, field)),
    heads: (entity, field) => read(() => records.heads(entity, field)),
    saveHeads: (heads) => write(() => records.save(heads)),
    replaceHeads: (place, heads) => write(() => records.replace(place, heads)),
    list: (entity, after, limit) => read(() => records.list(entity, after, limit)),
    all: (after, limit) => read(() => records.all(after, limit)),
  };
}

function outboxStore({ read, write }: Access, outbox: OutboxTable): OutboxStore {
  return {
    add: (event, atUnixMs) => write(() => outbox.add(event, atUnixMs)),
    withdraw: (stackId, afterVersion) => write(() => outbox.withdraw(stackId, afterVersion)),
    stacksAfter: (stackId, limit) => read(() => outbox.stacksAfter(stackId, limit)),
    waiting: (stackId, bounds) => read(() => outbox.waiting(stackId, bounds)),
    find: (eventId) => read(() => outbox.find(eventId)),
    rewind: (dropStack) => write(() => outbox.rewind(dropStack)),
    published: (events, atUnixMs) => write(() => outbox.published(events, atUnixMs)),
    publishedThrough: (mark, atUnixMs) => write(() => outbox.publishedThrough(mark, atUnixMs)),
    mark: (stackId) => read(() => outbox.mark(stackId)),
    marksAfter: (stackId, limit) => read(() => outbox.marksAfter(stackId, limit)),
    noteFailure: (eventId, note) => write(() => outbox.noteFailure(eventId, note)),
    replace: (event) => write(() => outbox.replace(event)),
    drop: (eventId) => write(() => outbox.drop(eventId)),
    deadLetters: (limit) => read(() => outbox.deadLetters(limit)),
    depth: () => read(() => outbox.depth()),
    dropPublished: (beforeUnixMs, limit) => {
      let dropped = 0;
      write(() => (dropped = outbox.dropPublished(beforeUnixMs, limit)));
      return dropped;
    },
  };
}

function peerState({ db, read, write }: Access): PeerState {
  const get = db.prepare<[string], { readonly value: string }>("SELECT value FROM federation_state WHERE key = ?");
  const set = db.prepare<[string, string]>("INSERT OR REPLACE INTO federation_state (key, value) VALUES (?, ?)");
  const drop = db.prepare<[string]>("DELETE FROM federation_state WHERE key = ?");
  const prefixed = db.prepare<[string, string], { readonly key: string; readonly value: string }>(
    "SELECT key, value FROM federation_state WHERE substr(key, 1, length(?)) = +? ORDER BY key",
  );
  return {
    get: (key) => read(() => get.get(key)?.value ?? null),
    set: (key, value) => write(() => void set.run(key, value)),
    delete: (key) => write(() => void drop.run(key)),
    withPrefix: (prefix) => read(() => prefixed.all(prefix, prefix).map(({ key, value }) => [key, value] as const)),
  };
}
