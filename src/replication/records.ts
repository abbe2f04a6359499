/**
 * The records of this engine: read, written here, contested ones settled, stalled origins set going again.
 * Keeps true: a write is an operation in the log before it is answered; every engine may write, leader or not.
 */
import type { Json } from "../core/canonical-json.ts";
import type { RecordConflict } from "../core/command.ts";
import type { Epoch } from "../core/epoch.ts";
import type { ResolveChoice } from "../core/outcomes.ts";
import {
  GIVEN_UP,
  MAX_NAME_CHARS,
  MAX_SHOWN_BYTES,
  MAX_VALUE_CHARS,
  isStamp,
  opFlaw,
  type Op,
  type OpKind,
  contested,
  type Heads,
} from "../core/operation.ts";
import { canonicalJson } from "../core/canonical-json.ts";
import { ChangeoverError } from "../core/errors.ts";
import { counterOf, MAX_CLOCK_ENTRIES, mergeClocks, type VectorClock } from "../core/vector-clock.ts";
import type { ArrivedOp, OpLog, SetAside, RecordPlace } from "../ports/replica.ts";
import { lookAgain } from "./cursor.ts";
import type { OwnOrigin } from "./own-origin.ts";
import { type Renewal, toldMs } from "./renewal.ts";
import {
  checksumOfOp,
  heldThrough,
  requireRoom,
  type RecordHooks,
  type RecordLog,
  type ReplicationBasics,
} from "./record-log.ts";

/** One field as it stands. */
export interface RecordView {
  readonly entity: string;
  readonly field: string;
  readonly value: Json;
  /** When and by whom it was written. */
  readonly hlc: string;
  readonly origin: string;
  readonly originSeq: number;
  /** Whether other changes stand apart from it that a person has to look at. */
  readonly contested: boolean;
}

export type WriteOutcome =
  | { readonly outcome: "written"; readonly op: Op }
  /** Its stamp would be so far ahead of the others' clocks that nobody could take it: nothing was written [CK3]. */
  | { readonly outcome: "clock-wrong"; readonly aheadMs: number; readonly detail: string }
  | { readonly outcome: "invalid"; readonly field: string; readonly detail: string };

export type RecordResolveOutcome =
  | { readonly outcome: "resolved"; readonly conflict: RecordConflict }
  | { readonly outcome: "already-resolved"; readonly conflict: RecordConflict }
  | { readonly outcome: "not-found" }
  | { readonly outcome: "clock-wrong"; readonly aheadMs: number; readonly detail: string }
  | { readonly outcome: "invalid"; readonly detail: string };

export type SkipOutcome = { readonly outcome: "skipped"; readonly op: Op } | { readonly outcome: "not-found" };

export interface RecordPage {
  readonly records: readonly RecordView[];
  readonly hasMore: boolean;
}

/** Records that are read at one go. */
const STEP = 32;

export class Records {
  readonly #basics: ReplicationBasics;
  readonly #log: RecordLog;
  readonly #hooks: RecordHooks;
  readonly #epoch: () => Epoch;
  readonly #own: OwnOrigin;
  readonly #renewal: Renewal;

  constructor(
    parts: ReplicationBasics & { readonly log: RecordLog; readonly hooks: RecordHooks; readonly epoch: () => Epoch },
    init: { readonly own: OwnOrigin; readonly renewal: Renewal },
  ) {
    this.#basics = parts;
    this.#log = parts.log;
    this.#hooks = parts.hooks;
    this.#epoch = parts.epoch;
    this.#own = init.own;
    this.#renewal = init.renewal;
  }

  /** The name under which this engine writes. */
  get origin(): string {
    return this.#own.current;
  }

  get(entity: string, field: string): RecordView | null {
    const { records } = this.#basics.replica;
    const heads = records.heads(entity, field);
    const [standing] = heads;
    return standing?.kind === "set" ? view(standing, heads) : null;
  }

  /** Fields that hold a value, by entity and field, after `after`. */
  list(entity: string | null, after: RecordPlace | null, limit: number): RecordPage {
    const { records } = this.#basics.replica;
    const shown: RecordView[] = [];
    let [place, chars] = [after, 0];
    for (;;) {
      const found = records.list(entity, place, STEP);
      for (const op of found) {
        const record = view(op, records.heads(op.entity, op.field));
        chars += JSON.stringify(record).length;
        if (shown.length === limit || (shown.length > 0 && chars > MAX_SHOWN_BYTES))
          return { records: shown, hasMore: true };
        shown.push(record);
        place = { entity: op.entity, field: op.field };
      }
      if (found.length < STEP) return { records: shown, hasMore: false };
    }
  }

  set(entity: string, field: string, value: Json): WriteOutcome {
    return this.#write("set", entity, field, value);
  }

  /** null: there is nothing to delete. */
  delete(entity: string, field: string): WriteOutcome | null {
    return this.get(entity, field) === null ? null : this.#write("delete", entity, field, null);
  }

  /** Settles one conflict by a change made in knowledge of both sides. */
  resolve(id: string, choice: ResolveChoice, by: string): RecordResolveOutcome {
    const { conflicts } = this.#basics.replica;
    const conflict = conflicts.find(id);
    if (conflict?.kind !== "record") return { outcome: "not-found" };
    if (conflict.outcome !== "open") return { outcome: "already-resolved", conflict };
    const kept = choice.choice === "keep" ? conflict.standing[0] : conflict.divergent;
    const { kind, payload } =
      choice.choice === "value" ? { kind: "set" as const, payload: choice.value } : (kept ?? conflict.divergent);
    const written = this.#write(kind, conflict.entity, conflict.field, payload, (op) => {
      const settled = conflicts.find(id);
      if (settled?.kind !== "record" || settled.resolution === null) return;
      const resolution = { ...settled.resolution, choice: choice.choice, by };
      conflicts.save([{ ...settled, reason: `settled by ${op.origin}/${op.originSeq}`, resolution }]);
    });
    if (written.outcome !== "written") return written;
    const settled = conflicts.find(id);
    return settled?.kind === "record" ? { outcome: "resolved", conflict: settled } : { outcome: "not-found" };
  }

  /** What could not be taken from others, dead letters first. */
  setAside(limit: number): readonly SetAside[] {
    return this.#basics.replica.ops.allSetAside(limit);
  }

  /** What claims the identity of another operation, newest first. */
  quarantined(limit: number): ReturnType<OpLog["quarantined"]> {
    return this.#basics.replica.ops.quarantined(limit);
  }

  /** Operations after an arrival, in their order; the newest when `after` is null. */
  log(after: string | null, limit: number): { readonly ops: readonly ArrivedOp[]; readonly hasMore: boolean } {
    const { ops } = this.#basics.replica;
    if (after === null) return { ops: [...ops.newest(limit, MAX_SHOWN_BYTES)].reverse(), hasMore: false };
    const found = ops.arrivedAfter(after, limit, MAX_SHOWN_BYTES);
    const last = found.at(-1);
    return { ops: found, hasMore: last !== undefined && last.arrival !== ops.lastArrival() };
  }

  /** Gives up what was set aside: its place is taken by an operation that changes nothing, and its origin goes on. */
  skip(origin: string, originSeq: number): SkipOutcome {
    const { replica, digest, stamps } = this.#basics;
    const { ops } = replica;
    const note = ops.findSetAside(origin, originSeq);
    if (note === null) return { outcome: "not-found" };
    if (counterOf(ops.vector(), origin) !== originSeq - 1) return { outcome: "not-found" };
    const hlc = stampInItsPlace(note.content, stamps.next());
    const made = { origin, originSeq, hlc, epoch: this.#epoch(), entity: GIVEN_UP, field: "-" };
    const unsigned = { ...made, kind: "skip" as const, payload: null, clock: { [origin]: originSeq } };
    const op = { ...unsigned, checksum: checksumOfOp(digest, unsigned) };
    replica.transaction(() => {
      this.#log.append(op, "");
      // What a snapshot brought behind it counts from now on.
      ops.raiseVector(origin, heldThrough(ops, origin, originSeq, Number.MAX_SAFE_INTEGER));
      ops.forgetSetAside(origin, originSeq);
      lookAgain(replica.peerState);
      replica.raiseHlc(stamps.last);
    });
    this.#hooks.committed?.([op], "");
    this.#hooks.settled?.();
    return { outcome: "skipped", op };
  }

  #write(kind: OpKind, entity: string, field: string, payload: Json, within?: (op: Op) => void): WriteOutcome {
    const { replica, stamps } = this.#basics;
    const refusal = refusalOf(entity, field, payload);
    if (refusal !== null) return refusal;
    const wrong = this.#clockWrong();
    if (wrong !== null) return wrong;
    let op: Op | null = null;
    const conflicts = replica.transaction(() => {
      const made = (op = this.#make(kind, entity, field, payload));
      const changed = this.#log.append(made, "");
      replica.ops.raiseVector(made.origin, made.originSeq);
      within?.(made);
      replica.raiseHlc(stamps.last);
      return changed;
    });
    const written = op as unknown as Op;
    this.#hooks.committed?.([written], "");
    for (const { id } of conflicts) {
      const now = replica.conflicts.find(id);
      if (now?.kind === "record") this.#hooks.conflict?.(now);
    }
    return { outcome: "written", op: written };
  }

  /** A write that nobody could take is refused, unless the clock is right again: then a new origin begins. */
  #clockWrong(): WriteOutcome | null {
    this.#renewal.healClock();
    const aheadMs = this.#renewal.tooFarAheadMs();
    if (aheadMs === null) return null;
    const detail = `this engine's stamps are ${toldMs(aheadMs)} ahead of the clocks of the others, which cannot take what it writes; set its clock right (NTP, PTP)`;
    return { outcome: "clock-wrong", aheadMs, detail };
  }

  #make(kind: OpKind, entity: string, field: string, payload: Json): Op {
    const { replica, stamps, digest } = this.#basics;
    const { records } = replica;
    const origin = this.#own.current;
    const vector = replica.ops.vector();
    requireRoom(vector, origin, origin);
    const originSeq = counterOf(vector, origin) + 1;
    // What heads claim to have seen of this engine itself, it knows better.
    const clock = { ...clockOver(records.heads(entity, field), origin, vector), [origin]: originSeq };
    const unsigned = {
      origin,
      originSeq,
      hlc: stamps.next(),
      epoch: this.#epoch(),
      kind,
      entity,
      field,
      payload,
      clock,
    };
    const op = { ...unsigned, checksum: checksumOfOp(digest, unsigned) };
    const flaw = opFlaw(op);
    if (flaw !== null) throw new Error(`broken invariant: an operation made here is ${flaw}`);
    return op;
  }
}

/**
 * The clock of a change made in knowledge of `heads`: it has seen all that they had seen, also what has not come here
 * yet. Else three changes could stand or fall with the order in which a place learns of them. Heads that claim to have
 * seen more origins than a clock has room for must not keep anybody from writing: then those claims are cut first.
 */
function clockOver(heads: Heads, own: string, held: VectorClock): VectorClock {
  const seen = heads.map(({ clock }) => clock).reduce(mergeClocks, { [own]: 0, ...held });
  const claimed = Object.keys(seen);
  if (claimed.length <= MAX_CLOCK_ENTRIES) return seen;
  const kept = new Set([own, ...heads.map(({ origin }) => origin), ...Object.keys(held)]);
  const origins = [...kept, ...claimed.filter((origin) => !kept.has(origin)).sort()].slice(0, MAX_CLOCK_ENTRIES);
  return Object.fromEntries(origins.map((origin) => [origin, counterOf(seen, origin)]));
}

function view({ entity, field, payload, hlc, origin, originSeq }: Op, heads: Heads): RecordView {
  return { entity, field, value: payload, hlc, origin, originSeq, contested: contested(heads).length > 0 };
}

/** Why a change cannot be written. */
function refusalOf(entity: string, field: string, payload: Json): WriteOutcome | null {
  for (const [name, given] of Object.entries({ entity, field })) {
    if (given.length >= 1 && given.length <= MAX_NAME_CHARS && given.isWellFormed()) continue;
    return { outcome: "invalid", field: name, detail: `${name} must be a text of 1 to ${MAX_NAME_CHARS} characters` };
  }
  try {
    const { length } = canonicalJson(payload);
    if (length <= MAX_VALUE_CHARS) return null;
    return {
      outcome: "invalid",
      field: "value",
      detail: `value has ${length} characters as JSON, at most ${MAX_VALUE_CHARS}`,
    };
  } catch (error) {
    if (!(error instanceof ChangeoverError)) throw error;
    return { outcome: "invalid", field: "value", detail: error.message };
  }
}

/**
 * The stamp of what takes the place of an operation: that of the operation itself, unless it is later than `now`. A clock
 * that is ahead here would otherwise make a stamp that nobody else takes [CK2].
 */
function stampInItsPlace(content: Json, now: string): string {
  const { hlc } = (content ?? {}) as { readonly hlc?: unknown };
  return isStamp(hlc) && hlc < now ? hlc : now;
}
