/**
 * What a sweep has reached: every state of every statechart of the pair, every event that a state handles, both answers
 * of every rule. What is never reached is not proven.
 */
import type { AnyStateMachine, AnyStateNode } from "xstate";
import { machines } from "../../machines/index.ts";
import { trueRules, type Rules } from "../actors/rules.ts";
import type { World } from "./world/world.ts";

export type Reached = Set<string>;

/** Charts and rules that the pair of a simulated world does not run, or states that it cannot come to, and why. */
export const UNREACHED: Readonly<Record<string, string>> = {
  "state split-brain detected": "is left in the very step in which it is entered",
  "state split-brain needsPerson":
    "takes 20 failed recoveries in a row; test/machines and test/actors/split-brain reach it",
};

/** Notes what the pair of `world` comes to. */
export function coverWorld(world: World, reached: Reached): void {
  world.onChart = (_label, { chart, from, event, to }) => {
    for (const state of leavesOf(to)) reached.add(`state ${chart} ${state}`);
    for (const state of leavesOf(from)) reached.add(`event ${chart} ${state} ${event}`);
  };
}

/** The rules, each noting what it answers. */
export function coveredRules(rules: Partial<Rules>, reached: Reached): Partial<Rules> {
  const all: Rules = { ...trueRules, ...rules };
  const noting = Object.entries(all).map(([name, rule]) => [
    name,
    (...args: unknown[]) => {
      const answer = (rule as (...given: unknown[]) => unknown)(...args);
      if (typeof answer === "boolean") reached.add(`rule ${name} ${answer}`);
      return answer;
    },
  ]);
  return Object.fromEntries(noting) as Partial<Rules>;
}

/** All that there is to reach. */
export function everything(): readonly string[] {
  const charts = Object.entries(machines).flatMap(([chart, machine]) =>
    leafNodes((machine as unknown as AnyStateMachine).root).flatMap((node) => [
      `state ${chart} ${pathOf(node)}`,
      ...eventsOf(node).map((event) => `event ${chart} ${pathOf(node)} ${event}`),
    ]),
  );
  return charts;
}

/** What was reached, kind by kind, and what never was. */
export function coverageLines(reached: Reached): {
  readonly lines: readonly string[];
  readonly holes: readonly string[];
} {
  const all = everything();
  const rules = [...reached].filter((key) => key.startsWith("rule "));
  const oneSided = Object.keys(trueRules).filter((name) => {
    const answers = rules.filter((key) => key.startsWith(`rule ${name} `));
    return answers.length === 1;
  });
  const missing = (kind: string): string[] => all.filter((key) => key.startsWith(kind) && !reached.has(key));
  const states = missing("state ");
  const events = missing("event ");
  const holes = states.filter((key) => UNREACHED[key] === undefined);
  const count = (kind: string): number => all.filter((key) => key.startsWith(kind)).length;
  return {
    holes,
    lines: [
      `states          ${count("state ") - states.length} of ${count("state ")} reached`,
      ...states.map((key) => `  never: ${key.slice(6)}${UNREACHED[key] === undefined ? "" : ` (${UNREACHED[key]})`}`),
      `state × event   ${count("event ") - events.length} of ${count("event ")} reached`,
      ...events.map((key) => `  never: ${key.slice(6)}`),
      `rules           ${rules.length} answers seen; always the same answer: ${oneSided.join(", ") || "none"}`,
    ],
  };
}

function leafNodes(node: AnyStateNode): readonly AnyStateNode[] {
  const inner = Object.values(node.states);
  return inner.length === 0 ? [node] : inner.flatMap(leafNodes);
}

function pathOf(node: AnyStateNode): string {
  return node.path.join(".");
}

/** What the state or one that holds it handles. */
function eventsOf(node: AnyStateNode): readonly string[] {
  const own = [...node.transitions.keys()].filter((event) => event !== "*" && !event.startsWith("xstate."));
  return node.parent === undefined ? own : [...new Set([...own, ...eventsOf(node.parent)])];
}

function leavesOf(text: string): readonly string[] {
  return text === "" ? [] : text.split(" ");
}
