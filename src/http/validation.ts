/**
 * Checks requests against the TypeBox schema that also types and documents them.
 * Bodies are taken as they are; the text of queries and paths is read as the numbers that it means. Who is
 * refused is told the field, the value and the bound.
 */
import type { FastifySchemaCompiler } from "fastify";
import type { Static, TSchema } from "typebox";
import { faultFinder } from "../json/schema-check.ts";

/** Option of a schema that marks a body that may be left out: it then counts as `{}`. */
export const OPTIONAL = "x-optional";

/** Option of a schema that marks a body in which unknown fields are ignored and for which null counts as no body. */
export const TOLERANT = "x-tolerant";

/** Input that a schema does not allow. */
export class InvalidInput extends Error {
  readonly field: string;
  readonly statusCode = 400;

  constructor(field: string, message: string) {
    super(message);
    this.name = "InvalidInput";
    this.field = field;
  }
}

/** Whether the schema of a body has that mark. */
export function isOptionalBody(schema: unknown): boolean {
  return typeof schema === "object" && schema !== null && OPTIONAL in schema;
}

/** Whether the schema of a body has that mark. */
export function isTolerantBody(schema: unknown): boolean {
  return typeof schema === "object" && schema !== null && TOLERANT in schema;
}

/** A body of something else than JSON, or packed in a way that is not read here. */
export class UnsupportedMediaType extends Error {
  readonly statusCode = 415;

  constructor(message = "content-type must be application/json") {
    super(message);
  }
}

/** What is looked at, as it stands in that part of the request. */
function readPart(part: string, schema: TSchema, given: unknown): unknown {
  switch (part) {
    case "body":
      return given ?? (isOptionalBody(schema) ? {} : undefined);
    case "querystring":
    case "params":
      return withNumbers(schema, given as object);
    default:
      return given;
  }
}

/** Reads as a number what is a whole number's text where the schema wants a whole number; nothing else. */
function withNumbers(schema: TSchema, given: object): object {
  const { properties } = schema as { readonly properties?: Readonly<Record<string, { readonly type?: string }>> };
  const read = Object.entries(given).map(([key, text]: [string, unknown]) => {
    const isNumber = properties?.[key]?.type === "integer" && typeof text === "string" && /^-?\d{1,15}$/.test(text);
    return [key, isNumber ? Number(text) : text];
  });
  return Object.fromEntries(read) as object;
}

/** Fastify's way to make validators. */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart = "body" }) => {
  const check = checkerOf(schema, httpPart);
  return (given: unknown) => {
    const checked = check(readPart(httpPart, schema, given));
    return checked instanceof InvalidInput ? { error: checked } : { value: checked };
  };
};

/**
 * A function that gives back what it was given when `schema` allows it, else says what is wrong.
 *
 * @param place what the value is called in that sentence: `body`, `querystring`, `message`
 */
export function checkerOf<T extends TSchema>(schema: T, place: string): (value: unknown) => Static<T> | InvalidInput {
  const findFault = faultFinder(schema);
  return (value) => {
    const fault = findFault(value);
    if (fault === null) return value as Static<T>;
    const { field, told } = fault;
    return new InvalidInput(field, `${place === "querystring" ? "query" : place}${field}: ${told}`);
  };
}
