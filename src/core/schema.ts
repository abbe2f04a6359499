/**
 * The TypeBox pieces from which every schema of the project is built: peer messages, handshake, HTTP, configuration.
 * A schema is data. `src/json/schema-check.ts` compiles it and puts into words what is wrong with a value.
 */
import { type Static, type TObject, type TProperties, type TSchema, type TUnsafe, Type } from "typebox";
import { type Json, MAX_DEPTH, isWithinDepth } from "./canonical-json.ts";
import { type IdKind, type IdOfKind, ID_PREFIXES, MAX_ID_CHARS } from "./ids.ts";
import { MAX_NUMBER } from "./epoch.ts";
import { clockFault, type VectorClock } from "./vector-clock.ts";

/** One schema for each field of `T`, so that a forgotten or misspelt field does not compile. */
export type FieldsOf<T> = { readonly [K in keyof T]-?: TSchema };

/** An object that has no other fields. */
export function strict<T extends TProperties>(
  properties: T,
  options: Readonly<Record<string, unknown>> = {},
): TObject<T> {
  return Type.Object(properties, { additionalProperties: false, ...options });
}

/** A `strict` object of a type that is declared elsewhere. */
export function strictAs<T extends object>(fields: FieldsOf<T>): TUnsafe<T> {
  return Type.Unsafe<T>(strict(fields));
}

/** One of a closed set of words. */
export function oneOf<const T extends readonly [string, ...string[]]>(...words: T): TUnsafe<T[number]> {
  return Type.Unsafe<T[number]>({ type: "string", enum: words });
}

export function nullable<T extends TSchema>(schema: T): TUnsafe<Static<T> | null> {
  return Type.Unsafe<Static<T> | null>(Type.Union([schema, Type.Null()]));
}

export function listOf<T extends TSchema>(items: T, maxItems: number): TUnsafe<readonly Static<T>[]> {
  return Type.Unsafe<readonly Static<T>[]>(Type.Array(items, { maxItems }));
}

/** A whole number; without `maximum`, up to the bound of all numbers [EP6]. */
export function whole(minimum: number, maximum = MAX_NUMBER): TUnsafe<number> {
  return Type.Unsafe<number>(Type.Integer({ minimum, maximum }));
}

/** A time in ms or µs. */
export const instant = Type.Number({ minimum: 0 });

export function text(minLength: number, maxLength: number): TUnsafe<string> {
  return Type.Unsafe<string>(Type.String({ minLength, maxLength }));
}

/** A text of many characters: its length is compared in UTF-16 units, without looking at each. */
export function longText(maxChars: number): TUnsafe<string> {
  const isShort = (given: unknown): boolean => (given as string).length <= maxChars;
  return Type.Unsafe<string>(
    Type.Refine(Type.String(), isShort, () => `must not have more than ${maxChars} characters`),
  );
}

/** An id with the prefix of its kind, as `parseId` takes it. */
export function idOf<K extends IdKind>(kind: K): TUnsafe<IdOfKind[K]> {
  const prefix = ID_PREFIXES[kind];
  return Type.Unsafe<IdOfKind[K]>(Type.String({ pattern: `^${prefix}[^]{1,${MAX_ID_CHARS - prefix.length}}$` }));
}

/** A sha256 in hexadecimal. */
export const sha256Hex = Type.String({ pattern: "^[0-9a-f]{64}$" });

export const vectorClock = Type.Unsafe<VectorClock>(
  Type.Refine(
    Type.Unsafe<unknown>({}),
    (value) => clockFault(value) === null,
    (value) => clockFault(value) ?? "",
  ),
);

/** Any JSON that is not nested deeper than `canonicalJson` can follow. */
export const boundedJson = Type.Unsafe<Json>(
  Type.Refine(Type.Unsafe<unknown>({}), isWithinDepth, () => `must not be nested deeper than ${MAX_DEPTH}`),
);
