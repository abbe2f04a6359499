/**
 * Binds `pair`: the root of this engine's charts, and its way from start to stop. What the steps do is given by the
 * coordinator; in which order, and what a failure means, stands in the chart.
 */
import { createActor, fromPromise, type AnyActorRef, type SnapshotFrom } from "xstate";
import { pairMachine } from "../../machines/pair.machine.ts";
import { assert } from "../core/errors.ts";
import type { ChartRoot, MachineHost } from "./kit.ts";
import { breakProcess, withMailbox } from "./start-machine.ts";

/** What the chart's steps do. */
export interface PairSteps {
  start(): Promise<void>;
  /** Lets the outbox end what is under way. */
  publish(): Promise<void>;
  /** Hands the role over, or releases the record, so that nobody has to find out [DP3]. */
  stepDown(): Promise<void>;
  /** Closes the ports. */
  close(): Promise<void>;
  /** Ends the timers of all actors, and gives back what they hold. Their charts end next. */
  endActors(): void;
  /** Gives the role up for good [DP2]. */
  retire(): void;
}

type Snapshot = SnapshotFrom<typeof pairMachine>;

export class PairRoot implements ChartRoot {
  readonly #actor;
  #steps: PairSteps | null = null;

  constructor(host: MachineHost & { readonly rules: NonNullable<MachineHost["rules"]> }) {
    const { inspect } = host.options;
    const step = (name: "start" | "publish" | "stepDown" | "close") =>
      fromPromise<void>(() => this.#bound[name]()) as never;
    const machine = pairMachine.provide({
      actors: { start: step("start"), publish: step("publish"), stepDown: step("stepDown"), close: step("close") },
      actions: {
        retire: () => this.#bound.retire(),
        endActors: () => this.#bound.endActors(),
        tellBroken: ({ event }) => breakProcess(host, "error" in event ? event.error : event.type),
      },
    });
    this.#actor = createActor(withMailbox(machine, host.rules), {
      ...{ clock: host.ports.clock, id: pairMachine.id },
      ...(inspect === undefined ? {} : { inspect }),
    });
    this.#actor.subscribe({ error: (error) => breakProcess(host, error) });
    this.#actor.start();
  }

  /** What the steps do; once, before the first of them. */
  bind(steps: PairSteps): void {
    this.#steps = steps;
  }

  get machineValue(): Snapshot["value"] {
    return this.#actor.getSnapshot().value;
  }

  /** The charts have ended: nothing that comes from outside moves anything any more. */
  get ended(): boolean {
    const snapshot = this.#actor.getSnapshot();
    return snapshot.matches({ stopping: "closing" }) || snapshot.matches("failed") || snapshot.status !== "active";
  }

  begin(id: string, logic: object): AnyActorRef {
    this.#actor.send({ type: "CHART", id, logic });
    const child = (this.#actor.getSnapshot().children as Readonly<Record<string, AnyActorRef | undefined>>)[id];
    assert(child !== undefined, `the chart ${id} was not begun`);
    return child;
  }

  /** Resolves once this engine runs, or was stopped meanwhile; rejects with what kept it from starting. */
  start(): Promise<void> {
    this.#actor.send({ type: "START" });
    return this.#settles((snapshot) => !snapshot.matches("starting"));
  }

  /** Resolves once everything is closed. Idempotent. */
  stop(): Promise<void> {
    if (this.#actor.getSnapshot().status === "active") this.#actor.send({ type: "STOP" });
    return this.#settles((snapshot) => snapshot.matches("failed") || snapshot.status !== "active");
  }

  listenerLost(): void {
    if (!this.ended) this.#actor.send({ type: "LISTENER_LOST" });
  }

  get #bound(): PairSteps {
    assert(this.#steps !== null, "the steps of the pair's chart are bound before they run");
    return this.#steps;
  }

  #settles(isSettled: (snapshot: Snapshot) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (snapshot: Snapshot): void => {
        if (!isSettled(snapshot)) return;
        subscription?.unsubscribe();
        const { failure } = snapshot.context;
        if (failure === null) resolve();
        else reject(failure.error instanceof Error ? failure.error : new Error(String(failure.error)));
      };
      const subscription = this.#actor.subscribe({ next: look, error: reject });
      look(this.#actor.getSnapshot());
    });
  }
}
