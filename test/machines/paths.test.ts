/** What holds for every machine of the catalogue: it can be walked through, it never ends stuck, and it is pure text. */
import { describe, expect, test } from "vitest";
import { createActor, type AnyStateMachine, type AnyStateNode } from "xstate";
import { getShortestPaths } from "xstate/graph";
import { machines, type MachineName } from "../../machines/index.ts";
import { eventTypesOf } from "./transition-table.ts";

/** Where each machine is while all is well. */
const NORMAL: Readonly<Record<MachineName, unknown>> = {
  pair: "running",
  leadership: { leader: "confirmed" },
  campaign: "won",
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

/** Where a machine ends for good, on purpose. */
const ENDS: Partial<Record<MachineName, readonly string[]>> = {
  pair: ["stopping", "failed", "stopped"],
  leadership: ["retired"],
  campaign: ["won", "lost"],
};

const STEP_DONE = "xstate.done.actor.*";
const CAMPAIGN = { ground: { kind: "silence" }, epoch: 7, asksPeer: false };
const FINDINGS = ["go-on", "swap", "outlast", "won", "lost"];

/** What the events carry of which a machine decides by itself. */
const PAYLOADS: Partial<Record<MachineName, Readonly<Record<string, readonly object[]>>>> = {
  leadership: {
    VERDICT: [
      { verdict: { go: true, campaign: CAMPAIGN } },
      ...["maintenance", "quarantine", "hold-down", "behind", "peer-leads"].map((why) => ({
        verdict: { go: false, waits: [{ why, untilMs: 1 }] },
        atMs: 0,
      })),
    ],
    CALLED: [{ campaign: CAMPAIGN }],
    "xstate.done.actor.campaign": ["won", "lost"].map((outcome) => ({ output: { outcome, epoch: 7, origin: null } })),
  },
  "catch-up": {
    PLANNED: ["nothing", "log", "snapshot", "reconcile"].map((by) => ({ by })),
    FLAWED: [{ flaw: "a clock above its content" }],
    FAILED: [{ counts: true, most: 1 }, { counts: false }],
  },
  campaign: { [STEP_DONE]: FINDINGS.map((outcome) => ({ output: { outcome } })) },
};

const catalogue = Object.entries(machines) as unknown as readonly (readonly [MachineName, AnyStateMachine])[];

/** Events are told once as they are and once with this, which every guard that the actor provides refuses. */
const REFUSED = "refused";

/**
 * The machine without actions and with every guard letting through, so that paths show what is possible at all. One that
 * decides by itself from what its events carry keeps its own guards and notes; those that its actor provides answer as the
 * event says.
 */
function open(name: MachineName, machine: AnyStateMachine): AnyStateMachine {
  if (!(name in PAYLOADS)) {
    const { guards, actions } = machine.implementations;
    const each = (names: object, made: () => unknown): object =>
      Object.fromEntries(Object.keys(names).map((each) => [each, made]));
    return machine.provide({ guards: each(guards, () => true), actions: each(actions, () => undefined) });
  }
  const provided = Object.entries(machine.implementations.guards).filter(([, guard]) => isProvided(guard));
  const answer = ({ event }: { event: object }): boolean => !(REFUSED in event);
  return machine.provide({ guards: Object.fromEntries(provided.map(([name]) => [name, answer])) });
}

/** A guard that looks at nothing stands for one that the actor provides. */
function isProvided(guard: unknown): guard is () => boolean {
  return typeof guard === "function" && guard.length === 0 && !("guards" in guard);
}

function pathsOf(name: MachineName, machine: AnyStateMachine, fromState?: unknown) {
  const plain = eventTypesOf(machine).map((type) => ({ type }));
  const told = plain.flatMap(({ type }) => payloadsOf(name, type).map((payload) => ({ ...payload, type })));
  const events = name in PAYLOADS ? told.flatMap((event) => [event, { ...event, [REFUSED]: true }]) : told;
  return getShortestPaths(machine, {
    events,
    serializeState,
    ...(fromState === undefined ? {} : { fromState }),
  } as never);
}

/** What is only counted makes no other state: else there would be no end of them. */
function serializeState({ value, context }: { readonly value: unknown; readonly context: unknown }): string {
  return JSON.stringify([value, context], (key, inner: unknown) => (key === "failures" ? 0 : inner));
}

function payloadsOf(name: MachineName, type: string): readonly object[] {
  const given = PAYLOADS[name] ?? {};
  return given[type] ?? (type.startsWith("xstate.done.") ? given[STEP_DONE] : undefined) ?? [{}];
}

function initialOf(machine: AnyStateMachine, input: unknown) {
  return createActor(machine, { input } as never).getSnapshot() as unknown;
}

function leavesOf(machine: AnyStateMachine): string[] {
  const below = (node: AnyStateNode): string[] =>
    node.type === "atomic" || node.type === "final" ? [node.id] : Object.values(node.states).flatMap(below);
  return below(machine.root);
}

describe.each(catalogue)("%s", (name, machine) => {
  const input = { ...CAMPAIGN, asksPeer: true };
  const inputs = name === "campaign" ? [input, CAMPAIGN] : [undefined];
  const paths = inputs.flatMap((given) => pathsOf(name, open(name, machine), initialOf(open(name, machine), given)));

  test("[I12] every state can be reached", () => {
    const reached = new Set(paths.flatMap((path) => [...leafIds(path.state)]));
    // A campaign begins with the step that its ground asks for.
    const wanted = leavesOf(machine).filter((id) => id !== "campaign.begun");
    expect([...reached].sort()).toEqual(wanted.sort());
  });

  test("[I12] no dead end: from every state there is a way back to normal", () => {
    for (const { state } of paths) {
      const value = state.value as string | object;
      const [top = ""] = typeof value === "string" ? [value] : Object.keys(value);
      if ((ENDS[name] ?? []).includes(top)) continue;
      const values = pathsOf(name, open(name, machine), state).map((path) => path.state.value as unknown);
      expect(values, `from ${JSON.stringify(state.value)}`).toContainEqual(NORMAL[name]);
    }
  });

  test("a guard that nobody provides refuses", () => {
    for (const [guard, check] of Object.entries(machine.implementations.guards)) {
      if (isProvided(check)) expect(check(), guard).toBe(false);
    }
  });

  test("opens as JSON: but for what is handed to a child nothing in it is a function, all goes by its name", () => {
    const functions = functionsIn(machine.config).filter((path) => !/\.(input|output|context)$/.test(path));
    expect(functions).toEqual([]);
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
    if (node.type === "atomic" || node.type === "final") yield node.id;
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
