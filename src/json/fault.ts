/**
 * What is wrong with a JSON text, and the checks that `JSON.parse` does not make.
 */
import type { Json } from "../core/canonical-json.ts";

/**
 * Who wrote a text. A `stranger` may not use the key `__proto__`, which a careless program takes for more than a name. The
 * state of an `engine` may have any name in it, and stands within the levels of what carries it.
 */
export type Source = "stranger" | "engine";

/** The text is not JSON, or holds what Changeover does not accept. */
export class JsonFault extends Error {
  readonly statusCode = 400;

  constructor(what: string, atByte?: number) {
    super(atByte === undefined ? `body: ${what}` : `body: ${what} at byte ${atByte}`);
    this.name = "JsonFault";
  }
}

/** `JSON.parse`, with a `JsonFault` that does not repeat the text, which may hold a secret. */
export function parseText(text: string, atByte: number): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw new JsonFault("not JSON in or after the element", atByte);
  }
}

/**
 * Throws when `value` holds what two engines could read differently, or fewer members than its text had, which means
 * that a key was repeated.
 */
export function checkHeld(value: Json, membersInText: number, source: Source): void {
  if (countMembers(value, source) !== membersInText) throw new JsonFault("an object repeats a key");
}

function countMembers(value: Json, source: Source): number {
  if (typeof value === "string") return checkText(value);
  if (typeof value === "number" && !Number.isFinite(value)) throw new JsonFault("a number beyond a double");
  if (value === null || typeof value !== "object") return 0;
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value as readonly Json[]) count += countMembers(item, source);
    return count;
  }
  const record = value as Readonly<Record<string, Json>>;
  for (const key of Object.keys(record)) {
    if (key === "__proto__" && source === "stranger") throw new JsonFault("the key __proto__ is not accepted");
    checkText(key);
    count += 1 + countMembers(record[key] as Json, source);
  }
  return count;
}

function checkText(text: string): number {
  if (!text.isWellFormed()) throw new JsonFault("a string with a lone surrogate");
  return 0;
}
