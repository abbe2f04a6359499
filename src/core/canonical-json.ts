/**
 * One text for one value, so that two engines can compare checksums: the JSON Canonicalization Scheme,
 * RFC 8785 (keys in UTF-16 order, ECMAScript numbers, no white space).
 * The same value gives the same text on every engine. `canonicalPieces` gives that text in pieces, so that a
 * state of many megabytes can be hashed without holding up heartbeats.
 */
import { ChangeoverError } from "./errors.ts";

/** Any JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Nesting that is still accepted: deeper input is an attack, not a programme. */
export const MAX_DEPTH = 128;

/** A piece is handed out once it has grown beyond this many characters. */
const PIECE_CHARS = 16_384;

/** The canonical text of `value`. Throws `invalid_value` for NaN, infinities, lone surrogates and too deep nesting. */
export function canonicalJson(value: Json): string {
  if (isInOrder(value)) return JSON.stringify(value);
  let text = "";
  for (const piece of canonicalPieces(value)) text += piece;
  return text;
}

/** Whether the text that JavaScript itself makes of `value` is the canonical one: nothing to refuse, no key to move. */
function isInOrder(value: Json | undefined, depth = 0): boolean {
  if (typeof value === "string") return value.isWellFormed();
  if (typeof value === "number") return Number.isFinite(value);
  if (value === null || typeof value === "boolean") return true;
  if (typeof value !== "object" || depth === MAX_DEPTH || hasOtherText(value)) return false;
  if (Array.isArray(value)) {
    for (const item of value as readonly Json[]) if (!isInOrder(item, depth + 1)) return false;
    return true;
  }
  const record = value as Readonly<Record<string, Json | undefined>>;
  let before = "";
  for (const key of Object.keys(record)) {
    if (key < before || !key.isWellFormed() || !isInOrder(record[key], depth + 1)) return false;
    before = key;
  }
  return true;
}

/** Whether JavaScript would ask `value` itself for its text, as a date. A program without types may give such a one. */
function hasOtherText(value: object): boolean {
  return typeof (value as { readonly toJSON?: unknown }).toJSON === "function";
}

/** Whether `value` is nested no deeper than `canonicalJson` can follow. */
export function isWithinDepth(value: unknown, depth = 0): boolean {
  if (value === null || typeof value !== "object") return true;
  if (depth >= MAX_DEPTH) return false;
  if (Array.isArray(value)) return value.every((item) => isWithinDepth(item, depth + 1));
  for (const name in value) {
    if (!isWithinDepth((value as Readonly<Record<string, unknown>>)[name], depth + 1)) return false;
  }
  return true;
}

/** Values that are written at one go, in one call; a piece is at most so much longer than `PIECE_CHARS`. */
const GO = 256;

/** The canonical text of `value` in pieces of some 16 k characters, in order. */
export function* canonicalPieces(value: Json): Generator<string, void, undefined> {
  const writer = new Writer();
  let piece = writer.begin(value);
  for (let inner = writer.innermost; inner !== undefined; inner = writer.innermost) {
    piece += writer.next(inner);
    if (piece.length <= PIECE_CHARS) continue;
    yield piece;
    piece = "";
  }
  if (piece !== "") yield piece;
}

/** A container that is written member by member, because it is too large to be written at one go. */
interface Container {
  readonly value: Readonly<Record<string | number, Json | undefined>>;
  /** null for an array. */
  readonly members: readonly Member[] | null;
  readonly length: number;
  /** The next item or member. */
  at: number;
  /** What stands before the next one. */
  lead: string;
}

interface Member {
  readonly key: string;
  /** The key as JSON, with its colon. */
  readonly text: string;
}

/** The keys of the last object at some depth, as they came and in order: records of a list mostly have the same. */
interface Shape {
  readonly keys: readonly string[];
  readonly members: readonly Member[];
}

/**
 * Writes small containers by recursion, which is fast, and keeps large ones on a stack of its own, so that the work can be
 * interrupted.
 */
class Writer {
  readonly #open: Container[] = [];
  readonly #shapes: (Shape | undefined)[] = [];
  /** Values that may still be written in the present go. */
  #left = 0;
  /** Values written at one go, less those of goes that were given up: large containers within large ones cost no more than their size. */
  #gain = MAX_DEPTH * GO;

  get innermost(): Container | undefined {
    return this.#open.at(-1);
  }

  /** The text of `value`; of a large container nothing yet, but it is now the innermost open one. */
  begin(value: Json | undefined): string {
    const depth = this.#open.length;
    if (value === null || typeof value !== "object") return scalar(value, depth);
    if (this.#gain > 0) {
      this.#left = GO;
      const text = this.#write(value, depth);
      this.#gain += text === null ? -GO : GO - this.#left;
      if (text !== null) return text;
    }
    requireDepth(depth);
    const members = Array.isArray(value) ? null : this.#membersOf(Object.keys(value), depth);
    const length = members === null ? (value as readonly Json[]).length : members.length;
    this.#open.push({
      value: value as Container["value"],
      members,
      length,
      at: 0,
      lead: members === null ? "[" : "{",
    });
    return "";
  }

  /** The next member of an open container, or its end. */
  next(inner: Container): string {
    const { value, members, at, lead } = inner;
    if (at === inner.length) {
      this.#open.pop();
      const isEmpty = lead !== ",";
      return (isEmpty ? lead : "") + (members === null ? "]" : "}");
    }
    inner.at += 1;
    const member = members?.[at];
    const item = value[member?.key ?? at];
    if (member !== undefined && item === undefined) return "";
    inner.lead = ",";
    return lead + (member?.text ?? "") + this.begin(item);
  }

  /** The whole text of `value`; null: it is too large for one go. */
  #write(value: Json | undefined, depth: number): string | null {
    this.#left -= 1;
    if (this.#left < 0) return null;
    if (value === null || typeof value !== "object") return scalar(value, depth);
    requireDepth(depth);
    if (!Array.isArray(value)) return this.#writeMembers(value as Container["value"], depth);
    const items = value as readonly (Json | undefined)[];
    if (items.length > this.#left) return null;
    let text = "";
    let lead = "[";
    for (let at = 0; at < items.length; at += 1) {
      const item = this.#write(items[at], depth + 1);
      if (item === null) return null;
      text += lead + item;
      lead = ",";
    }
    return lead === "[" ? "[]" : `${text}]`;
  }

  #writeMembers(value: Container["value"], depth: number): string | null {
    const keys = Object.keys(value);
    if (keys.length > this.#left) return null;
    const members = this.#membersOf(keys, depth);
    let text = "";
    let lead = "{";
    for (const { key, text: keyText } of members) {
      const item = value[key];
      if (item === undefined) continue;
      const written = this.#write(item, depth + 1);
      if (written === null) return null;
      text += lead + keyText + written;
      lead = ",";
    }
    return lead === "{" ? "{}" : `${text}}`;
  }

  #membersOf(keys: readonly string[], depth: number): readonly Member[] {
    const known = this.#shapes[depth];
    if (known !== undefined && isSameList(known.keys, keys)) return known.members;
    const members = [...keys].sort().map((key) => ({ key, text: `${textOf(key)}:` }));
    this.#shapes[depth] = { keys, members };
    return members;
  }
}

function isSameList(left: readonly string[], right: readonly string[]): boolean {
  if (left.length !== right.length) return false;
  for (let at = 0; at < left.length; at += 1) if (left[at] !== right[at]) return false;
  return true;
}

function requireDepth(depth: number): void {
  if (depth > MAX_DEPTH) throw invalid(`nested deeper than ${MAX_DEPTH}`);
}

function scalar(value: null | boolean | number | string | undefined, depth: number): string {
  requireDepth(depth);
  if (typeof value === "string") return textOf(value);
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw invalid(`the number ${value}`);
    return `${value}`;
  }
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) throw invalid(`a value of type ${typeof value}`);
  return text;
}

function textOf(value: string): string {
  if (!value.isWellFormed()) throw invalid("a string with a lone surrogate");
  return JSON.stringify(value);
}

function invalid(what: string): ChangeoverError {
  return new ChangeoverError("invalid_value", `JSON cannot hold ${what}`);
}
