/**
 * The one way in which values from outside are checked: a compiled TypeBox schema decides, and a refusal names the field,
 * the value and the bound. Peer messages, HTTP requests, answers of other places and configurations use it.
 * A value that fits costs no allocation. Nothing here changes the value or throws.
 */
import type { Static, TSchema } from "typebox";
import { Compile } from "typebox/compile";
import { Value } from "typebox/value";
import { isWithinDepth } from "../core/canonical-json.ts";

/** How much of a wrong value is shown. */
const SHOWN_CHARS = 80;

/** What is wrong with a value. */
export interface SchemaFault {
  /** JSON pointer of the field; "" is the value itself. */
  readonly field: string;
  /** `is 0, must be >= 1`. */
  readonly told: string;
  /** The part of the schema that the value does not fit. */
  readonly schema: TSchema;
}

/** What is wrong with a value by `schema`; null: nothing. */
export function faultFinder(schema: TSchema): (value: unknown) => SchemaFault | null {
  const compiled = Compile(schema);
  return (value) => (compiled.Check(value) ? null : explain(compiled.Errors(value), value, schema));
}

/** Whether a value fits `schema`, for a caller that says in its own words what is wrong. */
export function guardOf<T extends TSchema>(schema: T): (value: unknown) => value is Static<T> {
  const compiled = Compile(schema);
  return (value): value is Static<T> => compiled.Check(value);
}

/** What TypeBox and JSON Schema say of one fault. */
interface TypeBoxError {
  readonly keyword: string;
  readonly instancePath: string;
  readonly schemaPath: string;
  readonly params: object;
  readonly message: string;
}

/** The fault that helps most: a field too many, a field too few, then the first wrong value. */
function explain(errors: readonly TypeBoxError[], value: unknown, whole: TSchema): SchemaFault {
  const schemaAt = ({ schemaPath }: TypeBoxError): TSchema =>
    (schemaPath === "#" ? whole : (Value.Pointer.Get(whole, schemaPath.slice(1)) as TSchema | undefined)) ?? whole;
  const unknown = errors.find(({ keyword }) => keyword === "additionalProperties");
  if (unknown !== undefined) {
    const { additionalProperties } = unknown.params as { additionalProperties: readonly string[] };
    const field = (additionalProperties[0] ?? "").slice(0, SHOWN_CHARS);
    return { field: `${unknown.instancePath}/${field}`, told: "is an unknown field", schema: schemaAt(unknown) };
  }
  const missing = errors.find(({ keyword }) => keyword === "required");
  if (missing !== undefined) {
    const { requiredProperties } = missing.params as { requiredProperties: readonly string[] };
    const field = `${missing.instancePath}/${requiredProperties[0] ?? ""}`;
    return { field, told: "is missing", schema: schemaAt(missing) };
  }
  const [first] = errors;
  if (first === undefined) return { field: "", told: "is not allowed", schema: whole };
  const field = first.instancePath;
  return { field, told: `is ${shown(value, field)}, ${boundOf(first)}`, schema: schemaAt(first) };
}

function boundOf({ keyword, params, message }: TypeBoxError): string {
  if (keyword === "const") return `must be ${JSON.stringify((params as { allowedValue: unknown }).allowedValue)}`;
  if (keyword !== "enum") return message;
  const { allowedValues } = params as { allowedValues: readonly unknown[] };
  return `must be one of ${allowedValues.map((allowed) => JSON.stringify(allowed)).join(", ")}`;
}

function shown(value: unknown, path: string): string {
  const at = path === "" ? value : Value.Pointer.Get(value, path);
  if (!isWithinDepth(at)) return "too deep";
  const text = at === undefined ? "missing" : (JSON.stringify(at) ?? "not JSON");
  return text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS)}…` : text;
}
