/**
 * Every key of the file as an environment variable: `CHANGEOVER_` + path in upper snake case
 * (`failover.heartbeatMs`: `CHANGEOVER_FAILOVER_HEARTBEAT_MS`). Lists, and sections as a whole, are JSON text.
 * A variable that begins with `CHANGEOVER_` and that nobody knows is refused, like an unknown key of the
 * file, since it is a wish that would else be dropped in silence.
 */
import { findInexactNumber } from "../json/exact-numbers.ts";
import { parseJson as parseStrictly } from "../json/read.ts";
import { type Fault, fault } from "./check.ts";
import { nearestOf } from "./nearest.ts";
import { boundOf, isKeys, isSection, type Keys, type Shape } from "./shape.ts";

/** What `process.env` is. */
export type Environment = Readonly<Record<string, string | undefined>>;

const PREFIX = "CHANGEOVER_";

/** Variables that are no keys: what the command line reads, and where the test suites find servers. */
const NOT_KEYS = ["CHANGEOVER_URL", "CHANGEOVER_TOKEN", "CHANGEOVER_CONTROL_PLANE_SECRET", "CHANGEOVER_SERVERS_DIR"];

/** The name of the variable for a path of keys. */
export function variableFor(path: readonly string[]): string {
  return PREFIX + path.map((key) => key.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toUpperCase()).join("_");
}

interface Variable {
  readonly name: string;
  readonly path: readonly string[];
  readonly shape: Shape;
}

/** Every variable of the schema, sections before what is in them, so that the narrower one has the last word. */
export function variablesOf(shape: Shape, path: readonly string[] = []): Variable[] {
  const own = path.length === 0 ? [] : [{ name: variableFor(path), path, shape }];
  const sections = shape.anyOf ?? [shape];
  if (!isSection(shape)) return own;
  const inside = sections.flatMap((member) =>
    Object.entries(member.properties ?? {}).flatMap(([key, property]) => variablesOf(property, [...path, key])),
  );
  const byName = new Map(inside.map((variable) => [variable.name, variable]));
  return [...own, ...kindsFirst([...byName.values()])];
}

/** A `kind` begins its section again, so it comes before its sisters. */
function kindsFirst(variables: readonly Variable[]): Variable[] {
  const isKind = (variable: Variable): boolean => variable.path.at(-1) === "kind";
  return [...variables.filter(isKind), ...variables.filter((variable) => !isKind(variable))];
}

/** The file's keys with the environment laid over them. */
interface Overlaid {
  readonly keys: Keys;
  /** What is wrong with the environment. */
  readonly faults: Fault[];
  /** The variables that were laid over the file, by the path of the key. */
  readonly variables: ReadonlyMap<string, string>;
}

export function overlay(shape: Shape, keys: Keys, environment: Environment): Overlaid {
  const result = structuredClone(keys);
  const faults: Fault[] = [];
  const variables = new Map<string, string>();
  for (const variable of variablesOf(shape)) {
    const text = environment[variable.name];
    if (text === undefined) continue;
    const inexact = takesJson(variable.shape) ? findInexactNumber(text) : null;
    const read = readText(variable.shape, text);
    if (inexact !== null)
      faults.push(fault(`${variable.name}${inexact.path}`, undefined, `${inexact.text} cannot be held exactly`));
    else if (read === null)
      faults.push(fault(variable.name, undefined, `must be JSON text, no key twice, of ${boundOf(variable.shape)}`));
    else {
      put(result, variable.path, read.value);
      variables.set(variable.path.join("."), variable.name);
    }
  }
  return { keys: result, faults, variables };
}

/** Every `CHANGEOVER_*` variable that is neither a key nor in `alsoKnown` (the names that secrets are read from). */
export function unknownVariables(
  shape: Shape,
  environment: Environment,
  alsoKnown: readonly string[],
): readonly Fault[] {
  const known = [...variablesOf(shape).map(({ name }) => name), ...NOT_KEYS, ...alsoKnown];
  return Object.keys(environment)
    .filter((name) => name.startsWith(PREFIX) && !known.includes(name))
    .map((name) => {
      // What all of them begin with would make any two of them near.
      const near = nearestOf(
        name.slice(PREFIX.length),
        known.map((other) => other.slice(PREFIX.length)),
      );
      const remedy = near === null ? "unset it or correct its name" : `did you mean ${PREFIX}${near}?`;
      return fault(name, undefined, `unknown environment variable; ${remedy}`);
    });
}

/** The value that the text stands for; null when it had to be JSON and is not. What is out of bounds is found later. */
function readText(shape: Shape, text: string): { value: unknown } | null {
  if (takesJson(shape)) return parseJson(text);
  const takesNumber = shape.type === "integer" || (shape.anyOf?.some(({ type }) => type === "integer") ?? false);
  if (takesNumber && /^-?\d{1,15}$/.test(text)) return { value: Number(text) };
  if (shape.type === "boolean" && (text === "true" || text === "false")) return { value: text === "true" };
  return { value: text };
}

function takesJson(shape: Shape): boolean {
  return isSection(shape) || shape.type === "array";
}

function parseJson(text: string): { value: unknown } | null {
  try {
    return { value: parseStrictly(Buffer.from(text)) };
  } catch {
    return null;
  }
}

/** Sets `value` at `path`. A changed `kind` drops what the file said for another kind. */
function put(keys: Keys, path: readonly string[], value: unknown): void {
  const [key, ...rest] = path;
  if (key === undefined) return;
  if (rest.length === 0) {
    keys[key] = value;
    return;
  }
  const inner = keys[key];
  const beginsAnew = rest[0] === "kind" && isKeys(inner) && inner["kind"] !== value;
  const section = isKeys(inner) && !beginsAnew ? inner : {};
  keys[key] = section;
  put(section, rest, value);
}
