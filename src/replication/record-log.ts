/**
 * One more operation in the log, of any writer: the log, the vector, the field and its conflicts.
 * Keeps true: what stands and what is contested follows from the operations alone, so that all places that hold the same
 * operations show the same. Works inside a transaction that its caller has begun.
 */
import type { Stamps } from "../actors/stamps.ts";
import { MAX_CLOCK_ENTRIES, type VectorClock } from "../core/vector-clock.ts";
import type { RecordConflict } from "../core/command.ts";
import { ChangeoverError } from "../core/errors.ts";
import { parseHlc } from "../core/hlc.ts";
import { makeId } from "../core/ids.ts";
import { opText, type Op, contested, mergeHeads, sameEffect, type Heads } from "../core/operation.ts";
import type { Clock, Digest } from "../ports/basics.ts";
import type { OpLog, Replica } from "../ports/replica.ts";

/** What the parts of replication share. */
export interface ReplicationBasics {
  readonly replica: Replica;
  readonly stamps: Stamps;
  readonly clock: Clock;
  readonly digest: Digest;
}

/** What follows from operations, for those who keep more in the same transaction or tell others. */
export interface RecordHooks {
  /** Inside the transaction, after `op` has been kept: may write to the same store, and undoes everything by throwing. */
  appended?(op: Op, conflicts: readonly RecordConflict[]): void;
  /** After the transaction: these are durable now. `via` is who brought them, "" for what was made here. */
  committed?(ops: readonly Op[], via: string): void;
  /** After the transaction: a conflict was found or settled. */
  conflict?(conflict: RecordConflict): void;
  /** After the transaction: these came under numbers that stand for other operations here, and were not taken. */
  claimed?(ops: readonly Op[]): void;
  /** After operations were taken, or given up: what was set aside may be gone. */
  settled?(): void;
  /** Something is wrong that a person should know. */
  alarm?(
    code: "history-forked" | "op-quarantined" | "op-dead-letter" | "op-unsigned" | "number-out-of-reach",
    detail: string,
  ): void;
}

/** The checksum that an operation must have. */
export function checksumOfOp(digest: Digest, op: Omit<Op, "checksum" | "signature">): string {
  return digest.sha256Of(opText(op));
}

/** Throws `clock_cap` when `vector` has no room for one more origin. `own` always has its place. */
export function requireRoom(vector: VectorClock, origin: string, own: string): void {
  if (Object.hasOwn(vector, origin)) return;
  const entries = Object.keys(vector).length + (Object.hasOwn(vector, own) || origin === own ? 1 : 2);
  if (entries <= MAX_CLOCK_ENTRIES) return;
  throw new ChangeoverError("clock_cap", `${entries} origins, at most ${MAX_CLOCK_ENTRIES} are kept`, {
    details: { origin, entries, bound: MAX_CLOCK_ENTRIES },
  });
}

/** Through which one `origin` is held without a gap after `from`; nothing above `highest` is looked for. */
export function heldThrough(ops: OpLog, origin: string, from: number, highest: number): number {
  let through = from;
  while (through < highest && ops.find(origin, through + 1) !== null) through += 1;
  return through;
}

/** The id under which every place keeps the same conflict. */
export function conflictId(divergent: Op): string {
  return makeId("conflict", divergent.checksum.slice(0, 32));
}

export class RecordLog {
  readonly #basics: ReplicationBasics;
  readonly #hooks: RecordHooks;

  constructor(basics: ReplicationBasics, hooks: RecordHooks) {
    this.#basics = basics;
    this.#hooks = hooks;
  }

  /**
   * Takes the operations of `origin` above `keepThrough` back, with what follows for their fields and conflicts. They were
   * never part of the history that others hold, or are issued again under another origin [RP2, CK2].
   */
  withdraw(origin: string, keepThrough: number): readonly Op[] {
    const { ops, records, conflicts } = this.#basics.replica;
    const gone = ops.withdraw(origin, keepThrough).map(({ op }) => op);
    const fields = new Map(gone.filter(isEdit).map((op) => [`${op.entity}\u0000${op.field}`, op]));
    const changed = [...fields.values()].flatMap(({ entity, field }) => {
      const held = [...ops.ofField(entity, field)].filter(isEdit);
      const heads = held.reduce<Heads>(mergeHeads, []);
      records.replaceHeads({ entity, field }, heads);
      const open = contested(heads);
      const sides = [...held, ...gone.filter((op) => op.entity === entity && op.field === field)];
      return [
        ...open.map((divergent) => this.#opened(divergent, heads)),
        ...sides.filter((op) => !isAmong(open, op)).flatMap((op) => this.#takenBack(op, origin)),
      ];
    });
    const news = changed.filter((conflict) => !isKept(conflicts.find(conflict.id), conflict));
    if (news.length > 0) conflicts.save(news);
    return gone;
  }

  /** Keeps `op` and what follows from it; gives the conflicts that changed. */
  append(op: Op, via: string): readonly RecordConflict[] {
    const { replica, stamps } = this.#basics;
    replica.ops.add({ op, arrival: stamps.arrive(), via });
    const conflicts = isEdit(op) ? this.#merge(op) : [];
    this.#hooks.appended?.(op, conflicts);
    return conflicts;
  }

  #merge(op: Op): readonly RecordConflict[] {
    const { records } = this.#basics.replica;
    const before = records.heads(op.entity, op.field);
    const after = mergeHeads(before, op);
    if (after === before) return [];
    records.saveHeads(after);
    return before.length > 1 || after.length > 1 ? this.#settle(before, after, op) : [];
  }

  /** Opens what is contested now and closes what no longer is. */
  #settle(before: Heads, after: Heads, by: Op): readonly RecordConflict[] {
    const { conflicts } = this.#basics.replica;
    const open = contested(after);
    const closed = contested(before).filter((divergent) => !open.includes(divergent) && !isAmong(open, divergent));
    const changed = [
      ...open.map((divergent) => this.#opened(divergent, after)),
      ...closed.flatMap((divergent) => this.#closed(divergent, before, after, by)),
    ].filter((conflict) => !isKept(conflicts.find(conflict.id), conflict));
    if (changed.length > 0) conflicts.save(changed);
    return changed;
  }

  #opened(divergent: Op, [standing]: Heads): RecordConflict {
    const id = conflictId(divergent);
    const known = this.#basics.replica.conflicts.find(id);
    return {
      id,
      kind: "record",
      entity: divergent.entity,
      field: divergent.field,
      divergent,
      standing: standing === undefined ? [] : [standing],
      outcome: "open",
      reason: "two changes were made apart; the later one stands until a person decides",
      detectedAtUnixMs: known?.detectedAtUnixMs ?? this.#basics.clock.unixMs(),
      resolution: null,
    };
  }

  /** One side of the conflict was withdrawn, whichever it was. */
  #takenBack(divergent: Op, by: string): RecordConflict[] {
    const known = this.#basics.replica.conflicts.find(conflictId(divergent));
    if (known?.kind !== "record" || known.outcome !== "open") return [];
    const resolution = { choice: "keep", by, atUnixMs: this.#basics.clock.unixMs() } as const;
    return [
      { ...known, outcome: "resolved", reason: "its operation is issued again under another origin", resolution },
    ];
  }

  #closed(divergent: Op, before: Heads, after: Heads, by: Op): RecordConflict[] {
    const known = this.#basics.replica.conflicts.find(conflictId(divergent));
    const [stood] = before;
    const [stands] = after;
    if (known?.kind !== "record" || known.outcome !== "open" || stands === undefined) return [];
    const kept = stood !== undefined && sameEffect(stands, stood);
    const choice = sameEffect(stands, divergent) ? "reapply" : kept ? "keep" : "value";
    const resolution = { choice, by: by.origin, atUnixMs: parseHlc(by.hlc).unixMs } as const;
    return [{ ...known, outcome: "resolved", reason: "a later change was made in knowledge of both", resolution }];
  }
}

/** Whether `op` says what stands in a field. One that a newer version of this program wrote may be of a kind unknown here. */
function isEdit({ kind }: Op): boolean {
  return kind === "set" || kind === "delete";
}

function isAmong(ops: readonly Op[], op: Op): boolean {
  return ops.some(({ checksum }) => checksum === op.checksum);
}

/** Whether nothing about a conflict has changed. */
function isKept(known: ReturnType<Replica["conflicts"]["find"]>, now: RecordConflict): boolean {
  return (
    known?.kind === "record" &&
    known.outcome === now.outcome &&
    known.standing[0]?.checksum === now.standing[0]?.checksum
  );
}
