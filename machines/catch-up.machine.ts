/**
 * A follower on its way to ready: it compares logs with the leader, then takes pages of the log or a snapshot. It is ready
 * only after the leader has said that nothing is missing, or began with the very log that this engine handed over. Each
 * step is bounded, and a break starts it again. Leaving `restoring` cancels the restore.
 */
import { assign, fromPromise, setup } from "xstate";
import type { CatchUpPlan } from "../src/core/messages.ts";

export type CatchUpEvent =
  /** Our log no longer fits the leader's. `wantSnapshot`: the engine needs a state, whatever the logs say. */
  | { type: "COMPARE"; wantSnapshot: boolean }
  /** A heartbeat of the leader. `fits`: its log ends where ours does. */
  | { type: "HEARD"; fits: boolean }
  | { type: "PLANNED"; by: CatchUpPlan["by"] }
  /** A page or a piece has come, and more will. */
  | { type: "MOVED" }
  /** The last piece has come. */
  | { type: "RECEIVED"; text: string }
  | { type: "FINISHED" }
  /** `counts`: what the leader sent could not be applied. After `most` in a row, only its whole state helps [SB6]. */
  | { type: "FAILED"; reason: string; counts: boolean; most: number }
  /** Commands of the leader were applied: earlier failures count no more. */
  | { type: "APPLIED" }
  /** The store was opened with a flaw that only the leader's state puts right. */
  | { type: "FLAWED"; flaw: string }
  /** The leader or the link is gone. */
  | { type: "LEADER_LOST" }
  /** This engine leads: there is nobody to catch up with. */
  | { type: "LEADING" }
  /** This engine has granted its role to the leader that it now follows. */
  | { type: "HANDED_OVER" }
  | { type: "xstate.done.actor.restore" };

export interface CatchUpContext {
  readonly wantSnapshot: boolean;
  /** Why only the leader's whole state helps; null: there is no need of it. */
  readonly resyncReason: string | null;
  /** Failures in a row to apply what the leader sent; once its whole state is needed, to apply that. */
  readonly failures: number;
  /** The last heartbeat did not fit our log. Replication may have been under way. */
  readonly doubts: boolean;
}

export const catchUpMachine = setup({
  types: { context: {} as CatchUpContext, events: {} as CatchUpEvent },
  actors: { restore: fromPromise<void, string>(() => new Promise(() => undefined)) },
  delays: { patience: 0, backoff: 0 },
  guards: {
    byLog: ({ event }) => event.type === "PLANNED" && event.by === "log",
    bySnapshot: ({ event }) => event.type === "PLANNED" && event.by === "snapshot",
    byReconciling: ({ event }) => event.type === "PLANNED" && event.by === "reconcile",
    /** Asked of a log in which nothing is this engine's own, so all of it may be replaced [SB3]. */
    needsAll: ({ context }) => context.resyncReason !== null,
    allFailed: ({ context, event }) => context.resyncReason !== null && event.type === "FAILED" && event.counts,
    fits: ({ event }) => event.type === "HEARD" && event.fits,
    doubtsAgain: ({ context, event }) => context.doubts && event.type === "HEARD" && !event.fits,
  },
  actions: {
    noteWish: assign({
      wantSnapshot: ({ context, event }) => event.type === "COMPARE" && (event.wantSnapshot || context.wantSnapshot),
    }),
    noteFlaw: assign({ resyncReason: ({ event }) => (event.type === "FLAWED" ? event.flaw : null) }),
    wishGranted: assign({ wantSnapshot: false }),
    noteFit: assign({ doubts: ({ event }) => event.type === "HEARD" && !event.fits }),
    trust: assign({ doubts: false }),
    countFailure: assign(({ context, event }) => {
      if (event.type !== "FAILED" || !event.counts) return context;
      const failures = context.failures + 1;
      const isEnough = context.resyncReason === null && failures >= event.most;
      return isEnough ? { failures: 0, resyncReason: event.reason } : { failures };
    }),
    forgetFailures: assign({ failures: 0, doubts: false }),
    forgetAll: assign({ failures: 0, resyncReason: null }),
    askForPlan: () => undefined,
    askForAll: () => undefined,
    tellReplaced: () => undefined,
    dropPieces: () => undefined,
    /** All of our log is the leader's: what it has is executed, without waiting for a next command. */
    confirmAll: () => undefined,
    becomeReady: () => undefined,
  },
}).createMachine({
  id: "catch-up",
  context: { wantSnapshot: false, resyncReason: null, failures: 0, doubts: false },
  initial: "waiting",
  on: {
    COMPARE: { target: ".comparing", actions: "noteWish" },
    FAILED: [
      { guard: "allFailed", target: ".backingOff", actions: "countFailure" },
      { target: ".waiting", actions: "countFailure" },
    ],
    APPLIED: { actions: "forgetFailures" },
    FLAWED: { actions: "noteFlaw" },
    LEADER_LOST: ".waiting",
    LEADING: ".leading",
    HANDED_OVER: ".waiting",
  },
  states: {
    waiting: { on: { HEARD: "comparing" } },
    backingOff: { after: { backoff: "waiting" }, on: { LEADER_LOST: {} } },
    comparing: {
      entry: ["trust", "askForPlan"],
      after: { patience: "waiting" },
      on: {
        PLANNED: [
          { guard: "byReconciling", target: "reconciling" },
          { guard: "needsAll", target: "askingForAll" },
          { guard: "byLog", target: "replaying" },
          { guard: "bySnapshot", target: "restoring" },
          { target: "ready", actions: "confirmAll" },
        ],
      },
    },
    askingForAll: { entry: "askForAll", after: { patience: "waiting" }, on: { PLANNED: "restoring" } },
    replaying: {
      after: { patience: "waiting" },
      on: { MOVED: { target: "replaying", reenter: true }, FINISHED: "ready" },
    },
    restoring: {
      initial: "receiving",
      entry: "wishGranted",
      exit: "dropPieces",
      states: {
        receiving: {
          after: { patience: "#catch-up.waiting" },
          on: { MOVED: { target: "receiving", reenter: true }, RECEIVED: "installing" },
        },
        // The engine takes its time: only a lost leader or another request ends this step.
        installing: {
          entry: "dropPieces",
          invoke: {
            id: "restore",
            src: "restore",
            input: ({ event }) => (event.type === "RECEIVED" ? event.text : ""),
            onDone: { target: "#catch-up.comparing", actions: ["tellReplaced", "forgetAll"] },
          },
        },
      },
    },
    reconciling: { entry: "wishGranted", after: { patience: "waiting" }, on: { FINISHED: "comparing" } },
    ready: {
      entry: "becomeReady",
      on: {
        HEARD: [{ guard: "doubtsAgain", target: "comparing" }, { actions: "noteFit" }],
        FAILED: { target: "comparing", actions: "countFailure" },
      },
    },
    leading: { on: { HEARD: "comparing", HANDED_OVER: "handedOver" } },
    // The new leader began with this log: a first heartbeat that fits is all the comparison that it takes.
    handedOver: { on: { HEARD: [{ guard: "fits", target: "ready", actions: "confirmAll" }, { target: "comparing" }] } },
  },
});
