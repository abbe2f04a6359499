/** What holds for every machine of the catalogue: it can be walked through, it never ends stuck, and it is pure text. */
import { describe, expect, test } from "vitest";
import type { AnyStateMachine, AnyStateNode } from "xstate";
import { getShortestPaths } from "xstate/graph";
import { machines, type MachineName } from "../../machines/index.ts";
import { eventTypesOf } from "./transition-table.ts";

/** Where each machine is while all is well. */
const NORMAL: Readonly<Record<MachineName, unknown>> = {
  leadership: { role: "leader", automation: "free", trust: "trusted", stability: "steady" },
  "peer-link": "alive",
  "witness-vote": { renewing: "held" },
  handover: "idle",
  "catch-up": "ready",
  "reconcile-lock": "free",
  "split-brain": "united",
  engine: "well",
  "sync-peer": "idle",
  "outbox-pump": "idle",
};

const catalogue = Object.entries(machines) as unknown as readonly (readonly [MachineName, AnyStateMachine])[];

/** The machine with every guard letting through and without actions, so that paths show what is possible at all. */
function open(machine: AnyStateMachine): AnyStateMachine {
  const { guards, actions } = machine.implementations;
  const each = (names: object, made: () => unknown): object =>
    Object.fromEntries(Object.keys(names).map((name) => [name, made]));
  return machine.provide({ guards: each(guards, () => true), actions: each(actions, () => undefined) });
}

function pathsOf(machine: AnyStateMachine, fromState?: unknown) {
  const events = eventTypesOf(machine).map((type) => ({ type }));
  return getShortestPaths(machine, { events, ...(fromState === undefined ? {} : { fromState }) } as never);
}

function leavesOf(machine: AnyStateMachine): string[] {
  const below = (node: AnyStateNode): string[] =>
    node.type === "atomic" ? [node.id] : Object.values(node.states).flatMap(below);
  return below(machine.root);
}

describe.each(catalogue)("%s", (name, machine) => {
  const paths = pathsOf(open(machine));

  test("[I12] every state can be reached", () => {
    const reached = new Set(paths.flatMap((path) => [...leafIds(path.state)]));
    expect([...reached].sort()).toEqual(leavesOf(machine).sort());
  });

  test("[I12] no dead end: from every state there is a way back to normal", () => {
    for (const { state } of paths) {
      const values = pathsOf(open(machine), state).map((path) => path.state.value as unknown);
      expect(values, `from ${JSON.stringify(state.value)}`).toContainEqual(NORMAL[name]);
    }
  });

  test("a guard that nobody provides refuses", () => {
    const guarded = Object.entries(machine.implementations.guards);
    // One that reads the event or the context is no placeholder.
    const plain = guarded.filter(
      ([, guard]) => !("guards" in (guard as object)) && (guard as () => boolean).length === 0,
    );
    for (const [guard, check] of plain) expect((check as () => boolean)(), guard).toBe(false);
  });

  test("opens as JSON: nothing in it is a function, every action and guard goes by its name", () => {
    expect(functionsIn(machine.config)).toEqual([]);
    const text = JSON.stringify(machine.config);
    expect(JSON.parse(text)).toEqual(machine.config);
    expect(JSON.parse(JSON.stringify(machine))).toEqual(JSON.parse(JSON.stringify(machine.definition)));
    const { actions, guards } = machine.implementations;
    expect(namesIn(machine.config, "guard").filter((guard) => !(guard in guards))).toEqual([]);
    for (const key of ["entry", "exit", "actions"]) {
      expect(namesIn(machine.config, key).filter((action) => !(action in actions))).toEqual([]);
    }
  });

  test("every guard and action that it declares is used", () => {
    const { actions, guards } = machine.implementations;
    const used = ["entry", "exit", "actions"].flatMap((key) => namesIn(machine.config, key));
    expect(Object.keys(actions).filter((action) => !used.includes(action))).toEqual([]);
    const combined = Object.values(guards).flatMap((guard) => partsOf(guard));
    const asked = [...namesIn(machine.config, "guard"), ...combined];
    expect(Object.keys(guards).filter((guard) => !asked.includes(guard))).toEqual([]);
  });
});

function* leafIds(state: unknown): Iterable<string> {
  for (const node of (state as { _nodes: { type: string; id: string }[] })._nodes) {
    if (node.type === "atomic") yield node.id;
  }
}

function functionsIn(value: unknown, path = ""): string[] {
  if (typeof value === "function") return [path];
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, inner]) => functionsIn(inner, `${path}.${key}`));
}

/** Every string that stands under `key`, alone or in a list. */
function namesIn(value: unknown, key: string): string[] {
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([name, inner]: [string, unknown]) => {
    const here = name === key ? [inner].flat().filter((one): one is string => typeof one === "string") : [];
    return [...here, ...namesIn(inner, key)];
  });
}

/** The names that a combined guard is made of. */
function partsOf(guard: unknown): string[] {
  if (typeof guard === "string") return [guard];
  const { guards } = guard as { guards?: readonly unknown[] };
  return guards === undefined ? [] : guards.flatMap(partsOf);
}
