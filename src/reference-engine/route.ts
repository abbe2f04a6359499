/**
 * One interpreted call: its method and path, the schema of its body, and what it makes of the state.
 * A handler only ever sees a body that its schema has accepted, on the leader and on the follower alike.
 */
import Type, { type Static, type TSchema } from "typebox";
import { Check, Errors } from "typebox/value";
import type { Json } from "../core/canonical-json.ts";
import { type Call, type Method, type Outcome, type Target, refused } from "./call.ts";
import { MAX_DURATION_MS, MAX_NAME_CHARS, MAX_PAYLOAD_CHARS, MAX_PIXELS } from "./limits.ts";
import type { SwitcherState } from "./state.ts";

const SHOWN_CHARS = 64;

/** A name of something. */
export const Name = Type.String({ minLength: 1, maxLength: MAX_NAME_CHARS });
/** A length of time, ms. */
export const Duration = Type.Number({ minimum: 0, maximum: MAX_DURATION_MS });
/** A share of a whole. */
export const Unit = Type.Number({ minimum: 0, maximum: 1 });
/** A position in the picture; it may lie outside. */
export const Pixels = Type.Number({ minimum: -MAX_PIXELS, maximum: MAX_PIXELS });
/** A width or height. */
export const Extent = Type.Number({ minimum: 0, maximum: MAX_PIXELS });
/** The body of a call that needs none. */
export const NoBody = Type.Object({});

/** One interpreted call, its body's type forgotten. */
export interface Route {
  /** Characters of its payload's canonical text. */
  readonly maxPayloadChars: number;
  /** The path's variables when the target is of this route, else `null`. */
  match(target: Target): readonly string[] | null;
  /** What is wrong with the payload, or `null`. */
  check(payload: Json): string | null;
  apply(state: SwitcherState, call: Call<Json>): Outcome;
}

/** What a schema cannot say: a further judgement of the body, and a bound of its own for the payload's size. */
interface RouteExtras<Body> {
  judge?: (body: Body) => string | null;
  maxPayloadChars?: number;
}

/** Makes a route. `pattern` is a path in which `:name` stands for any one segment. */
export function route<Body extends TSchema>(
  method: Method,
  pattern: string,
  schema: Body,
  handler: (state: SwitcherState, call: Call<Static<Body>>) => Outcome,
  extras: RouteExtras<Static<Body>> = {},
): Route {
  const parts = pattern.split("/").slice(1);
  const check = (payload: Json): string | null => {
    const body = payload ?? {};
    return problemIn(schema, body) ?? extras.judge?.(body as Static<Body>) ?? null;
  };
  return {
    maxPayloadChars: extras.maxPayloadChars ?? MAX_PAYLOAD_CHARS,
    match: (target) => (target.method === method ? matchParts(parts, target.segments) : null),
    check,
    apply: (state, call) => {
      const problem = check(call.payload);
      if (problem !== null) return refused(problem);
      return handler(state, { ...call, body: (call.payload ?? {}) as Static<Body> });
    },
  };
}

function matchParts(parts: readonly string[], segments: readonly string[]): readonly string[] | null {
  if (parts.length !== segments.length) return null;
  const params: string[] = [];
  for (const [index, part] of parts.entries()) {
    const segment = segments[index] ?? "";
    if (!part.startsWith(":")) {
      if (part !== segment) return null;
    } else if (segment === "" || segment.length > MAX_NAME_CHARS) {
      return null;
    } else {
      params.push(segment);
    }
  }
  return params;
}

/** The first thing in `value` that `schema` refuses, as field, value and bound; `null` when there is none. */
export function problemIn(schema: TSchema, value: Json, field = "payload"): string | null {
  if (Check(schema, value)) return null;
  const error = Errors(schema, value)[0];
  if (error === undefined) return `${field}: not of the expected shape`;
  const path = error.instancePath.replaceAll("/", ".");
  return `${field}${path}: ${shown(lookUp(value, error.instancePath))} ${error.message}`;
}

function lookUp(value: Json, pointer: string): Json | undefined {
  let found: unknown = value;
  for (const part of pointer.split("/").slice(1)) {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, key)) return undefined;
    found = (found as Readonly<Record<string, unknown>>)[key];
  }
  return found as Json;
}

function shown(value: Json | undefined): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length <= SHOWN_CHARS ? text : `${text.slice(0, SHOWN_CHARS)}…`;
}
