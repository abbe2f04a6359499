/**
 * Purpose: the way back from two leaders to one state, run by the winner [SB1–SB5].
 * Keeps true: no step is skipped; interrupted anywhere it starts again from the beginning; nothing counts as resolved
 * that was not verified.
 */
import { setup } from "xstate";

export type SplitBrainEvent =
  /** A follower's log has commands of its own behind the fork. */
  | { type: "DIVERGED"; forkSeq: number }
  | { type: "LOCKED" }
  | { type: "COMPARED" }
  | { type: "RESOLVED" }
  | { type: "VERIFIED" }
  /** The step failed and may succeed later: lock held, witness or peer away. */
  | { type: "INTERRUPTED"; reason: string }
  /** Tried as often as is sensible: a person must look. */
  | { type: "GAVE_UP"; reason: string }
  /** The follower has nothing of its own any more: it is over, also where its last answer was lost. */
  | { type: "AGREED" }
  /** This engine no longer leads: the other will reconcile. */
  | { type: "DEMOTED" };

export const splitBrainMachine = setup({
  types: { events: {} as SplitBrainEvent },
  actions: {
    lock: () => undefined,
    compare: () => undefined,
    resolve: () => undefined,
    verify: () => undefined,
    finish: () => undefined,
    callPerson: () => undefined,
  },
}).createMachine({
  id: "split-brain",
  initial: "united",
  on: { DEMOTED: ".united", AGREED: ".united" },
  states: {
    united: { on: { DIVERGED: "detected", AGREED: {} } },
    detected: { always: "locking" },
    locking: { entry: "lock", on: { LOCKED: "comparing", INTERRUPTED: "united", GAVE_UP: "needsPerson" } },
    comparing: { entry: "compare", on: { COMPARED: "resolving", INTERRUPTED: "united", GAVE_UP: "needsPerson" } },
    resolving: { entry: "resolve", on: { RESOLVED: "verifying", INTERRUPTED: "united", GAVE_UP: "needsPerson" } },
    verifying: { entry: "verify", on: { VERIFIED: "resolved", INTERRUPTED: "united", GAVE_UP: "needsPerson" } },
    resolved: { entry: "finish", on: { DIVERGED: "detected", AGREED: {} } },
    needsPerson: { entry: "callPerson", on: { DIVERGED: "detected" } },
  },
});
