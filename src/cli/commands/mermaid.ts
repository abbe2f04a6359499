/**
 * A statechart as a Mermaid state diagram: nested states inside their parents, each transition with its event,
 * guard and actions.
 * It does not know which machine it draws.
 */
import type { AnyStateMachine, AnyStateNode } from "xstate";
import { eventName, nameOf } from "../../visualiser/inspected.ts";

/** The diagram as text; Mermaid, and every page that renders it, takes it as it stands. */
export function mermaidOf(machine: AnyStateMachine): string {
  const { root } = machine;
  const lines = [...inside(root, 1), ...transitionsBelow(root)];
  return ["stateDiagram-v2", ...lines].join("\n");
}

function inside(node: AnyStateNode, depth: number): string[] {
  const pad = "  ".repeat(depth);
  const children = Object.values(node.states);
  const regions = children.map((child) => declaration(child, depth));
  const first = node.initial.target?.[0];
  const start = node.type === "compound" && first !== undefined ? [`${pad}[*] --> ${idOf(first)}`] : [];
  // Mermaid knows regions only inside a state; at the top they stand side by side as they are.
  const separator = node.type === "parallel" && node.parent !== undefined ? [`${pad}--`] : [];
  return [...start, ...regions.flatMap((region, at) => (at === 0 ? region : [...separator, ...region]))];
}

function declaration(node: AnyStateNode, depth: number): string[] {
  const pad = "  ".repeat(depth);
  const named = `${pad}state "${node.key}" as ${idOf(node)}`;
  const end = node.type === "final" ? [`${pad}${idOf(node)} --> [*]`] : [];
  if (Object.keys(node.states).length === 0) return [named, ...end];
  return [`${named} {`, ...inside(node, depth + 1), `${pad}}`, ...end];
}

function transitionsBelow(node: AnyStateNode): string[] {
  // The root has no box of its own: what it handles everywhere is drawn from each state that stands directly in it.
  const sources = node.parent === undefined ? Object.values(node.states) : [node];
  const own = [...node.transitions.values(), ...always(node)].flat();
  const drawn = sources.flatMap((source) => own.map((transition) => arrow(source, transition)));
  return [...drawn, ...Object.values(node.states).flatMap(transitionsBelow)];
}

type Transition = NonNullable<AnyStateNode["always"]>[number];

function always(node: AnyStateNode): Transition[] {
  return node.always ?? [];
}

function arrow(source: AnyStateNode, transition: Transition): string {
  const target = transition.target?.[0] ?? source;
  const guard = transition.guard === undefined ? "" : ` [${nameOf(transition.guard)}]`;
  const actions = transition.actions.length === 0 ? "" : ` / ${transition.actions.map(nameOf).join(", ")}`;
  return `  ${idOf(source)} --> ${idOf(target)} : ${eventName(String(transition.eventType))}${guard}${actions}`;
}

function idOf(node: AnyStateNode): string {
  return node.id.replace(/[^A-Za-z0-9]/g, "_");
}
