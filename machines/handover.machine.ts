/**
 * Purpose: a planned change of leader, seen from either engine [HO1]: the target asks, the leader drains and grants.
 * Keeps true: it is bounded; past its time the leader leads on.
 */
import { setup } from "xstate";

export type HandoverEvent =
  /** This engine is the target and has asked. */
  | { type: "ASK" }
  /** This engine leads and was asked. */
  | { type: "ASKED" }
  /** This engine leads and has offered its role. */
  | { type: "OFFER" }
  | { type: "DRAINED" }
  | { type: "GRANTED" }
  | { type: "REFUSED"; reason: string }
  | { type: "DONE" }
  | { type: "EXPIRED" };

export const handoverMachine = setup({
  types: { events: {} as HandoverEvent },
  actions: { drain: () => undefined, grant: () => undefined, catchUpAndSwap: () => undefined, leadOn: () => undefined },
}).createMachine({
  id: "handover",
  initial: "idle",
  states: {
    idle: { on: { ASK: "asking", ASKED: "draining", OFFER: "offering" } },
    offering: { on: { ASKED: "draining", REFUSED: "idle", EXPIRED: "idle", DONE: "idle" } },
    asking: { on: { GRANTED: "taking", REFUSED: "idle", EXPIRED: "idle", DONE: "idle" } },
    taking: { entry: "catchUpAndSwap", on: { DONE: "idle", REFUSED: "idle", EXPIRED: "idle" } },
    draining: {
      entry: "drain",
      on: { DRAINED: "granting", EXPIRED: { target: "idle", actions: "leadOn" }, DONE: "idle" },
    },
    granting: { entry: "grant", on: { DONE: "idle", EXPIRED: { target: "idle", actions: "leadOn" } } },
  },
});
