/**
 * Reads the schema as data: what kind of value stands at a key, which member of a union a value means, and how
 * its bound is said in words.
 * Only the JSON Schema words that `schema.ts` uses are understood; another one is a broken invariant.
 */
import { isIP } from "node:net";
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
  readonly format?: "address" | "host" | "line" | "argument";
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

/** The words that a value takes; none where it is something else. */
export function wordsOf(shape: Shape): readonly string[] {
  if (shape.const !== undefined) return [shape.const];
  return shape.enum ?? (shape.anyOf ?? []).flatMap(wordsOf);
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
      if (shape.format === "host") return `a name or an IP address${like}, without a port and without brackets`;
      if (shape.pattern !== undefined) return `text that matches ${shape.pattern}${like === "" ? "" : `,${like}`}`;
      const without = shape.format === "line" ? ", without control characters" : "";
      return `text of ${shape.minLength ?? 0} to ${shape.maxLength} characters${like}${without}`;
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

/** A name, or an address of the two families. What looks like an address and is none, `300.1.1.1`, is no name either. */
function isHost(text: string): boolean {
  if (isIP(text) !== 0) return true;
  const [last = "", ...before] = text.replace(/\.$/, "").split(".").reverse();
  return !/^\d*$/.test(last) && [last, ...before].every((label) => /^\w([\w-]{0,61}\w)?$/.test(label));
}

/**
 * What a string must be besides its pattern and length. `address`: host and port can be dialled. `line`: what the system
 * takes as a path or a name. `argument`: what it takes as an argument of a program.
 */
const FORMATS: Readonly<Record<NonNullable<Shape["format"]>, (text: string) => boolean>> = {
  address: isAddress,
  host: isHost,
  line: (text: string) => text.isWellFormed() && !/\p{Cc}/u.test(text),
  argument: (text: string) => text.isWellFormed() && !text.includes("\0"),
};
for (const [name, check] of Object.entries(FORMATS)) Format.Set(name, check);

/** Other validators do not know these. */
export function isOwnFormat(name: unknown): boolean {
  return typeof name === "string" && Object.hasOwn(FORMATS, name);
}
