/**
 * The way back from two leaders to one state, run by the winner [SB1–SB5]. No step is skipped. A recovery that is
 * interrupted anywhere starts again from the beginning, and nothing counts as resolved that was not verified. Leaving a
 * state cancels its step. The lock is kept from one try to the next: the loser may still work under it [I14].
 */
import { assign, fromPromise, setup, type DoneActorEvent, type ErrorActorEvent } from "xstate";
import type { Command } from "../src/core/command.ts";
import type { CatchUpRequest } from "../src/core/messages.ts";
import type { VectorClock } from "../src/core/vector-clock.ts";

/** What the other engine has of its own behind the fork. */
export interface Divergence {
  readonly divergent: readonly Command[];
  readonly loserClock: VectorClock;
}

type Step = "lock" | "compare" | "resolve" | "verify";

export type SplitBrainEvent =
  /** A follower's log has commands of its own behind the fork. */
  | { type: "DIVERGED"; forkSeq: number; request: CatchUpRequest }
  /** The follower has nothing of its own any more: it is over, also where its last answer was lost. */
  | { type: "AGREED" }
  /** This engine no longer leads: the other will reconcile. */
  | { type: "DEMOTED" }
  /** The link to the follower is gone. It asks again when it is back. */
  | { type: "LINK_LOST" }
  /** The reconcile lock may be used no longer. */
  | { type: "LOCK_LOST" }
  | DoneActorEvent<void, Exclude<Step, "compare">>
  | DoneActorEvent<Divergence, "compare">
  /** A step failed and may succeed later. */
  | ErrorActorEvent<unknown, Step>;

export interface SplitBrainContext {
  readonly forkSeq: number;
  /** What the follower asked last; null: nothing is in dispute. */
  readonly request: CatchUpRequest | null;
  readonly divergence: Divergence | null;
  /** Interrupted tries in a row. */
  readonly attempts: number;
}

/** After so many interrupted tries in a row a person must look. */
const MAX_ATTEMPTS = 20;

/** A try that failed for want of somebody else is not counted: it is repeated for as long as that lasts. */
function attemptsAfter(context: SplitBrainContext, event: SplitBrainEvent): number {
  const error = "error" in event ? (event.error as { readonly blameless?: boolean } | null) : null;
  const isBlameless = event.type === "LOCK_LOST" || error?.blameless === true;
  return isBlameless && context.attempts > 0 ? context.attempts : context.attempts + 1;
}

/** A step that nobody provides never ends. */
const never = <Output>(): Promise<Output> => new Promise<Output>(() => undefined);

export const splitBrainMachine = setup({
  types: { context: {} as SplitBrainContext, events: {} as SplitBrainEvent },
  actors: {
    lock: fromPromise<void>(never),
    compare: fromPromise<Divergence>(never),
    resolve: fromPromise<void>(never),
    verify: fromPromise<void>(never),
  },
  guards: {
    triedEnough: ({ context, event }) => attemptsAfter(context, event) >= MAX_ATTEMPTS,
  },
  delays: { backoff: 0 },
  actions: {
    remember: assign(({ context, event }) =>
      event.type === "DIVERGED" ? { ...context, forkSeq: event.forkSeq, request: event.request } : context,
    ),
    keepDivergence: assign({
      divergence: ({ event }) => (event.type === "xstate.done.actor.compare" ? event.output : null),
    }),
    countAttempt: assign({ attempts: ({ context, event }) => attemptsAfter(context, event) }),
    forget: assign({ request: null, divergence: null, attempts: 0 }),
    raise: () => undefined,
    tellInterruption: () => undefined,
    releaseLock: () => undefined,
    finish: () => undefined,
    clear: () => undefined,
    callPerson: () => undefined,
  },
}).createMachine({
  id: "split-brain",
  context: { forkSeq: 0, request: null, divergence: null, attempts: 0 },
  initial: "united",
  on: {
    AGREED: { target: ".united", actions: ["forget", "finish"] },
    DEMOTED: { target: ".united", actions: ["forget", "clear"] },
  },
  states: {
    united: {
      entry: "releaseLock",
      on: { DIVERGED: { target: "recovering", actions: ["remember", "raise"] }, AGREED: {}, DEMOTED: {} },
    },
    recovering: {
      initial: "locking",
      on: {
        DIVERGED: { actions: "remember" },
        LINK_LOST: "parted",
        LOCK_LOST: { target: "backingOff", actions: ["countAttempt", "tellInterruption"] },
        "xstate.error.actor.*": [
          { guard: "triedEnough", target: "needsPerson", actions: ["countAttempt", "tellInterruption"] },
          { target: "backingOff", actions: ["countAttempt", "tellInterruption"] },
        ],
      },
      states: {
        locking: { invoke: { id: "lock", src: "lock", onDone: "comparing" } },
        comparing: {
          invoke: { id: "compare", src: "compare", onDone: { target: "resolving", actions: "keepDivergence" } },
        },
        resolving: { invoke: { id: "resolve", src: "resolve", onDone: "verifying" } },
        verifying: {
          invoke: {
            id: "verify",
            src: "verify",
            onDone: { target: "#split-brain.united", actions: ["forget", "finish"] },
          },
        },
      },
    },
    backingOff: { after: { backoff: "recovering" }, on: { DIVERGED: { actions: "remember" }, LINK_LOST: "parted" } },
    parted: { entry: "releaseLock", on: { DIVERGED: { target: "recovering", actions: "remember" } } },
    needsPerson: {
      entry: ["releaseLock", "callPerson"],
      on: { DIVERGED: { target: "backingOff", actions: "remember" } },
    },
  },
});
