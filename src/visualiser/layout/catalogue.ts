/** The drawings of all statecharts: file name → SVG. */
import type { AnyStateMachine } from "xstate";
import { actorTree, machines } from "../../../machines/index.ts";
import { drawSvg } from "./draw.ts";
import { chartOf } from "./graph.ts";
import { place } from "./place.ts";

export async function drawCatalogue(): Promise<ReadonlyMap<string, string>> {
  const drawings = new Map<string, string>();
  for (const { name, parent } of actorTree()) {
    const machine: AnyStateMachine = machines[name];
    drawings.set(`${name}.svg`, drawSvg(await place(chartOf(name, machine)), parent));
  }
  return drawings;
}
