/**
 * Purpose: one holding of the reconcile lock [RL1, RL2, RL3].
 * Keeps true: `held` ends before the witness lets the lock lapse; a lock once lost is never used again.
 */
import { setup } from "xstate";

export type ReconcileLockEvent =
  | { type: "ACQUIRE" }
  | { type: "ACQUIRED" }
  /** Held by another, too late to be useful, or the witness did not answer. */
  | { type: "NOT_ACQUIRED"; reason: string }
  | { type: "REFRESHED" }
  /** Expired, wrong id, or the own count ran out. */
  | { type: "LAPSED"; reason: string }
  | { type: "RELEASE" };

export const reconcileLockMachine = setup({
  types: { events: {} as ReconcileLockEvent },
  actions: {
    acquire: () => undefined,
    keepFresh: () => undefined,
    release: () => undefined,
    lockLost: () => undefined,
  },
}).createMachine({
  id: "reconcile-lock",
  initial: "free",
  states: {
    free: { on: { ACQUIRE: "acquiring" } },
    acquiring: { entry: "acquire", on: { ACQUIRED: "held", NOT_ACQUIRED: "free", RELEASE: "free" } },
    held: {
      entry: "keepFresh",
      on: { REFRESHED: {}, LAPSED: "lost", RELEASE: { target: "free", actions: "release" } },
    },
    lost: { entry: "lockLost", on: { RELEASE: "free", ACQUIRE: "acquiring" } },
  },
});
