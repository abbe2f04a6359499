/**
 * Purpose: one text for one value, so that two engines can compare checksums: the JSON Canonicalization Scheme,
 * RFC 8785 (keys in UTF-16 order, ECMAScript numbers, no white space).
 * Keeps true: the same value gives the same text on every engine. `canonicalPieces` gives that text in pieces, so that a
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
  let text = "";
  for (const piece of canonicalPieces(value)) text += piece;
  return text;
}

/** The canonical text of `value` in pieces of some 16 k characters, in order. */
export function* canonicalPieces(value: Json): Generator<string, void, undefined> {
  let buffer = "";
  for (const token of tokens(value, 0)) {
    buffer += token;
    if (buffer.length > PIECE_CHARS) {
      yield buffer;
      buffer = "";
    }
  }
  if (buffer !== "") yield buffer;
}

function* tokens(value: Json, depth: number): Generator<string, void, undefined> {
  if (depth > MAX_DEPTH) throw invalid(`nested deeper than ${MAX_DEPTH}`);
  if (value === null || typeof value !== "object") {
    yield scalar(value);
    return;
  }
  if (Array.isArray(value)) {
    yield* arrayTokens(value as readonly Json[], depth);
    return;
  }
  yield* objectTokens(value as { readonly [key: string]: Json }, depth);
}

function* arrayTokens(items: readonly Json[], depth: number): Generator<string, void, undefined> {
  let lead = "[";
  for (const item of items) {
    yield lead;
    yield* tokens(item, depth + 1);
    lead = ",";
  }
  yield items.length === 0 ? "[]" : "]";
}

function* objectTokens(record: { readonly [key: string]: Json }, depth: number): Generator<string, void, undefined> {
  const keys = Object.keys(record).sort();
  let lead = "{";
  for (const key of keys) {
    const item = record[key];
    if (item === undefined) continue;
    yield `${lead}${scalar(key)}:`;
    yield* tokens(item, depth + 1);
    lead = ",";
  }
  yield lead === "{" ? "{}" : "}";
}

function scalar(value: null | boolean | number | string): string {
  if (typeof value === "number" && !Number.isFinite(value)) throw invalid(`the number ${value}`);
  if (typeof value === "string" && !value.isWellFormed()) throw invalid("a string with a lone surrogate");
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) throw invalid(`a value of type ${typeof value}`);
  return text;
}

function invalid(what: string): ChangeoverError {
  return new ChangeoverError("invalid_value", `JSON cannot hold ${what}`);
}
