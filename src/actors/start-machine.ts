/** Starts statecharts. Apart from the kit, so that what embedders see of the actors knows nothing of XState. */
import {
  createActor,
  type Actor,
  type AnyStateMachine,
  type EventObject,
  type SnapshotFrom,
  type StateValue,
} from "xstate";
import type { MachineHost } from "./kit.ts";
import type { Rules } from "./rules.ts";

/**
 * Starts one statechart, as a child of the pair's root or by itself on the coordinator's clock and under its inspection.
 * `onSnapshot` is told every new snapshot, once the transition is complete: what it reads from the actor is then the new
 * state. `name` tells several charts of one kind apart.
 */
export function startMachine<Machine extends AnyStateMachine>(
  host: MachineHost,
  machine: Machine,
  onSnapshot: (snapshot: SnapshotFrom<Machine>) => void = () => undefined,
  name?: string,
): Actor<Machine> {
  const { inspect } = host.options;
  const logic = host.rules === undefined ? machine : withMailbox(machine, host.rules);
  const id = name === undefined ? machine.id : `${machine.id}:${name}`;
  const { root } = host;
  const actor = (root?.begin(id, logic) ??
    createActor(logic, {
      clock: host.ports.clock,
      id,
      ...(inspect === undefined ? {} : { inspect }),
    } as never)) as Actor<Machine>;
  // A chart whose action threw is dead and decides nothing more: a broken invariant. A root hears of it from XState.
  const broken = (error: unknown): void => breakProcess(host, error);
  actor.subscribe({
    next: (snapshot) => {
      try {
        onSnapshot(snapshot);
      } catch (error) {
        broken(error);
      }
    },
    error: root === undefined ? broken : () => undefined,
  });
  // The root ends its children, all together.
  return root === undefined ? actor.start() : Object.assign(actor, { stop: () => actor });
}

/** Ends the process from a turn of the coordinator's own clock, so that a simulated world sees it at its instant and as this engine's. */
export function breakProcess({ ports }: Pick<MachineHost, "ports">, error: unknown): void {
  ports.clock.soon(() => {
    throw error instanceof Error ? error : new Error(String(error));
  });
}

/**
 * Every event passes here, also those that XState sends for a delay that has passed or a step that has ended. A test
 * replaces the rule to drop one of them [CH6].
 */
export function withMailbox<Machine extends AnyStateMachine>(
  machine: Machine,
  rules: Pick<Rules, "receives">,
): Machine {
  const transition: AnyStateMachine["transition"] = (snapshot, event: EventObject, scope) =>
    rules.receives(machine.id, event.type) ? machine.transition(snapshot, event, scope) : snapshot;
  return Object.create(machine, { transition: { value: transition } }) as Machine;
}

/** The innermost state of a chart that is in one state at a time: `locking` for `recovering.locking`. */
export function leafOf(actor: { getSnapshot(): { readonly value: StateValue } }): string {
  let { value } = actor.getSnapshot();
  while (typeof value !== "string") value = Object.values(value)[0] ?? "";
  return value;
}
