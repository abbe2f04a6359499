/** The actor tree as lines of text: which chart starts which, and what each does in a running engine. */
import type { AnyStateNode } from "xstate";
import { actorTree, machines } from "../../../machines/index.ts";
import { nameOf, type RunningDelay, type ShownActor, type StateMessage } from "../../visualiser/inspected.ts";
import { stateWords } from "../../visualiser/page/state-paths.ts";
import { columns, duration } from "../output.ts";
import { tally, waitingText } from "./state-view.ts";

interface Placed {
  readonly name: string;
  readonly parent: string | null;
}

/** What each chart starts: other charts, delays and steps, with the states in which they run. */
export function treeLines(): string[] {
  const tree = actorTree();
  const rows = tree.flatMap((chart) => {
    const pad = indent(tree, chart);
    const below = [...new Set(partsOf(machines[chart.name].root))];
    return [[`${pad}${chart.name}`], ...below.map(([what = "", state = ""]) => [`${pad}  ${what}`, `in ${state}`])];
  });
  return columns(rows);
}

/** Delays and steps of a state and of all in it. */
function partsOf(node: AnyStateNode): string[][] {
  const state = node.path.join(".");
  const isChart = (src: unknown): boolean => typeof src === "string" && src in machines;
  const delays = node.after.map(({ delay }) => [`after ${String(delay)}`, state]);
  const steps = node.invoke.filter(({ src }) => !isChart(src)).map(({ src }) => [`step ${nameOf(src)}`, state]);
  const unique = new Map([...delays, ...steps].map((part) => [part.join(), part]));
  return [...unique.values(), ...Object.values(node.states).flatMap(partsOf)];
}

/** Where one engine's charts stand, what is left of their delays, and why it waits. */
export function runningLines({ state, actors = [] }: StateMessage): string[] {
  const title = `${state.pair} · engine ${state.engineLabel} · ${tally(state)} · epoch ${state.epoch}`;
  const waits = waitingText(state);
  const rows = actors.map((actor) => [
    `${indent(actors, actor)}${actor.name}`,
    actor.value === null ? "under way" : stateWords(actor.value),
    actor.delays.map(leftText).join(", "),
  ]);
  return [title, ...(waits === null ? [] : [`waits for ${waits}`]), ...columns(rows)];
}

/** The same for programs. */
export function runningJson({ engine, atUnixMs, state, actors = [] }: StateMessage): object {
  return { engine, atUnixMs, role: state.role, epoch: state.epoch, waiting: state.waiting, actors };
}

function leftText({ name, leftMs, ofMs }: RunningDelay): string {
  return `${name}: ${duration(leftMs)} of ${duration(ofMs)} left`;
}

function indent(all: readonly Placed[], { parent }: Placed | ShownActor): string {
  const above = all.find(({ name }) => name === parent);
  return above === undefined ? "" : `  ${indent(all, above)}`;
}
