/**
 * Reads the schema as data: what kind of value stands at a key, which member of a union a value means, and how
 * its bound is said in words.
 * Only the JSON Schema words that `schema.ts` uses are understood; another one is a broken invariant.
 */
import type { TSchema } from "typebox";
import { Format } from "typebox/format";
import { Value } from "typebox/value";
import { assert, assertNever } from "../core/errors.ts";

/** A node of the schema, as far as this room looks into it. */
export interface Shape {
  readonly type?: "object" | "array" | "string" | "integer" | "boolean";
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly required?: readonly string[];
  readonly items?: Shape;
  readonly anyOf?: readonly Shape[];
  readonly enum?: readonly string[];
  readonly const?: string;
  readonly pattern?: string;
  /** `address`: host and port must be ones that can be dialled. */
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly examples?: readonly string[];
  readonly default?: unknown;
}

/** A map of keys, as YAML and JSON give it. */
export type Keys = Record<string, unknown>;

/** The schema that TypeBox built is the same JSON as this type describes. */
export function shapeOf(schema: TSchema): Shape {
  return schema;
}

export function isKeys(value: unknown): value is Keys {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether the shape is a map of keys, or one of several. */
export function isSection(shape: Shape): boolean {
  return shape.type === "object" || (shape.anyOf?.every(isSection) ?? false);
}

/** The member of a union of sections that `value` means: by its `kind`, else by the keys that it has. */
export function memberFor(shape: Shape, value: Keys): Shape | null {
  const members = shape.anyOf ?? [shape];
  const kinds = members.map((member) => member.properties?.["kind"]?.const);
  if (kinds.every((kind) => kind !== undefined)) return members[kinds.indexOf(value["kind"] as string)] ?? null;
  const fits = members.find((member) => member.required?.every((key) => key in value));
  assert(members[0] !== undefined, "a union has members");
  return fits ?? members[0];
}

/** The words that a union of sections takes for `kind`. */
export function kindsOf(shape: Shape): readonly string[] {
  return (shape.anyOf ?? []).flatMap((member) => member.properties?.["kind"]?.const ?? []);
}

/** The bound in words, as errors say it: "must be …". */
export function boundOf(shape: Shape): string {
  if (shape.anyOf !== undefined) return shape.anyOf.map(boundOf).join(" or ");
  if (shape.const !== undefined) return shape.const;
  if (shape.enum !== undefined) return `one of ${shape.enum.join(", ")}`;
  const type = shape.type ?? "object";
  switch (type) {
    case "integer":
      return `a whole number from ${shape.minimum} to ${shape.maximum}`;
    case "boolean":
      return "true or false";
    case "string": {
      const example = shape.examples?.[0];
      const like = example === undefined ? "" : ` such as "${example}"`;
      if (shape.format === "address") return `an address${like}, with a port from 1 to 65535`;
      if (shape.pattern !== undefined) return `text that matches ${shape.pattern}${like === "" ? "" : `,${like}`}`;
      return `text of ${shape.minLength ?? 0} to ${shape.maxLength} characters${like}`;
    }
    case "array":
      return `a list of ${shape.minItems ?? 0} to ${shape.maxItems ?? "any number of"} entries`;
    case "object":
      return `a section with ${Object.keys(shape.properties ?? {}).join(", ")}`;
    default:
      return assertNever(type);
  }
}

/** Whether a value that is no section stands within its bound. The entries of a list are checked one by one elsewhere. */
export function fits(shape: Shape, value: unknown): boolean {
  return Value.Check(shape.items === undefined ? shape : { ...shape, items: {} }, value);
}

/** Whether every host of an address can be dialled; `redis+sentinel://a:1,b:2/main` names several. */
function isAddress(text: string): boolean {
  const parts = /^([^:]+):\/\/((?:[^@/]*@)?)([^/?#]*)(.*)$/.exec(text);
  if (parts === null) return false;
  const [, , access = "", hosts = "", rest = ""] = parts;
  // Read as http: URL checks hosts and ports of the web's own schemes alone.
  return hosts.split(",").every((host) => {
    const url = `http://${access}${host}${rest}`;
    return URL.canParse(url) && new URL(url).port !== "0";
  });
}
Format.Set("address", isAddress);
