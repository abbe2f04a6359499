/**
 * Purpose: a follower on its way to ready: compare logs with the leader, then the log's pages or a snapshot.
 * Keeps true: it is ready only after the leader has said that nothing is lacking; any break starts it anew.
 */
import { setup } from "xstate";

export type CatchUpEvent =
  /** There is a leader to compare with, or our log no longer fits its. */
  | { type: "COMPARE" }
  | { type: "PLAN_NOTHING" }
  | { type: "PLAN_LOG" }
  | { type: "PLAN_SNAPSHOT" }
  | { type: "PLAN_RECONCILE" }
  | { type: "FINISHED" }
  | { type: "FAILED"; reason: string }
  /** The leader or the link is gone. */
  | { type: "LEADER_LOST" }
  /** This engine leads: there is nobody to catch up with. */
  | { type: "LEADING" };

export const catchUpMachine = setup({
  types: { events: {} as CatchUpEvent },
  actions: { askForPlan: () => undefined, becomeReady: () => undefined, leaveReady: () => undefined },
}).createMachine({
  id: "catch-up",
  initial: "waiting",
  on: { LEADER_LOST: ".waiting", LEADING: ".leading" },
  states: {
    waiting: { on: { COMPARE: "comparing" } },
    comparing: {
      entry: "askForPlan",
      on: {
        COMPARE: { target: "comparing", reenter: true },
        PLAN_NOTHING: "ready",
        PLAN_LOG: "replaying",
        PLAN_SNAPSHOT: "restoring",
        PLAN_RECONCILE: "reconciling",
        FAILED: "waiting",
      },
    },
    replaying: { on: { FINISHED: "ready", FAILED: "waiting", COMPARE: "comparing" } },
    restoring: { on: { FINISHED: "comparing", FAILED: "waiting", COMPARE: "comparing" } },
    reconciling: { on: { FINISHED: "comparing", FAILED: "waiting", COMPARE: "comparing" } },
    ready: { entry: "becomeReady", exit: "leaveReady", on: { COMPARE: "comparing" } },
    leading: { on: { COMPARE: "comparing" } },
  },
});
