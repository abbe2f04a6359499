/**
 * From a file, the environment and the defaults to one frozen configuration, or to an error that names the
 * key, the value and the bound. The environment goes before the file, the file before the defaults.
 */
import { readFileSync, statSync } from "node:fs";
import {
  type Document,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
  type YAMLParseError,
} from "yaml";
import { ChangeoverError } from "../core/errors.ts";
import { resolveFailover } from "../core/settings.ts";
import { type Fault, faultsOf, withDefaults, fault, invalidConfiguration } from "./check.ts";
import { type Environment, overlay, unknownVariables } from "./environment.ts";
import { outboxFaults, outboxOf } from "./outbox.ts";
import { relationFaults } from "./relations.ts";
import { type ConfigInput, ConfigSchema } from "./schema.ts";
import { secretVariables } from "./secrets.ts";
import { isKeys, type Keys, shapeOf } from "./shape.ts";
import type { Config } from "./types.ts";

/** A configuration is a page of text; a larger file is some other file. */
const MAX_FILE_BYTES = 1_048_576;

/**
 * Loads and validates a configuration file (YAML or JSON).
 *
 * @param file path of the file; relative paths in it start at the working directory. null: the environment alone
 * @param environment variables that go before the file, `process.env` for a process of its own
 * @throws ChangeoverError `invalid_configuration`
 */
export function loadConfig(file: string | null, environment: Environment = {}): Config {
  const source = file ?? "environment";
  return resolveConfig(file === null ? {} : readKeys(file), environment, source);
}

/**
 * Validates a configuration that is at hand as a value, as an embedding engine has it.
 *
 * @param keys what a file would say
 * @throws ChangeoverError `invalid_configuration`
 */
export function resolveConfig(keys: unknown, environment: Environment = {}, source = "configuration"): Config {
  const shape = shapeOf(ConfigSchema);
  if (!isKeys(keys)) throw invalidConfiguration(source, [fault("configuration", undefined, "must be a map of keys")]);
  const overlaid = overlay(shape, keys, environment);
  const filled = withDefaults(shape, overlaid.keys);
  const faults = [...overlaid.faults, ...faultsOf(shape, filled)];
  if (faults.length > 0) throw invalidConfiguration(source, faults);
  const input = filled as ConfigInput;
  const config = complete(input);
  const broken = [
    ...outboxFaults(input),
    ...relationFaults(config),
    ...unknownVariables(shape, environment, secretVariables(config)),
  ];
  if (broken.length > 0) throw invalidConfiguration(source, broken);
  return deepFreeze(config);
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

function readKeys(file: string): Keys {
  const lines = new LineCounter();
  // Keys that stand twice are found here, where their path is known.
  const document = parseDocument(readText(file), { uniqueKeys: false, lineCounter: lines });
  const [error] = document.errors;
  if (error !== undefined)
    throw invalidConfiguration(file, [fault("line", error.linePos?.[0].line, whatIsWrong(error))]);
  const repeated = repeatedKeys(document, lines);
  if (repeated.length > 0) throw invalidConfiguration(file, repeated);
  const keys = keysOf(document, file);
  if (keys === null) throw invalidConfiguration(file, [fault("file", undefined, EMPTY)]);
  if (!isKeys(keys)) throw invalidConfiguration(file, [fault("file", undefined, NO_KEYS)]);
  return keys;
}

const EMPTY = "is empty; write at least the key label, a or b";
const NO_KEYS = 'must hold a map of keys in UTF-8, for example "label: a"';

function whatIsWrong(error: YAMLParseError): string {
  return error.code === "MULTIPLE_DOCS"
    ? "a second document begins here; keep one of them in the file"
    : firstLine(error);
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
          const path = [...pathOf([...ancestors, map] as Node[]), name].join(".").replaceAll(".[", "[");
          faults.push(fault(path, undefined, `stands twice, on lines ${before} and ${line}; keep one of them`));
        }
      }
    },
  });
  return faults;
}

/** The keys that lead to the last of `nodes`, of which each is inside the one before. */
function pathOf(nodes: readonly Node[]): string[] {
  return nodes.flatMap((node, at) => {
    if (isPair(node) && isScalar(node.key)) return [String(node.key.value)];
    const inside = nodes[at + 1];
    return isSeq(node) && inside !== undefined ? [`[${node.items.indexOf(inside)}]`] : [];
  });
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
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof ChangeoverError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? "unreadable";
    throw invalidConfiguration(file, [fault("file", undefined, `cannot be read (${code}); is its path right?`)]);
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
