/**
 * One engine in its pair, from its start to its stop: the root of the actor tree. Every other chart is its child and ends
 * with it. What is begun and what is ended in which order is decided here, and that a chart that broke ends all of them:
 * the others would decide from what it no longer says.
 */
import { assign, enqueueActions, fromPromise, setup, type DoneActorEvent, type ErrorActorEvent } from "xstate";

type Step = "start" | "publish" | "stepDown" | "close";

export type PairEvent =
  /** A chart of this engine is there: it runs below this one from now on. `logic`: the chart with its actions. */
  | { type: "CHART"; id: string; logic: object }
  | { type: "START" }
  | { type: "STOP" }
  /** Nobody can reach this engine any more [DP2]. */
  | { type: "LISTENER_LOST" }
  | DoneActorEvent<void, Step>
  /** A step failed, or a chart broke. */
  | ErrorActorEvent<unknown, string>;

export interface PairContext {
  /** The ids of the charts, in the order in which they were begun. */
  readonly charts: readonly string[];
  /** Why the start or the stop failed; null: it did not. */
  readonly failure: { readonly error: unknown } | null;
}

/** A step that nobody provides never ends; so it is with a chart that is only named here. */
const unbound = fromPromise<void>(() => new Promise(() => undefined));

export const pairMachine = setup({
  types: { context: {} as PairContext, events: {} as PairEvent },
  actors: {
    ...{ start: unbound, publish: unbound, stepDown: unbound, close: unbound },
    // Its children: their actors begin them by `CHART`.
    ...{ leadership: unbound, "peer-link": unbound, "witness-vote": unbound, handover: unbound, "catch-up": unbound },
    ...{ "reconcile-lock": unbound, "split-brain": unbound, engine: unbound },
    ...{ "sync-peer": unbound, "outbox-pump": unbound },
  },
  actions: {
    begin: assign(({ context, event, spawn }) => {
      if (event.type !== "CHART") return context;
      spawn(event.logic as typeof unbound, { id: event.id } as never);
      return { ...context, charts: [...context.charts, event.id] };
    }),
    endCharts: enqueueActions(({ context, enqueue }) => {
      for (const id of context.charts.toReversed()) enqueue.stopChild(id);
    }),
    noteFailure: assign({
      failure: ({ context, event }) => context.failure ?? ("error" in event ? { error: event.error } : null),
    }),
    retire: () => undefined,
    endActors: () => undefined,
    tellBroken: () => undefined,
  },
}).createMachine({
  id: "pair",
  context: { charts: [], failure: null },
  initial: "joined",
  on: {
    CHART: { actions: "begin" },
    LISTENER_LOST: { actions: "retire" },
    "xstate.error.actor.*": { target: ".failed", actions: ["noteFailure", "tellBroken"] },
  },
  states: {
    joined: { on: { START: "starting", STOP: "stopping" } },
    starting: {
      invoke: { id: "start", src: "start", onDone: "running" },
      on: { STOP: "stopping", "xstate.error.actor.*": { target: "failed", actions: "noteFailure" } },
    },
    running: { on: { STOP: "stopping" } },
    stopping: {
      initial: "publishing",
      states: {
        publishing: {
          invoke: { id: "publish", src: "publish", onDone: "steppingDown" },
          on: { "xstate.error.actor.*": { target: "steppingDown", actions: "noteFailure" } },
        },
        steppingDown: {
          exit: ["endActors", "endCharts"],
          invoke: { id: "stepDown", src: "stepDown", onDone: "closing" },
          on: { "xstate.error.actor.*": { target: "closing", actions: "noteFailure" } },
        },
        closing: { invoke: { id: "close", src: "close", onDone: "#pair.stopped" } },
      },
    },
    failed: { entry: ["endActors", "endCharts"], on: { STOP: "stopping.closing" } },
    stopped: { type: "final" },
  },
});
