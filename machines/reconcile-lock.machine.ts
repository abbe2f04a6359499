/**
 * One holding of the reconcile lock [RL1–RL3]. `held` ends a margin before the witness lets the lock lapse, and a lock
 * that was lost is never used again. Leaving a state cancels the call that it began.
 */
import { assign, fromPromise, setup, type DoneActorEvent } from "xstate";
import type { LockId } from "../src/core/ids.ts";

/** What an attempt to acquire the lock came to. */
export type LockAttempt =
  | { readonly outcome: "acquired"; readonly lockId: LockId; readonly fence: number; readonly usableUntilMs: number }
  | { readonly outcome: "not-acquired"; readonly reason: string };

/** What a refresh came to. `unanswered`: the lock may still stand. */
export type LockRefreshed =
  { readonly outcome: "refreshed"; readonly usableUntilMs: number } | { readonly outcome: "unanswered" | "lost" };

export type ReconcileLockEvent =
  | { type: "ACQUIRE" }
  | { type: "RELEASE" }
  | DoneActorEvent<LockAttempt, "acquire">
  | DoneActorEvent<LockRefreshed, "refresh">;

export interface ReconcileLockContext {
  readonly lock: { readonly lockId: LockId; readonly fence: number } | null;
  /** Own monotonic instant until which the lock may be relied on [RL2]. */
  readonly usableUntilMs: number;
  /** Why the last attempt did not get it. */
  readonly reason: string;
}

/** A step that nobody provides never ends. */
const never = <Output>(): Promise<Output> => new Promise<Output>(() => undefined);

export const reconcileLockMachine = setup({
  types: { context: {} as ReconcileLockContext, events: {} as ReconcileLockEvent },
  actors: {
    acquire: fromPromise<LockAttempt>(never),
    refresh: fromPromise<LockRefreshed>(never),
  },
  guards: {
    acquired: ({ event }) => event.type === "xstate.done.actor.acquire" && event.output.outcome === "acquired",
    refreshed: ({ event }) => event.type === "xstate.done.actor.refresh" && event.output.outcome === "refreshed",
    unanswered: ({ event }) => event.type === "xstate.done.actor.refresh" && event.output.outcome === "unanswered",
  },
  delays: { refreshDelay: 0, untilMargin: 0 },
  actions: {
    keep: assign(({ context, event }) => {
      if (event.type !== "xstate.done.actor.acquire" || event.output.outcome !== "acquired") return context;
      const { lockId, fence, usableUntilMs } = event.output;
      return { ...context, lock: { lockId, fence }, usableUntilMs };
    }),
    extend: assign(({ context, event }) =>
      event.type === "xstate.done.actor.refresh" && event.output.outcome === "refreshed"
        ? { ...context, usableUntilMs: event.output.usableUntilMs }
        : context,
    ),
    noteReason: assign({
      reason: ({ context, event }) =>
        event.type === "xstate.done.actor.acquire" && event.output.outcome === "not-acquired"
          ? event.output.reason
          : context.reason,
    }),
    giveUp: assign({ reason: "given up meanwhile" }),
    forget: assign({ lock: null, usableUntilMs: 0 }),
    release: () => undefined,
    lockLost: () => undefined,
  },
}).createMachine({
  id: "reconcile-lock",
  context: { lock: null, usableUntilMs: 0, reason: "" },
  initial: "free",
  states: {
    free: { on: { ACQUIRE: "acquiring" } },
    acquiring: {
      invoke: {
        id: "acquire",
        src: "acquire",
        onDone: [
          { guard: "acquired", target: "held", actions: "keep" },
          { target: "free", actions: "noteReason" },
        ],
      },
      on: { RELEASE: { target: "free", actions: "giveUp" } },
    },
    held: {
      initial: "fresh",
      after: { untilMargin: "lost" },
      on: { RELEASE: { target: "free", actions: ["release", "forget"] } },
      states: {
        fresh: { after: { refreshDelay: "refreshing" } },
        refreshing: {
          invoke: {
            id: "refresh",
            src: "refresh",
            onDone: [
              { guard: "refreshed", target: "#reconcile-lock.held", reenter: true, actions: "extend" },
              { guard: "unanswered", target: "fresh" },
              { target: "#reconcile-lock.lost" },
            ],
          },
        },
      },
    },
    lost: { entry: ["forget", "lockLost"], on: { ACQUIRE: "acquiring", RELEASE: "free" } },
  },
});
