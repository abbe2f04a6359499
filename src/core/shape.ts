/**
 * Purpose: checks for values from outside, built from small ones: what a field must be, and within which bounds.
 * Keeps true: a check never throws and never changes the value; what is not named is refused.
 * Made for heartbeats: a value that fits costs no allocation. Only a refusal builds text.
 */
import { MAX_DEPTH } from "./canonical-json.ts";
import { isReachable, MAX_NUMBER } from "./reach.ts";
import { type IdKind, parseId } from "./ids.ts";
import { MAX_CLOCK_ENTRIES } from "./vector-clock.ts";

/** Says what is wrong with a value, `null` when nothing is: `.log.seq must be …`. */
export type Check = (value: unknown) => string | null;

/** Characters of a value that a refusal shows. */
const SHOWN_CHARS = 40;

/** A whole number from `min` to `max`; to the bound of all numbers where none is given [EP6]. */
export function whole(min: number, max: number = MAX_NUMBER): Check {
  return (value) =>
    Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max
      ? null
      : refusal(`a whole number from ${min} to ${max}`, value);
}

/** A time in ms or µs: any finite number of at least 0. */
export const instant: Check = (value) =>
  typeof value === "number" && value >= 0 && value < Number.POSITIVE_INFINITY
    ? null
    : refusal("a finite number of at least 0", value);

export const flag: Check = (value) => (typeof value === "boolean" ? null : refusal("true or false", value));

/** A text of `minChars` to `maxChars` UTF-16 units. */
export function text(minChars: number, maxChars: number): Check {
  return (value) =>
    typeof value === "string" && value.length >= minChars && value.length <= maxChars
      ? null
      : refusal(`a text of ${minChars} to ${maxChars} characters`, value);
}

/** A text of this form. */
export function matching(pattern: RegExp, form: string): Check {
  return (value) => (typeof value === "string" && pattern.test(value) ? null : refusal(form, value));
}

/** An id with the prefix of its kind. */
export function idOf(kind: IdKind): Check {
  return (value) =>
    typeof value === "string" && parseId(kind, value) !== null ? null : refusal(`an id of kind ${kind}`, value);
}

/** One of the given words. */
export function oneOf<Word extends string>(...words: readonly Word[]): Check {
  return (value) => (words.includes(value as Word) ? null : refusal(`one of ${words.join(", ")}`, value));
}

/** Exactly this value. */
export function exactly(wanted: string | number): Check {
  return (value) => (value === wanted ? null : refusal(String(wanted), value));
}

/** `null`, or what `check` lets through. */
export function nullable(check: Check): Check {
  return (value) => (value === null ? null : check(value));
}

/** At most `maxItems` items, each of which `check` lets through. */
export function listOf(check: Check, maxItems: number): Check {
  return (value) => {
    if (!Array.isArray(value) || value.length > maxItems) return refusal(`a list of at most ${maxItems} items`, value);
    for (let index = 0; index < value.length; index++) {
      const wrong = check(value[index]);
      if (wrong !== null) return `[${index}]${wrong}`;
    }
    return null;
  };
}

const OPTIONAL = new WeakSet<Check>();

/** A field that may be left out, as older versions do. */
export function optional(check: Check): Check {
  const given: Check = (value) => check(value);
  OPTIONAL.add(given);
  return given;
}

/** An object with all of these fields and no other. Given the type, a forgotten field does not compile. */
export function shape<T extends object>(fields: { readonly [K in keyof T]-?: Check }): Check {
  const checks = new Map(Object.entries<Check>(fields));
  const required = [...checks].filter(([, check]) => !OPTIONAL.has(check)).map(([name]) => name);
  return (value) => {
    if (!isRecord(value)) return refusal("an object", value);
    for (const name in value) {
      const check = checks.get(name);
      if (check === undefined) return `.${shown(name)} is not known`;
      const wrong = check(value[name]);
      if (wrong !== null) return `.${name}${wrong}`;
    }
    for (const name of required) if (!Object.hasOwn(value, name)) return `.${name} is missing`;
    return null;
  };
}

/** A vector clock: at most 256 origins, whole numbers. */
export const vectorClock: Check = (value) => {
  if (!isRecord(value)) return refusal("an object", value);
  let entries = 0;
  for (const origin in value) {
    entries++;
    if (entries > MAX_CLOCK_ENTRIES) return ` must have at most ${MAX_CLOCK_ENTRIES} entries`;
    if (origin === "" || origin.length > 128 || origin === "__proto__") return refusal("keyed by origins", origin);
    const seq = value[origin];
    if (!isReachable(seq)) return `.${shown(origin)}${refusal(`a whole number from 0 to ${MAX_NUMBER}`, seq)}`;
  }
  return null;
};

/** Any JSON that is not nested deeper than `canonicalJson` can follow. */
export const json: Check = (value) => (fits(value, 0) ? null : ` must not be nested deeper than ${MAX_DEPTH}`);

function fits(value: unknown, depth: number): boolean {
  if (value === null || typeof value !== "object") return true;
  if (depth >= MAX_DEPTH) return false;
  if (Array.isArray(value)) return value.every((item) => fits(item, depth + 1));
  for (const name in value) if (!fits((value as Record<string, unknown>)[name], depth + 1)) return false;
  return true;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function refusal(wanted: string, value: unknown): string {
  return ` must be ${wanted}, not ${shown(value)}`;
}

/** A value as a person may read it, cut short. */
function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, SHOWN_CHARS));
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (isRecord(value)) return "an object";
  return String(value);
}
