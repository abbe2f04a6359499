/**
 * The names under which this engine writes records. It begins with one, and takes the next (`rec_….2`) when its history was
 * lost or copied [RP2], or when its stamps were ahead of a clock that was corrected [CK2]. The first operation of the next
 * origin announces the one before it.
 */
import { type Op, sameEffect } from "../core/operation.ts";
import { counterOf, type VectorClock } from "../core/vector-clock.ts";
import type { OpLog, PeerState } from "../ports/replica.ts";

/** Set in a folder that was restored from a backup, to unix seconds: the next origin bears a number above it. */
export const RESTORED_KEY = "own:restored";
const KEY = "own:origins";
/** The entity of an announcement: the field is the origin before. */
const FOLLOWS = "origin follows";
/** The same, and what the origin before wrote beyond the announcement's clock does not stand. */
const WITHDRAWS = "origin withdrawn";

export class OwnOrigin {
  readonly #state: PeerState;
  #all: readonly string[];

  constructor(peerState: PeerState, first: string) {
    this.#state = peerState;
    this.#all = parse(peerState.get(KEY), first);
  }

  /** Under which it writes now. */
  get current(): string {
    return this.#all.at(-1) ?? "";
  }

  /** All of them, the first one first. */
  get all(): readonly string[] {
    return this.#all;
  }

  has(origin: string): boolean {
    return this.#all.includes(origin);
  }

  /**
   * The next name. Neither this engine nor the place that holds `known` has heard of it. In a restored folder it is one that
   * no other restore of the same backup can have used.
   */
  next(known: VectorClock): string {
    const base = baseOrigin(this.current);
    let number = Math.max(this.#all.length + 1, this.restoredAtSec);
    while (counterOf(known, `${base}.${number}`) > 0 || this.has(`${base}.${number}`)) number += 1;
    return `${base}.${number}`;
  }

  /** When this folder was restored, unix seconds, until an origin was begun for that; 0: it was not. */
  get restoredAtSec(): number {
    const kept = Number(this.#state.get(RESTORED_KEY) ?? 0);
    return Number.isSafeInteger(kept) && kept > 0 ? kept : 0;
  }

  /** Writes under `origin` from now on; inside a transaction. */
  begin(origin: string): void {
    this.#all = [...this.#all, origin];
    this.#state.set(KEY, JSON.stringify(this.#all));
    this.#state.delete(RESTORED_KEY);
  }

  /** After a transaction that was undone. */
  reread(): void {
    this.#all = parse(this.#state.get(KEY), this.#all[0] ?? "");
  }
}

/** The origin with which a line of them began: `rec_x` of `rec_x.3`. */
export function baseOrigin(origin: string): string {
  return origin.replace(/\.[1-9][0-9]*$/, "");
}

/**
 * Whether the writer of `op` has issued it again under a later origin, which is held here: then nothing is lost where
 * another operation takes its place [RP2]. What is issued again keeps its stamp.
 */
export function isIssuedAgain(op: Op, ops: Pick<OpLog, "ofField">): boolean {
  const { origin, entity, field, hlc } = op;
  return ops
    .ofField(entity, field)
    .some(
      (other) =>
        other.hlc === hlc &&
        baseOrigin(other.origin) === baseOrigin(origin) &&
        orderOf(other.origin) > orderOf(origin) &&
        sameEffect(other, op),
    );
}

/** Where an origin stands in its line: the first one has no number. */
function orderOf(origin: string): number {
  return Number(origin.slice(baseOrigin(origin).length + 1) || 1);
}

/** What the first operation of an origin says in its name. */
export function announcementOf(before: string, withdraws: boolean): Pick<Op, "kind" | "entity" | "field" | "payload"> {
  return { kind: "skip", entity: withdraws ? WITHDRAWS : FOLLOWS, field: before, payload: null };
}

/** The origin that `op` says to follow, and whether it withdraws what that one wrote beyond its clock; null: neither. */
export function announced({ kind, entity, field, origin }: Op): { before: string; withdraws: boolean } | null {
  if (kind !== "skip" || (entity !== FOLLOWS && entity !== WITHDRAWS)) return null;
  // Nobody speaks for another writer.
  return field !== origin && baseOrigin(field) === baseOrigin(origin)
    ? { before: field, withdraws: entity === WITHDRAWS }
    : null;
}

/** A malformed note counts as none. */
function parse(value: string | null, first: string): readonly string[] {
  try {
    const all = JSON.parse(value ?? "[]") as readonly string[];
    return Array.isArray(all) && all.length > 0 && all.every((one) => typeof one === "string") ? all : [first];
  } catch {
    return [first];
  }
}
