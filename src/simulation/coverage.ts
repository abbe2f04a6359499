/**
 * What a sweep has reached: every state of every statechart of the pair, every event that a state handles, both answers
 * of every rule. What is never reached is not proven, unless a table in `machines/SPEC.md` says why it cannot be reached.
 */
import { readFileSync } from "node:fs";
import type { AnyStateMachine, AnyStateNode } from "xstate";
import { machines } from "../../machines/index.ts";
import { trueRules, type Rules } from "../actors/rules.ts";
import type { ChartStep, World } from "./world/world.ts";

export type Reached = Set<string>;

/** What need not be reached, and why: the table of `machines/SPEC.md`. */
export type Explained = ReadonlyMap<string, string>;

const SPEC = new URL("../../machines/SPEC.md", import.meta.url);
const EXPLAINED_IN = "## What the simulator does not reach";
const ROW = /^\| `([^`]+)` *\| (.+?) *\|$/u;

/** Rules that say something else than yes or no. */
const NOT_YES_OR_NO: ReadonlySet<string> = new Set([
  "nowMs",
  "awakeMs",
  "nextEpoch",
  "voteUntilMs",
  "grantUntilMs",
  "switchBackWaits",
]);

/** Reads the table. */
export function readExplained(): Explained {
  const [, section = ""] = readFileSync(SPEC, "utf8").split(EXPLAINED_IN);
  const rows = section.split("\n## ", 1)[0]?.split("\n") ?? [];
  return new Map(
    rows.flatMap((row) => (ROW.exec(row) === null ? [] : [[row.replace(ROW, "$1"), row.replace(ROW, "$2")]])),
  );
}

/** Notes what the pair of `world` comes to. */
export function coverWorld(world: World, reached: Reached): void {
  world.onChart = (_label, step) => noteStep(step, reached);
}

/** Notes what a step of a statechart has come to. */
export function noteStep({ chart, from, event, to }: ChartStep, reached: Reached): void {
  for (const state of leavesOf(to)) reached.add(`state ${chart} ${state}`);
  for (const state of leavesOf(from)) reached.add(`event ${chart} ${state} ${event}`);
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

/** Answers that a rule never gave. */
export function oneSidedRules(reached: Reached): readonly string[] {
  return Object.keys(trueRules)
    .filter((name) => !NOT_YES_OR_NO.has(name))
    .flatMap((name) => [`rule ${name} true`, `rule ${name} false`])
    .filter((key) => !reached.has(key));
}

/** What was reached, kind by kind, and what never was. */
export function coverageLines(
  reached: Reached,
  explained: Explained,
): {
  readonly lines: readonly string[];
  readonly holes: readonly string[];
} {
  const all = everything();
  const missing = (kind: string): string[] => all.filter((key) => key.startsWith(kind) && !reached.has(key));
  const states = missing("state ");
  const events = missing("event ");
  const rules = oneSidedRules(reached);
  const count = (kind: string): number => all.filter((key) => key.startsWith(kind)).length;
  const never = (key: string): string => {
    const why = explained.get(key);
    return `  never: ${key.replace(/^\w+ /u, "")}${why === undefined ? "" : ` (${why})`}`;
  };
  return {
    holes: [...states, ...rules].filter((key) => !explained.has(key)),
    lines: [
      `states          ${count("state ") - states.length} of ${count("state ")} reached`,
      ...states.map(never),
      `state × event   ${count("event ") - events.length} of ${count("event ")} reached`,
      ...events.map(never),
      `rules           ${[...reached].filter((key) => key.startsWith("rule ")).length} answers seen`,
      ...rules.map(never),
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

/** The states of a chart that are side by side. */
export function leavesOf(text: string): readonly string[] {
  return text === "" ? [] : text.split(" ");
}
