/**
 * Purpose: the pump that publishes what waits in the outbox, while this engine leads.
 * Keeps true: nothing new is published at rest or while finishing; a stack that failed is waited for, and what is
 * committed meanwhile in others is not.
 */
import { setup } from "xstate";

export type OutboxPumpEvent =
  /** This engine leads. */
  | { type: "LEAD" }
  /** It no longer does. */
  | { type: "YIELD" }
  /** Something was committed, or the slow ticker looks whether something was. */
  | { type: "WAKE" }
  /** The back-off of a stack has passed. */
  | { type: "DUE" }
  /** Nothing is left that may be published now. */
  | { type: "DRAINED" }
  /** What is left waits for a back-off to pass. */
  | { type: "WAITING" }
  /** End, but what is under way first. */
  | { type: "STOP" }
  /** Nothing is under way any more. */
  | { type: "LANDED" };

export const outboxPumpMachine = setup({
  types: { events: {} as OutboxPumpEvent },
  actions: {
    drain: () => undefined,
    breakOff: () => undefined,
    finish: () => undefined,
  },
}).createMachine({
  id: "outbox-pump",
  initial: "resting",
  states: {
    resting: { entry: "breakOff", on: { LEAD: "draining" } },
    idle: { on: { WAKE: "draining", DUE: "draining", YIELD: "resting", STOP: "finishing" } },
    draining: {
      entry: "drain",
      on: {
        WAKE: { actions: "drain" },
        DUE: { actions: "drain" },
        DRAINED: "idle",
        WAITING: "backingOff",
        YIELD: "resting",
        STOP: "finishing",
      },
    },
    backingOff: { on: { WAKE: "draining", DUE: "draining", YIELD: "resting", STOP: "finishing" } },
    finishing: { entry: "finish", on: { LANDED: "resting", YIELD: "resting" } },
  },
});
