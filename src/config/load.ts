/**
 * From a file, the environment and the defaults to one frozen configuration, or to an error that names the
 * key, the value and the bound. The environment goes before the file, the file before the defaults.
 */
import { statSync } from "node:fs";
import {
  type Document,
  isCollection,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
  type YAMLError,
} from "yaml";
import { ChangeoverError } from "../core/errors.ts";
import { resolveFailover } from "../core/settings.ts";
import { type Fault, faultsOf, withDefaults, fault, invalidConfiguration, shownValue } from "./check.ts";
import { type Environment, overlay, unknownVariables } from "./environment.ts";
import { outboxFaults, outboxOf } from "./outbox.ts";
import { relationFaults } from "./relations.ts";
import { type ConfigInput, ConfigSchema } from "./schema.ts";
import { secretVariables } from "./secrets.ts";
import { isKeys, type Keys, shapeOf } from "./shape.ts";
import { MAX_FILE_BYTES, readSmallFile } from "./small-file.ts";
import type { Config } from "./types.ts";

/**
 * Loads and validates a configuration file (YAML or JSON).
 *
 * @param file path of the file; relative paths in it start at the working directory. null: the environment alone
 * @param environment variables that go before the file, `process.env` for a process of its own
 * @throws ChangeoverError `invalid_configuration`
 */
export function loadConfig(file: string | null, environment: Environment = {}): Config {
  if (file === null) return resolveConfig({}, environment, "environment");
  const { keys, numbers } = readKeys(file);
  return resolve(keys, environment, { source: file, numbers });
}

/**
 * Validates a configuration that is at hand as a value, as an embedding engine has it.
 *
 * @param keys what a file would say
 * @throws ChangeoverError `invalid_configuration`
 */
export function resolveConfig(keys: unknown, environment: Environment = {}, source = "configuration"): Config {
  if (!isKeys(keys)) throw invalidConfiguration(source, [fault("configuration", undefined, "must be a map of keys")]);
  return resolve(keys, environment, { source, numbers: new Map() });
}

/** Where keys come from, and which of their numbers were written in another way than they print. */
interface Origin {
  readonly source: string;
  readonly numbers: ReadonlyMap<string, WrittenNumber>;
}

interface WrittenNumber {
  readonly read: string;
  readonly written: string;
}

function resolve(keys: Keys, environment: Environment, { source, numbers }: Origin): Config {
  const shape = shapeOf(ConfigSchema);
  const overlaid = overlay(shape, keys, environment);
  const filled = withDefaults(shape, overlaid.keys);
  const refuse = (faults: readonly Fault[]): ChangeoverError =>
    invalidConfiguration(
      source,
      faults.map((found) => withVariable(asWritten(found, numbers), overlaid.variables)),
    );
  const faults = [...overlaid.faults, ...faultsOf(shape, filled)];
  if (faults.length > 0) throw refuse(faults);
  const input = filled as ConfigInput;
  const config = complete(input);
  const broken = [
    ...outboxFaults(input),
    ...relationFaults(config),
    ...unknownVariables(shape, environment, secretVariables(config)),
  ];
  if (broken.length > 0) throw refuse(broken);
  return deepFreeze(config);
}

/** A number as it stands in the file: `9007199254740993` and not `9007199254740992`. */
function asWritten(found: Fault, numbers: Origin["numbers"]): Fault {
  const number = numbers.get(found.key);
  return number !== undefined && number.read === found.value ? { ...found, value: number.written } : found;
}

/** Names the environment variable that a key was set by: in the file it would be looked for in vain. */
function withVariable(found: Fault, variables: ReadonlyMap<string, string>): Fault {
  for (
    let end = found.key.length;
    end > 0;
    end = Math.max(...[".", "["].map((mark) => found.key.lastIndexOf(mark, end - 1)))
  ) {
    const variable = variables.get(found.key.slice(0, end));
    if (variable !== undefined) return { ...found, bound: `${found.bound} (set by ${variable})` };
  }
  return found;
}

function complete(input: ConfigInput): Config {
  return {
    pair: input.pair,
    label: input.label,
    listen: { ...input.listen, tls: input.listen.tls ?? null },
    http: input.http,
    dataDir: input.dataDir ?? `./var/${input.label}`,
    peer: { links: input.peer.links, url: input.peer.url ?? null, ca: input.peer.ca ?? null },
    witness: input.witness,
    failover: resolveFailover(input.failover, input.witness.kind),
    commands: input.commands,
    engine: input.engine,
    clock: input.clock,
    auth: { tokens: input.auth.tokens, controlPlaneSecret: input.auth.controlPlaneSecret ?? null },
    changeover: input.changeover,
    replication: { ...input.replication, hub: input.replication.hub ?? null },
    outbox: outboxOf(input),
    federation: input.federation,
    log: input.log,
  };
}

function readKeys(file: string): { keys: Keys; numbers: Origin["numbers"] } {
  try {
    return parseKeys(file, readText(file));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw invalidConfiguration(file, [fault("file", undefined, TOO_DEEP)]);
  }
}

function parseKeys(file: string, text: string): { keys: Keys; numbers: Origin["numbers"] } {
  const lines = new LineCounter();
  // Keys that stand twice are found here, where their path is known. A tag such as !!set would make a value that is no
  // plain data, in which no key is found.
  const document = parseDocument(text, { uniqueKeys: false, lineCounter: lines, resolveKnownTags: false });
  const [error] = [...document.errors, ...document.warnings];
  if (error !== undefined)
    throw invalidConfiguration(file, [fault("line", error.linePos?.[0].line, whatIsWrong(error))]);
  const faults = [...repeatedKeys(document, lines), ...endlessAliases(document)];
  if (faults.length > 0) throw invalidConfiguration(file, faults);
  const keys = keysOf(document, file);
  if (keys === null) throw invalidConfiguration(file, [fault("file", undefined, EMPTY)]);
  if (!isKeys(keys)) throw invalidConfiguration(file, [fault("file", undefined, NO_KEYS)]);
  return { keys, numbers: writtenNumbers(document, text) };
}

const EMPTY = "is empty; write at least the key label, a or b";
const NO_KEYS = 'must hold a map of keys in UTF-8, for example "label: a"';
const TOO_LARGE = `has more than ${MAX_FILE_BYTES} bytes; is its path right?`;
const TOO_DEEP = "nested too deeply; a configuration has six levels at most";

function whatIsWrong(error: YAMLError): string {
  if (error.code === "MULTIPLE_DOCS") return "a second document begins here; keep one of them in the file";
  if (error.code === "TAG_RESOLVE_FAILED") return `${firstLine(error)}; tags are not read: leave it out`;
  return /call stack/.test(error.message) ? TOO_DEEP : firstLine(error);
}

/** Of a key that stands twice nobody can say which value is meant. */
function repeatedKeys(document: Document, lines: LineCounter): Fault[] {
  const faults: Fault[] = [];
  visit(document, {
    Map(_key, map, ancestors) {
      const first = new Map<string, number>();
      for (const { key } of map.items) {
        if (!isScalar(key)) continue;
        const name = String(key.value);
        const line = lines.linePos(key.range?.[0] ?? 0).line;
        const before = first.get(name);
        if (before === undefined) first.set(name, line);
        else {
          const path = pathOf([...ancestors, map] as Node[]);
          faults.push(
            fault(
              path === "" ? name : `${path}.${name}`,
              undefined,
              `stands twice, on lines ${before} and ${line}; keep one of them`,
            ),
          );
        }
      }
    },
  });
  return faults;
}

/** The keys that lead to the last of `nodes`, of which each is inside the one before. */
function pathOf(nodes: readonly Node[]): string {
  const keys = nodes.flatMap((node, at) => {
    if (isPair(node) && isScalar(node.key)) return [String(node.key.value)];
    const inside = nodes[at + 1];
    return isSeq(node) && inside !== undefined ? [`[${node.items.indexOf(inside)}]`] : [];
  });
  return keys.join(".").replaceAll(".[", "[");
}

/** Aliases of something that they stand in: it would never end. */
function endlessAliases(document: Document): Fault[] {
  const faults: Fault[] = [];
  visit(document, {
    Alias(_key, alias, ancestors) {
      const target = alias.resolve(document);
      if (target === undefined || !ancestors.includes(target)) return;
      faults.push(fault(pathOf([...ancestors, alias] as Node[]), undefined, `*${alias.source} refers to itself`));
    },
  });
  return faults;
}

/**
 * The numbers of a file that print in another way than they were written, too large for a double or as `0x10`, and the
 * lists and sections that hold one.
 */
function writtenNumbers(document: Document, text: string): Origin["numbers"] {
  const numbers = new Map<string, WrittenNumber>();
  visit(document, {
    Scalar(_key, scalar, ancestors) {
      const { value, source } = scalar;
      if (typeof value !== "number" || source === undefined || source === String(value)) return;
      const nodes = [...ancestors, scalar] as Node[];
      numbers.set(pathOf(nodes), { read: String(value), written: shownValue(source) });
      nodes.forEach((node, at) => {
        const path = pathOf(nodes.slice(0, at + 1));
        if (!isCollection(node) || numbers.has(path)) return;
        const [start, end] = node.range ?? [0, 0];
        const read = shownValue(JSON.stringify(node.toJS(document)));
        numbers.set(path, { read, written: shownValue(text.slice(start, end).trim().replace(/\s+/g, " ")) });
      });
    },
  });
  return numbers;
}

/** Aliases that unfold to more than a configuration could ever need are an attack on the memory. */
function keysOf(document: Document, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw invalidConfiguration(file, [fault("aliases", undefined, error instanceof Error ? error.message : "broken")]);
  }
}

function readText(file: string): string {
  try {
    const found = statSync(file);
    if (found.isDirectory())
      throw invalidConfiguration(file, [fault("file", undefined, "is a folder; name the file in it")]);
    if (found.size > MAX_FILE_BYTES) {
      throw invalidConfiguration(file, [fault("size", found.size, `must be at most ${MAX_FILE_BYTES} bytes`)]);
    }
    return decode(file, readSmallFile(file));
  } catch (error) {
    if (error instanceof ChangeoverError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? "unreadable";
    if (code === "EFBIG") throw invalidConfiguration(file, [fault("file", undefined, TOO_LARGE)]);
    throw invalidConfiguration(file, [fault("file", undefined, `cannot be read (${code}); is its path right?`)]);
  }
}

/** Bytes that are no UTF-8 would turn into other characters without a word. */
function decode(file: string, bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw invalidConfiguration(file, [fault("file", undefined, NO_KEYS)]);
  }
}

/** The place is said already; below it the parser draws the line. */
function firstLine(error: Error): string {
  return (error.message.split("\n")[0] ?? "").replace(/ at line \d+, column \d+:$/, "");
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}
