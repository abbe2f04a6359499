/**
 * A planned change of leader, seen from either engine [HO1]: the target asks, the leader drains and grants. Each state is
 * bounded. Past its time the old leader leads on. Leaving a state cancels its step.
 */
import { assign, fromPromise, setup, type DoneActorEvent } from "xstate";
import type { HandoverGrant, HandoverRequest } from "../src/core/messages.ts";

export type HandoverResult =
  { readonly outcome: "done"; readonly epoch: number } | { readonly outcome: "failed"; readonly reason: string };

/** What the target has asked for. Monotonic ms. */
export interface Taking {
  readonly request: HandoverRequest;
  readonly sentAtMs: number;
  /** The epoch of the leader that was asked. */
  readonly fromEpoch: number;
}

export type HandoverEvent =
  /** This engine is the target and has asked. */
  | ({ type: "ASK" } & Taking)
  /** This engine leads and has offered its role. */
  | { type: "OFFER" }
  /** This engine leads and was asked. */
  | { type: "ASKED"; request: HandoverRequest }
  | { type: "GRANTED"; grant: HandoverGrant }
  | { type: "REFUSED"; reason: string }
  /** The peer leads: what this engine gave away has arrived. */
  | { type: "RELIEVED"; epoch: number }
  | DoneActorEvent<void, "drain">
  | DoneActorEvent<HandoverResult, "takeOver">;

export interface HandoverContext {
  readonly taking: Taking | null;
  readonly grant: HandoverGrant | null;
  /** What the peer asked for. */
  readonly asked: HandoverRequest | null;
  /** How the last one ended. */
  readonly result: HandoverResult;
}

/** A step that nobody provides never ends. */
const never = <Output>(): Promise<Output> => new Promise<Output>(() => undefined);

function failed(reason: string): HandoverResult {
  return { outcome: "failed", reason };
}

export const handoverMachine = setup({
  types: { context: {} as HandoverContext, events: {} as HandoverEvent },
  actors: { drain: fromPromise<void>(never), takeOver: fromPromise<HandoverResult>(never) },
  delays: { window: 0 },
  actions: {
    noteAsking: assign(({ context, event }) => (event.type === "ASK" ? { ...context, taking: event } : context)),
    noteAsked: assign(({ context, event }) =>
      event.type === "ASKED" ? { ...context, asked: event.request } : context,
    ),
    noteGrant: assign(({ context, event }) =>
      event.type === "GRANTED" ? { ...context, grant: event.grant } : context,
    ),
    noteRefusal: assign({
      result: ({ event }) => failed(event.type === "REFUSED" ? `the leader refused: ${event.reason}` : ""),
    }),
    noteNoGrant: assign({ result: failed("no grant came") }),
    noteNotTaken: assign({ result: failed("the peer did not take the role") }),
    noteRelief: assign({
      result: ({ event }) => ({ outcome: "done" as const, epoch: event.type === "RELIEVED" ? event.epoch : 0 }),
    }),
    noteTaken: assign(({ context, event }) =>
      event.type === "xstate.done.actor.takeOver" ? { ...context, result: event.output } : context,
    ),
    grant: () => undefined,
    leadOn: () => undefined,
  },
}).createMachine({
  id: "handover",
  context: { taking: null, grant: null, asked: null, result: failed("none yet") },
  initial: "idle",
  states: {
    idle: {
      on: {
        ASK: { target: "asking", actions: "noteAsking" },
        OFFER: "offering",
        ASKED: { target: "draining", actions: "noteAsked" },
      },
    },
    asking: {
      after: { window: { target: "idle", actions: "noteNoGrant" } },
      on: {
        GRANTED: { target: "taking", actions: "noteGrant" },
        REFUSED: { target: "idle", actions: "noteRefusal" },
      },
    },
    taking: { invoke: { id: "takeOver", src: "takeOver", onDone: { target: "idle", actions: "noteTaken" } } },
    offering: {
      after: { window: { target: "idle", actions: "noteNotTaken" } },
      on: {
        ASKED: { target: "draining", actions: "noteAsked" },
        RELIEVED: { target: "idle", actions: "noteRelief" },
      },
    },
    draining: {
      invoke: { id: "drain", src: "drain", onDone: "granting" },
      after: { window: { target: "idle", actions: ["noteNotTaken", "leadOn"] } },
      on: { RELIEVED: { target: "idle", actions: "noteRelief" } },
    },
    granting: {
      entry: "grant",
      after: { window: { target: "idle", actions: ["noteNotTaken", "leadOn"] } },
      on: { RELIEVED: { target: "idle", actions: "noteRelief" } },
    },
  },
});
