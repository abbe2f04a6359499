/**
 * Fills in defaults and finds every value that the schema does not allow.
 * What `withDefaults` was given is not changed; nothing is coerced, so that a typing error stays an error.
 */
import { boundOf, fits, isKeys, isSection, type Keys, kindsOf, memberFor, type Shape } from "./shape.ts";
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
  if (member === null) return [fault(join(path, "kind"), value["kind"], `must be one of ${kindsOf(shape).join(", ")}`)];
  const properties = member.properties ?? {};
  const allowed = Object.keys(properties);
  const unknown = Object.keys(value)
    .filter((key) => !Object.hasOwn(properties, key))
    // The value of an unknown key is not shown: someone may have put a secret there.
    .map((key) => fault(join(path, key), undefined, `unknown key; known here: ${allowed.join(", ")}`));
  const missing = (member.required ?? [])
    .filter((key) => value[key] === undefined)
    .map((key) => fault(join(path, key), undefined, `missing; must be ${boundOf(properties[key] ?? {})}`));
  const wrong = allowed
    .filter((key) => value[key] !== undefined)
    .flatMap((key) => faultsOf(properties[key] ?? {}, value[key], join(path, key)));
  return [...unknown, ...missing, ...wrong];
}

function notAllowed(shape: Shape, value: unknown, path: string): Fault {
  return fault(path === "" ? "configuration" : path, value, `must be ${boundOf(shape)}`);
}

function join(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
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

/** A fault that shows the value. */
export function fault(key: string, value: unknown, bound: string): Fault {
  if (value === undefined) return { key, value: undefined, bound };
  const shown = withoutPasswords(typeof value === "number" ? String(value) : JSON.stringify(value));
  return { key, value: shown.length > SHOWN_CHARS ? `${shown.slice(0, SHOWN_CHARS)}…` : shown, bound };
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

/** The error that ends a start: every fault in one message, the first also as details. */
export function invalidConfiguration(source: string, faults: readonly Fault[]): ChangeoverError {
  const [first] = faults;
  const told = faults.map(describeFault).join("; ");
  return new ChangeoverError("invalid_configuration", `${source}: ${told}`, {
    details: { key: first?.key ?? "", value: first?.value ?? null, bound: first?.bound ?? "" },
  });
}
