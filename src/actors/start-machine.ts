/** Starts statecharts. Apart from the kit, so that what embedders see of the actors knows nothing of XState. */
import { createActor, type Actor, type AnyStateMachine } from "xstate";
import type { MachineHost } from "./kit.ts";

/** Starts one statechart on the coordinator's clock and under its inspection. */
export function startMachine<Machine extends AnyStateMachine>(host: MachineHost, machine: Machine): Actor<Machine> {
  const { inspect } = host.options;
  const actor: Actor<Machine> = createActor(machine, {
    clock: host.ports.clock,
    id: machine.id,
    ...(inspect === undefined ? {} : { inspect }),
  } as never);
  // A chart whose action threw is dead and decides nothing more: a broken invariant. It ends the process from a turn of
  // the coordinator's own clock, so that a simulated world sees it at its instant and as this engine's.
  actor.subscribe({
    error: (error) =>
      host.ports.clock.soon(() => {
        throw error instanceof Error ? error : new Error(String(error));
      }),
  });
  actor.start();
  return actor;
}
