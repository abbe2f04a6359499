/**
 * Purpose: JSON columns, read strictly: what is not what was written is an error, never an empty value.
 */
import type { Json } from "../../core/canonical-json.ts";
import { ChangeoverError } from "../../core/errors.ts";
import { parseClock } from "../../core/vector-clock.ts";
import type { VectorClock } from "../../core/vector-clock.ts";
import { corruptRow } from "./errors.ts";

/** Reads a JSON column. `where` names it for people. Throws `store_corrupt`. */
export function readJson(text: string, where: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (cause) {
    throw corruptRow(`${where} is not JSON`, cause);
  }
}

/** Reads a JSON column that holds an object of a known shape, written by this store. Throws `store_corrupt`. */
export function readObject<Shape extends object>(text: string, where: string): Shape {
  const value = readJson(text, where);
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw corruptRow(`${where} is no object`);
  return value as unknown as Shape;
}

/** Reads a clock column. Throws `corrupt_clock`. */
export function readClock(text: string, where: string): VectorClock {
  try {
    return parseClock(JSON.parse(text));
  } catch (cause) {
    throw new ChangeoverError("corrupt_clock", `the stored ${where} is not a vector clock`, {
      details: { where },
      cause,
    });
  }
}
