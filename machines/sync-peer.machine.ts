/**
 * Purpose: the exchange with one other place, be it the hub of a spoke or a federation peer: who is there, its pages,
 * then what it lacks.
 * Keeps true: one exchange at a time; after a failure it backs off; one who is not the expected one is spoken to no more
 * until a person has looked.
 */
import { setup } from "xstate";

export type SyncPeerEvent =
  /** The interval or the back-off has passed, or somebody asks for it now. */
  | { type: "DUE" }
  | { type: "IDENTIFIED" }
  /** Another one answers than the one that is pinned. */
  | { type: "MISMATCHED" }
  /** A page was taken, or given, and there is another. */
  | { type: "MORE" }
  /** That was the last page. */
  | { type: "FINISHED" }
  | { type: "FAILED"; reason: string }
  | { type: "PAUSE" }
  | { type: "RESUME" }
  /** A person has looked, and it may be trusted anew. */
  | { type: "RESET" };

export const syncPeerMachine = setup({
  types: { events: {} as SyncPeerEvent },
  actions: {
    identify: () => undefined,
    pull: () => undefined,
    push: () => undefined,
    backOff: () => undefined,
    callPerson: () => undefined,
    breakOff: () => undefined,
  },
}).createMachine({
  id: "sync-peer",
  initial: "idle",
  states: {
    idle: { on: { DUE: "identifying", PAUSE: "paused" } },
    identifying: {
      entry: "identify",
      on: {
        IDENTIFIED: "pulling",
        MISMATCHED: "refused",
        FAILED: "backingOff",
        PAUSE: { target: "paused", actions: "breakOff" },
      },
    },
    pulling: {
      entry: "pull",
      on: {
        MORE: { target: "pulling", reenter: true },
        FINISHED: "pushing",
        MISMATCHED: "refused",
        FAILED: "backingOff",
        PAUSE: { target: "paused", actions: "breakOff" },
      },
    },
    pushing: {
      entry: "push",
      on: {
        MORE: { target: "pushing", reenter: true },
        FINISHED: "idle",
        FAILED: "backingOff",
        PAUSE: { target: "paused", actions: "breakOff" },
      },
    },
    backingOff: { entry: "backOff", on: { DUE: "identifying", PAUSE: "paused" } },
    paused: { on: { RESUME: "identifying" } },
    refused: { entry: "callPerson", on: { RESET: "identifying", PAUSE: "paused" } },
  },
});
