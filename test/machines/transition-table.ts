/**
 * A full transition table is run against its machine: from every state, every event, with exactly the named outcome.
 * A forgotten state does not compile and a forgotten event fails, so the author of a new one says what it does everywhere
 * [I12].
 */
import { expect } from "vitest";
import { createActor, type AnyStateMachine, type EventFromLogic, type StateValue } from "xstate";

/** What an event does in a state: the state that it leads to, the same one included, or nothing at all. */
export type Outcome<State extends string> = State | "ignored";

export type TransitionTable<State extends string, EventType extends string> = Readonly<
  Record<State, Readonly<Record<EventType, Outcome<State>>>>
>;

/** What the machines are called with: the words of their events. */
export type EventTypeOf<Machine extends AnyStateMachine> = EventFromLogic<Machine>["type"];

/** The words of all events that the machine handles somewhere. */
export function eventTypesOf(machine: AnyStateMachine): readonly string[] {
  return machine.events as readonly string[];
}

/** The machine with every action replaced by a note of its name. */
function recording(machine: AnyStateMachine): { machine: AnyStateMachine; ran: string[] } {
  const ran: string[] = [];
  const actions = Object.fromEntries(
    Object.keys(machine.implementations.actions).map((name) => [name, () => void ran.push(name)]),
  );
  return { machine: machine.provide({ actions }), ran };
}

/** `a.b` for a state value of one region. */
export function pathOf(value: StateValue): string {
  if (typeof value === "string") return value;
  const [[key, inner] = ["", ""]] = Object.entries(value);
  return `${key}.${pathOf(inner ?? "")}`;
}

/** The state value of `a.b`. */
export function valueOf(path: string): StateValue {
  const [head = "", ...rest] = path.split(".");
  return rest.length === 0 ? head : { [head]: valueOf(rest.join(".")) };
}

/** What the machine begins with, where that is not made of its input. */
function contextOf({ config }: AnyStateMachine): object {
  return typeof config.context === "object" ? (config.context as object) : {};
}

/** Sends one event in one state; the outcome, and the actions that ran. */
export function step(given: AnyStateMachine, from: StateValue, event: { readonly type: string }) {
  const { machine, ran } = recording(given);
  const actor = createActor(machine, { snapshot: machine.resolveState({ value: from, context: contextOf(machine) }) });
  // A failed step that did not run in this state: XState stops the chart, and the outcome is the same state.
  actor.subscribe({ error: () => undefined });
  actor.start();
  actor.send(event);
  const { value } = actor.getSnapshot() as { readonly value: StateValue };
  actor.stop();
  return { value, ran };
}

/** Runs every cell. `event` completes what an event carries. */
export function proveTable<State extends string, EventType extends string>(
  machine: AnyStateMachine,
  table: TransitionTable<State, EventType>,
  event: (type: EventType) => { readonly type: EventType } = (type) => ({ type }),
): void {
  const columns = Object.values<object>(table).flatMap((row) => Object.keys(row));
  const all = new Set([...columns, ...eventTypesOf(machine)]);
  for (const [state, row] of Object.entries<Readonly<Record<EventType, Outcome<State>>>>(table)) {
    expect(new Set(Object.keys(row)), `${state} says what every event does`).toEqual(all);
    for (const [type, outcome] of Object.entries<Outcome<State>>(row)) {
      const { value, ran } = step(machine, valueOf(state), event(type as EventType));
      const wanted = outcome === "ignored" ? state : outcome;
      expect(pathOf(value), `${type} in ${state}`).toBe(wanted);
      if (outcome === "ignored") expect(ran, `${type} in ${state} does nothing`).toEqual([]);
      else if (outcome === state) expect(ran, `${type} in ${state} does something`).not.toEqual([]);
    }
  }
}
