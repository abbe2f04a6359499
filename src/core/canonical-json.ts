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

/** The canonical text of `value` in pieces of some 16 k characters, in order. */
export function* canonicalPieces(value: Json): Generator<string, void, undefined> {
  const open: Container[] = [];
  let piece = begin(value, open);
  for (let inner = open.at(-1); inner !== undefined; inner = open.at(-1)) {
    piece += inner.keys === null ? nextItem(inner, open) : nextMember(inner, inner.keys, open);
    if (piece.length <= PIECE_CHARS) continue;
    yield piece;
    piece = "";
  }
  if (piece !== "") yield piece;
}

/**
 * A container that is being written. They stand on a stack of their own: a generator for each nested value would take
 * most of the time.
 */
interface Container {
  readonly value: Readonly<Record<string | number, Json | undefined>>;
  /** In order; null for an array. */
  readonly keys: readonly string[] | null;
  readonly length: number;
  /** The next item or key. */
  at: number;
  /** What stands before the next one. */
  lead: string;
}

/** The text of a scalar; for a container nothing yet, but it is now the innermost open one. */
function begin(value: Json | undefined, open: Container[]): string {
  if (open.length > MAX_DEPTH) throw invalid(`nested deeper than ${MAX_DEPTH}`);
  if (value === null || typeof value !== "object") return scalar(value);
  const keys = Array.isArray(value) ? null : Object.keys(value).sort();
  const length = keys === null ? (value as readonly Json[]).length : keys.length;
  open.push({ value: value as Container["value"], keys, length, at: 0, lead: keys === null ? "[" : "{" });
  return "";
}

function nextItem(array: Container, open: Container[]): string {
  const { at, lead } = array;
  if (at === array.length) {
    open.pop();
    return lead === "[" ? "[]" : "]";
  }
  array.at += 1;
  array.lead = ",";
  return lead + begin(array.value[at], open);
}

function nextMember(record: Container, keys: readonly string[], open: Container[]): string {
  const { at, lead } = record;
  const key = keys[at];
  if (key === undefined) {
    open.pop();
    return lead === "{" ? "{}" : "}";
  }
  record.at += 1;
  const item = record.value[key];
  if (item === undefined) return "";
  record.lead = ",";
  return `${lead}${scalar(key)}:${begin(item, open)}`;
}

function scalar(value: null | boolean | number | string | undefined): string {
  if (typeof value === "number" && !Number.isFinite(value)) throw invalid(`the number ${value}`);
  if (typeof value === "string" && !value.isWellFormed()) throw invalid("a string with a lone surrogate");
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) throw invalid(`a value of type ${typeof value}`);
  return text;
}

function invalid(what: string): ChangeoverError {
  return new ChangeoverError("invalid_value", `JSON cannot hold ${what}`);
}
