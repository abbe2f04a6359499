/**
 * What all schemas share: strict objects, tolerant bodies, named shapes, problem documents. A strict body refuses a field
 * that it does not know.
 */
import { type TObject, type TProperties, type TSchema, type TUnsafe, Type } from "typebox";
import type { Json } from "../../core/canonical-json.ts";
import { nullable, oneOf, strict } from "../../core/schema.ts";
import { MAX_NAME_CHARS, MAX_REASON_CHARS } from "../limits.ts";
import { PROBLEM_MEDIA_TYPE, type ProblemCode, statusOf } from "../problem.ts";
import { OPTIONAL, TOLERANT } from "../validation.ts";

/** A body that may be left out. */
export function optionalBody<T extends TProperties>(properties: T): TObject<T> {
  return strict(properties, { [OPTIONAL]: true });
}

/**
 * A body of one of the nine coordination endpoints: other parties wrote their clients, so unknown fields are ignored and
 * `null` counts as no body. It may be left out, unless `options` says otherwise.
 */
export function tolerantBody<T extends TProperties>(
  properties: T,
  options: Readonly<Record<string, unknown>> = { [OPTIONAL]: true },
): TObject<T> {
  return Type.Object(properties, { [TOLERANT]: true, ...options });
}

/** A write that has no fields: a body may be left out, and may hold nothing. */
export const NoFields = optionalBody({});

/** Refers to a named schema by its `$id`, and says of which type of the house it is. */
export function named<T>(schema: TSchema & { readonly $id?: string }): TUnsafe<T> {
  return Type.Unsafe<T>({ $ref: `${schema.$id ?? ""}#` });
}

/** Any JSON value. */
export const AnyJson = Type.Unsafe<Json>({});

export const Count = Type.Integer({ minimum: 0 });
export const LabelSchema = oneOf("a", "b");
export const RoleSchema = oneOf("follower", "candidate", "leader");
export const HealthSchema = oneOf("ok", "degraded", "failed");
export const SyncStateSchema = oneOf("ready", "catching-up", "reconciling", "starting");
export const ClockSchema = Type.Record(Type.String(), Count, {
  description: "Vector clock: per engine, the highest contiguous number held.",
});
export const Name = Type.String({ minLength: 1, maxLength: MAX_NAME_CHARS });
export const Reason = Type.String({ maxLength: MAX_REASON_CHARS, description: "Why, for the audit." });

export const ProblemSchema = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String({ description: "A stable word for this kind of refusal." }),
    detail: Type.String(),
    error: Type.String({ description: "Repeats `detail`." }),
  },
  { $id: "Problem", additionalProperties: true, description: "RFC 9457 problem document" },
);

/** Why something does not happen yet. */
export const WAITING = {
  reasons: Type.Array(Type.String(), {
    description: "Why not, in stable words: `quarantine`, `maintenance`, and so on.",
  }),
  untilMs: nullable(Type.Number({ description: "Until when, unix ms; null: no clock brings it." })),
};

/** An answer without a body. */
export const NoContent = Type.Unsafe<undefined>({ type: "null", description: "No body" });

/** The refusals of a route as its response schemas, grouped by status. */
export function refusals(...codes: readonly ProblemCode[]): object {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of new Set(codes)) byStatus.set(statusOf(code), [...(byStatus.get(statusOf(code)) ?? []), code]);
  const content = { [PROBLEM_MEDIA_TYPE]: { schema: { $ref: "Problem#" } } };
  const told = [...byStatus].map(([status, words]): [status: number, answer: object] => [
    status,
    { description: words.map((word) => `\`${word}\``).join(", "), content },
  ]);
  return { ...Object.fromEntries(told), default: { description: "any other refusal", content } };
}

/** Refusals of every route that takes a body. */
export const BODY = ["invalid_json", "invalid_request", "payload_too_large", "unsupported_media_type"] as const;

/** Refusals of every route that needs a token. */
export const GUARDED = ["unauthorized", "forbidden"] as const;
