/**
 * A statechart as boxes and arrows with stable ids, before anything has a place.
 * An id names a state by its path and a transition by source, event and target, so that it stays the same
 * when the drawing around it changes. All transitions between the same two states share one arrow.
 */
import type { AnyStateMachine, AnyStateNode } from "xstate";
import { eventName, nameOf } from "../inspected.ts";

/** One transition. */
export interface Hop {
  /** `leadership/follower/on/VERDICT→candidate` */
  readonly id: string;
  readonly event: string;
  readonly guard: string | null;
  /** Paths of the states within the machine; empty for the machine itself. */
  readonly from: string;
  readonly to: string;
}

/** One arrow. */
export interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly hops: readonly Hop[];
}

/** One state. */
export interface Box {
  /** `follower.waiting`; empty for the machine itself. */
  readonly path: string;
  readonly name: string;
  readonly kind: "atomic" | "compound" | "parallel" | "final";
  /** Path of the state in which it begins; null where it has no states of its own, or begins in all of them. */
  readonly initial: string | null;
  readonly children: readonly Box[];
}

export interface Chart {
  readonly machine: string;
  readonly root: Box;
  readonly arrows: readonly Arrow[];
  /** What the machine does wherever it stands. */
  readonly everywhere: readonly Hop[];
}

export function chartOf(machine: string, { root }: AnyStateMachine): Chart {
  const hops = hopsBelow(machine, root);
  return {
    machine,
    root: boxOf(root),
    arrows: arrowsOf(hops.filter(({ from }) => from !== "")),
    everywhere: hops.filter(({ from }) => from === ""),
  };
}

/** Id of a state in the drawing of its machine. */
export function stateId(machine: string, path: string): string {
  return path === "" ? machine : `${machine}/${path}`;
}

function boxOf(node: AnyStateNode): Box {
  const first = node.type === "compound" ? node.initial.target?.[0] : undefined;
  const kind = node.type === "history" ? "atomic" : node.type;
  const initial = first === undefined ? null : pathOf(first);
  return { path: pathOf(node), name: node.key, kind, initial, children: Object.values(node.states).map(boxOf) };
}

function hopsBelow(machine: string, node: AnyStateNode): Hop[] {
  const own = [...node.transitions.values(), node.always ?? []].flat().map((transition): Hop => {
    const event = eventName(String(transition.eventType));
    const [from, target] = [pathOf(node), transition.target?.[0] ?? node];
    const guard = transition.guard === undefined ? null : nameOf(transition.guard);
    return {
      id: `${stateId(machine, from)}/on/${event}→${target.key}`,
      ...{ event, guard, from, to: pathOf(target) },
    };
  });
  return [...own, ...Object.values(node.states).flatMap((child) => hopsBelow(machine, child))];
}

function arrowsOf(hops: readonly Hop[]): Arrow[] {
  const byEnds = new Map<string, Hop[]>();
  for (const hop of hops) {
    const ends = `${hop.from}→${hop.to}`;
    byEnds.set(ends, [...(byEnds.get(ends) ?? []), hop]);
  }
  return [...byEnds.values()].flatMap((together) => {
    const [first] = together;
    return first === undefined ? [] : [{ from: first.from, to: first.to, hops: together }];
  });
}

function pathOf(node: AnyStateNode): string {
  return node.path.join(".");
}
