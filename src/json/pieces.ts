/**
 * Writes a large value as JSON text in pieces, so that one of many megabytes does not hold up heartbeats.
 * The pieces together are what `JSON.stringify` gives; the work for one piece is bounded, single strings of
 * any length excepted.
 */
import type { Json } from "../core/canonical-json.ts";

/** Values, and sixteens of characters, that are written at one go. */
const GO = 2_048;

/** A piece is handed out once it has grown beyond this many characters. */
const PIECE_CHARS = 32_768;

/** The text of `value` in order. */
export function* jsonPieces(value: Json): Generator<string, void, undefined> {
  let piece = "";
  for (const part of parts(value)) {
    piece += part;
    if (piece.length > PIECE_CHARS) {
      yield piece;
      piece = "";
    }
  }
  if (piece !== "") yield piece;
}

function* parts(value: Json): Generator<string, void, undefined> {
  if (left(value, GO) > 0) {
    yield JSON.stringify(value);
  } else if (typeof value === "string") {
    yield JSON.stringify(value);
  } else if (Array.isArray(value)) {
    let lead = "[";
    for (const item of value as readonly Json[]) {
      yield lead;
      yield* parts(item);
      lead = ",";
    }
    yield "]";
  } else {
    let lead = "{";
    const record = value as Readonly<Record<string, Json | undefined>>;
    for (const key of Object.keys(record)) {
      const item = record[key];
      if (item === undefined) continue;
      yield `${lead}${JSON.stringify(key)}:`;
      yield* parts(item);
      lead = ",";
    }
    yield lead === "{" ? "{}" : "}";
  }
}

/** What is left of `budget` once `value` is paid for; not above 0 as soon as it is too heavy. */
function left(value: Json, budget: number): number {
  if (typeof value === "string") return budget - 1 - (value.length >> 4);
  if (value === null || typeof value !== "object") return budget - 1;
  let rest = budget - 1;
  const items = value as Readonly<Record<string, Json>>;
  for (const key of Object.keys(items)) {
    if (rest <= 0) return rest;
    rest = left(items[key] ?? null, rest);
  }
  return rest;
}
