/**
 * The names of things. Every id is branded, so that one kind cannot stand where another is meant, and carries
 * its kind as prefix, so that a person who reads a log knows what it names.
 * It does not know how ids are made (see `ports/basics.ts`).
 */

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** One engine for its whole life, kept on disk: `eng_…`. */
export type EngineId = Branded<"EngineId">;
/** One start of an engine: `inc_<start>-…`; `start` is higher than that of every earlier one. */
export type IncarnationId = Branded<"IncarnationId">;
/** One holding of the reconcile lock: `lock_…`. */
export type LockId = Branded<"LockId">;
/** One request of a person or of automation to move the role: `req_…`, or whatever its caller named it. */
export type RequestId = Branded<"RequestId">;
/** One life of an op log, so that cursors into another one are not taken for its own: `gen_…`. */
export type GenerationId = Branded<"GenerationId">;
/** One kept conflict: `cfl_…`. */
export type ConflictId = Branded<"ConflictId">;

/** The place of an engine in its pair. */
export type Label = "a" | "b";

/** The other place of the pair. */
export function otherLabel(label: Label): Label {
  return label === "a" ? "b" : "a";
}

/** What the ids of each kind begin with. */
export const ID_PREFIXES = {
  engine: "eng_",
  incarnation: "inc_",
  lock: "lock_",
  request: "req_",
  conflict: "cfl_",
  generation: "gen_",
} as const;

/** Characters of an id, prefix included. */
export const MAX_ID_CHARS = 64;

/** The kinds of id that Changeover makes itself. */
export type IdKind = keyof typeof ID_PREFIXES;

/** The brand that belongs to a kind. */
export interface IdOfKind {
  engine: EngineId;
  incarnation: IncarnationId;
  lock: LockId;
  request: RequestId;
  conflict: ConflictId;
  generation: GenerationId;
}

/** Puts the prefix of `kind` before a random or counted `body`. */
export function makeId<K extends IdKind>(kind: K, body: string): IdOfKind[K] {
  return `${ID_PREFIXES[kind]}${body}` as unknown as IdOfKind[K];
}

/** Digits of a start's number, so that no name that an older version drew by lot looks like one. */
const START_DIGITS = 15;
const START_FORM = new RegExp(`^inc_(\\d{${START_DIGITS}})-`);

/** `id` as the one of the start that is number `start`: a whole number up to `MAX_NUMBER` [EP6]. */
export function withStart(id: IncarnationId, start: number): IncarnationId {
  return makeId(
    "incarnation",
    `${String(start).padStart(START_DIGITS, "0")}-${id.slice(ID_PREFIXES.incarnation.length)}`,
  );
}

/** Whether `one` is an earlier start of its engine than `other`; false where the ids do not tell. */
export function isEarlierStart(one: IncarnationId, other: IncarnationId): boolean {
  const [left, right] = [startOf(one), startOf(other)];
  return left !== null && right !== null && left < right;
}

/** The number of a start; null: its id tells none. */
export function startOf(id: IncarnationId): number | null {
  const digits = START_FORM.exec(id)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** Takes a string from outside as an id of `kind`; `null` when its prefix is of another kind or it is longer than 64. */
export function parseId<K extends IdKind>(kind: K, text: string): IdOfKind[K] | null {
  const prefix = ID_PREFIXES[kind];
  const valid = text.startsWith(prefix) && text.length > prefix.length && text.length <= MAX_ID_CHARS;
  return valid ? (text as unknown as IdOfKind[K]) : null;
}

/** Takes the request id that a caller chose, whatever its form (1 to 128 characters are checked at the edge). */
export function callersRequestId(text: string): RequestId {
  return text as RequestId;
}
