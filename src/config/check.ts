/**
 * Fills in defaults and finds every value that the schema does not allow.
 * What `withDefaults` was given is not changed; nothing is coerced, so that a typing error stays an error.
 */
import { nearestOf } from "./nearest.ts";
import { boundOf, fits, isKeys, isSection, type Keys, kindsOf, memberFor, type Shape, wordsOf } from "./shape.ts";
import { ChangeoverError } from "../core/errors.ts";

/** A copy of `value` in which every key that is left out has its default. */
export function withDefaults(shape: Shape, value: unknown): unknown {
  if (value === undefined) return defaultOf(shape);
  if (Array.isArray(value))
    return value.map((entry: unknown) => (shape.items ? withDefaults(shape.items, entry) : entry));
  if (!isKeys(value)) return value;
  const { properties = {}, required = [] } = memberFor(shape, value) ?? {};
  const filled = { ...value };
  for (const [key, property] of Object.entries(properties)) {
    // An optional section that needs keys stays out: nobody asked for what it configures.
    if (value[key] === undefined && !required.includes(key) && needsKeys(property)) continue;
    const given = withDefaults(property, value[key]);
    if (given !== undefined) filled[key] = given;
  }
  return filled;
}

/** Whether a section cannot be made of defaults alone. */
function needsKeys({ type, default: fallback, required = [], properties = {} }: Shape): boolean {
  if (type !== "object" || fallback !== undefined) return false;
  return required.some((key) => properties[key] !== undefined && defaultOf(properties[key]) === undefined);
}

function defaultOf(shape: Shape): unknown {
  if (shape.default !== undefined) return structuredClone(shape.default);
  return shape.type === "object" ? withDefaults(shape, {}) : undefined;
}

/** Everything that is wrong in `value`; none when the schema allows it. */
export function faultsOf(shape: Shape, value: unknown, path = ""): Fault[] {
  if (isSection(shape)) return isKeys(value) ? faultsOfKeys(shape, value, path) : [notAllowed(shape, value, path)];
  if (!fits(shape, value)) return [notAllowed(shape, value, path)];
  const { items } = shape;
  if (items === undefined) return [];
  return (value as unknown[]).flatMap((entry, at) => faultsOf(items, entry, `${path}[${at}]`));
}

function faultsOfKeys(shape: Shape, value: Keys, path: string): Fault[] {
  const member = memberFor(shape, value);
  if (member === null) {
    const kinds = kindsOf(shape);
    const { kind } = value;
    const bound = `must be one of ${kinds.join(", ")}${meant(kind, kinds)}`;
    return [fault(join(path, "kind"), kind, kind === undefined ? `missing; ${bound}` : bound)];
  }
  const properties = member.properties ?? {};
  const allowed = Object.keys(properties);
  const unknown = Object.keys(value)
    .filter((key) => !Object.hasOwn(properties, key))
    // The value of an unknown key is not shown: someone may have put a secret there.
    .map((key) => fault(join(path, key), undefined, `unknown key${remedyFor(key, shape, member)}`));
  const missing = (member.required ?? [])
    .filter((key) => value[key] === undefined)
    .map((key) => fault(join(path, key), undefined, `missing; must be ${boundOf(properties[key] ?? {})}`));
  const wrong = allowed
    .filter((key) => value[key] !== undefined)
    .flatMap((key) => faultsOf(properties[key] ?? {}, value[key], join(path, key)));
  return [...unknown, ...missing, ...wrong];
}

function notAllowed(shape: Shape, value: unknown, path: string): Fault {
  const remedy = quotesRemedy(shape, value) ?? meant(value, wordsOf(shape));
  return fault(path === "" ? "configuration" : path, value, `must be ${boundOf(shape)}${remedy}`);
}

/** What to write instead of a key that its section does not have. */
function remedyFor(key: string, shape: Shape, member: Shape): string {
  if (key === "<<") return ": YAML merge keys are not read; write the keys out";
  const { kind, ...properties } = member.properties ?? {};
  const others = (shape.anyOf ?? []).filter((other) => other !== member && Object.hasOwn(other.properties ?? {}, key));
  if (others.length > 0) {
    if (kind?.const === undefined) return ` beside ${Object.keys(properties).at(-1)}; give one of the two`;
    const kinds = others.map((other) => other.properties?.["kind"]?.const).join(" and ");
    return ` with kind ${kind.const}; it belongs to kind ${kinds}`;
  }
  const known = Object.keys(member.properties ?? {});
  const near = nearestOf(key, kind === undefined ? everyKey(shape) : known);
  return near === null ? `; known here: ${known.join(", ")}` : `; did you mean ${near}?`;
}

function everyKey(shape: Shape): string[] {
  return (shape.anyOf ?? [shape]).flatMap(({ properties = {} }) => Object.keys(properties));
}

/** The word that was meant, where one of `words` is near to what stands there. */
function meant(value: unknown, words: readonly string[]): string {
  const near = typeof value === "string" ? nearestOf(value, words) : null;
  return near === null ? "" : `; did you mean ${near}?`;
}

/** YAML reads `12` as a number and `"12"` as text; null where quotes are not what is wrong. */
function quotesRemedy(shape: Shape, value: unknown): string | null {
  const isText = shape.type === "string" && shape.enum === undefined;
  if (isText && (typeof value === "number" || typeof value === "boolean")) return "; put it in quotes";
  const isNumber = shape.type === "integer" && typeof value === "string" && fits(shape, Number(value));
  return isNumber && /^\d+$/.test(value) ? "; write it without quotes" : null;
}

function join(path: string, key: string): string {
  const shown = key.length <= SHOWN_CHARS && /^[\w<][\w<.-]*$/.test(key) ? key : shownValue(JSON.stringify(key));
  return path === "" ? shown : `${path}.${shown}`;
}

// What is wrong with a configuration, said so that it can be corrected: the key, the value, the bound. A value is shown
// only where it cannot be a secret.

/** One thing that is wrong. */
export interface Fault {
  /** Path of the key, `failover.leaseMs`, or the name of an environment variable. */
  readonly key: string;
  /** What stands there, as JSON; undefined where nothing does or where it must not be shown. */
  readonly value: string | undefined;
  /** What it must be, and how to repair it. */
  readonly bound: string;
}

/** How much of a value is shown. */
const SHOWN_CHARS = 80;
/** Nobody reads more at once, and a file that is no configuration has thousands. */
const MAX_TOLD_FAULTS = 20;

/** A fault that shows the value. */
export function fault(key: string, value: unknown, bound: string): Fault {
  if (value === undefined) return { key, value: undefined, bound };
  return { key, value: shownValue(typeof value === "number" ? String(value) : JSON.stringify(value)), bound };
}

/** The text of a value as errors show it: short, and without passwords. */
export function shownValue(text: string): string {
  const shown = withoutPasswords(text).replace(/\p{Cc}/gu, "�");
  return shown.length > SHOWN_CHARS ? `${shown.slice(0, SHOWN_CHARS)}…` : shown;
}

/** Text in which the password of every URL is hidden. */
export function withoutPasswords(text: string): string {
  return text.replace(/(:\/\/[^\s:@/"]*):[^\s"]*@/g, "$1:***@");
}

/** What is wrong with an address that bears a user or a password, with where these belong; none when it bears none. */
export function accessInAddress(key: string, address: string, remedy: string): Fault[] {
  const { username, password } = new URL(address);
  if (username === "" && password === "") return [];
  // A token often stands in the place of the user, so nothing of it is shown.
  const shown = address.replace(/(:\/\/)[^/?#]*@/, "$1***@");
  return [fault(key, shown, `must have no user or password in it; ${remedy}`)];
}

/** `failover.leaseMs is 500: must be >= 600`. */
export function describeFault({ key, value, bound }: Fault): string {
  return value === undefined ? `${key}: ${bound}` : `${key} is ${value}: ${bound}`;
}

/** The error that ends a start: the faults in one message, the first also as details. */
export function invalidConfiguration(source: string, faults: readonly Fault[]): ChangeoverError {
  const [first] = faults;
  const left = faults.length - MAX_TOLD_FAULTS;
  const told = [...faults.slice(0, MAX_TOLD_FAULTS).map(describeFault), ...(left > 0 ? [`and ${left} more`] : [])].join(
    "; ",
  );
  return new ChangeoverError("invalid_configuration", `${source}: ${told}`, {
    details: { key: first?.key ?? "", value: first?.value ?? null, bound: first?.bound ?? "" },
  });
}
