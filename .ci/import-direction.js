/**
 * ESLint rule: which room of the house may import which, as a table.
 * Keeps true: imports run core ← ports ← machines ← actors ← coordinator, and nothing goes back up.
 * Does not look for circles inside a room: `test/package/import-circles.test.ts` does.
 */
import { dirname, relative, resolve, sep } from "node:path";

const CORE = "src/core";
const PORTS = "src/ports";
const MACHINES = "machines";
const ACTORS = "src/actors";
const COORDINATOR = "src/coordinator";
const REPLICATION = "src/replication";
const OUTBOX = "src/outbox";
const ADAPTERS = "src/adapters";
const CONFIG = "src/config";
const HTTP = "src/http";
const VISUALISER = "src/visualiser";
const REFERENCE_ENGINE = "src/reference-engine";
const SIMULATION = "src/simulation";
const HOST = "src/host";
const JSON_TEXT = "src/json";
const CLI = "src/cli";
const TESTING = "src/testing";

const STAGE = [CORE, PORTS, MACHINES, ACTORS];

/**
 * `sees`: rooms whose values and types may be imported. `types`: rooms whose types alone may be.
 * `packages`: the only packages allowed; a room without it may import any.
 */
const ROOMS = {
  [CORE]: { sees: [], types: [], packages: ["typebox"] },
  [PORTS]: { sees: [CORE], types: [], packages: [] },
  [MACHINES]: { sees: [], types: [CORE, PORTS], packages: ["xstate"] },
  [JSON_TEXT]: { sees: [CORE], types: [PORTS] },
  [ACTORS]: { sees: [CORE, PORTS, MACHINES, JSON_TEXT], types: [], packages: ["xstate"] },
  [REPLICATION]: { sees: [...STAGE, JSON_TEXT], types: [] },
  [OUTBOX]: { sees: STAGE, types: [] },
  [COORDINATOR]: { sees: [...STAGE, REPLICATION, OUTBOX], types: [], packages: ["xstate"] },
  [ADAPTERS]: { sees: [CORE, PORTS, JSON_TEXT], types: [] },
  [CONFIG]: { sees: [CORE, PORTS, JSON_TEXT], types: [] },
  [REFERENCE_ENGINE]: { sees: [CORE, PORTS], types: [] },
  [VISUALISER]: { sees: [CORE, PORTS, MACHINES], types: [COORDINATOR] },
  [HTTP]: { sees: [CORE, PORTS, JSON_TEXT], types: [COORDINATOR, REPLICATION, OUTBOX, CONFIG, VISUALISER] },
  [TESTING]: { sees: [CORE, PORTS], types: [], packages: ["node:assert", "node:timers"] },
  [SIMULATION]: {
    sees: [...STAGE, COORDINATOR, REPLICATION, OUTBOX, ADAPTERS, REFERENCE_ENGINE],
    types: [CONFIG],
  },
  [HOST]: {
    sees: [...STAGE, REPLICATION, OUTBOX, COORDINATOR, ADAPTERS, CONFIG, REFERENCE_ENGINE, VISUALISER, HTTP],
    types: [],
  },
};

/** The composition roots see every room; nobody but them sees the command line. */
const ROOTS = [CLI, "src"];

/** The room that a file of the project stands in, or undefined outside the house (tests, examples, settings). */
function roomOf(path) {
  const [first, second, third] = path.split("/");
  if (first === "machines") return MACHINES;
  if (first !== "src") return undefined;
  return third === undefined ? "src" : `src/${second}`;
}

/** What is wrong with this import, or undefined. */
function fault(from, specifier, typeOnly, path, cwd) {
  const { sees, types, packages } = ROOMS[from] ?? { sees: [], types: [] };
  if (!specifier.startsWith(".")) {
    const name = specifier
      .split("/")
      .slice(0, specifier.startsWith("@") ? 2 : 1)
      .join("/");
    return packages === undefined || packages.includes(name)
      ? undefined
      : `${from} may not import the package "${specifier}"`;
  }
  const target = relative(cwd, resolve(dirname(path), specifier)).replaceAll(sep, "/");
  const to = roomOf(target);
  if (to === undefined) return `${from} may not import "${target}", which is outside src and machines`;
  if (to === from || sees.includes(to) || (typeOnly && types.includes(to))) return undefined;
  return types.includes(to)
    ? `${from} may import only types from ${to}: write "import type"`
    : `${from} may not import from ${to}`;
}

export const importDirection = {
  meta: {
    type: "problem",
    docs: { description: "Imports between the rooms of the project run in one direction" },
    messages: { fault: "{{fault}}" },
    schema: [],
  },
  create(context) {
    const path = context.filename;
    const from = roomOf(relative(context.cwd, path).replaceAll(sep, "/"));
    if (from === undefined || ROOTS.includes(from)) return {};
    if (ROOMS[from] === undefined) {
      return {
        Program: (node) =>
          context.report({ node, messageId: "fault", data: { fault: `${from} has no row in the import table` } }),
      };
    }
    const check = (node, source, typeOnly) => {
      if (typeof source?.value !== "string") return;
      const found = fault(from, source.value, typeOnly, path, context.cwd);
      if (found !== undefined) context.report({ node, messageId: "fault", data: { fault: found } });
    };
    return {
      ImportDeclaration: (node) => check(node, node.source, node.importKind === "type"),
      ExportNamedDeclaration: (node) => check(node, node.source, node.exportKind === "type"),
      ExportAllDeclaration: (node) => check(node, node.source, node.exportKind === "type"),
      ImportExpression: (node) => check(node, node.source, false),
      TSImportType: (node) => check(node, node.source, true),
    };
  },
};
