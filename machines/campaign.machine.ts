/**
 * One campaign, from its ground to won or lost: the child of `leadership` while it is a candidate [CP1–CP7, DP1].
 * Each step is an invoked actor. What a step found decides where the campaign goes on; leaving the candidacy cancels the
 * step that is under way.
 */
import { assign, fromPromise, setup } from "xstate";
import type { Epoch } from "../src/core/epoch.ts";
import type { LeadershipCause, LeadershipOrigin } from "../src/core/messages.ts";
import type { ExpectedRecord, WitnessRead } from "../src/ports/witness.ts";

/** What is known for certain of the witness record. */
export type UsableRead = Extract<WitnessRead, { outcome: "read" | "unreachable" }>;

/** Why an engine campaigns. `granted`: the old leader gave its role; `forced`: a person said so. */
export type Ground =
  /** `look`: the record, read while the proof was sought; null: not yet read. */
  | { readonly kind: "death-proof"; readonly provenAtMs: number; readonly look: Promise<UsableRead> | null }
  | { readonly kind: "silence" }
  | { readonly kind: "blind" }
  | { readonly kind: "election" }
  | { readonly kind: "granted"; readonly epoch: Epoch; readonly expected: ExpectedRecord; readonly untilMs: number }
  | { readonly kind: "forced"; readonly mode: "graceful" | "immediate"; readonly acceptDualAir: boolean };

/** Who moved the role, and why: for the history. */
export interface Mover {
  readonly cause: LeadershipCause;
  readonly by: string;
  readonly reason: string;
}

export interface Campaign {
  readonly ground: Ground;
  readonly mover: Mover;
  /** The epoch that it is about. It is durable. */
  readonly epoch: Epoch;
  readonly startedAtMs: number;
  /** Whether the peer is asked for its vote first. */
  readonly asksPeer: boolean;
}

export interface CampaignWon {
  readonly outcome: "won";
  readonly epoch: Epoch;
  readonly origin: LeadershipOrigin;
}

export interface CampaignLost {
  readonly outcome: "lost";
  readonly reason: string;
}

export type CampaignResult = CampaignWon | CampaignLost;

/** What a step is given. */
export interface CampaignStep {
  readonly campaign: Campaign;
  /** The record that is to be replaced; null: there is none. */
  readonly expected: ExpectedRecord;
}

/** What a step found: where to go on, or the end of the campaign. */
export type CampaignFinding =
  | { readonly outcome: "go-on" }
  | { readonly outcome: "swap"; readonly expected: ExpectedRecord }
  /** The old leader may still count a vote: nothing is done before that has lapsed [HO3]. */
  | { readonly outcome: "outlast" }
  | CampaignResult;

export interface CampaignContext extends CampaignStep {
  readonly result: CampaignResult;
}

/** Told by XState itself when a step has ended. */
type CampaignEvent = { readonly type: `xstate.done.actor.${string}`; readonly output: CampaignFinding };

const unbound = fromPromise<CampaignFinding, CampaignStep>(() => Promise.reject(new Error("this step is not bound")));

export const campaignMachine = setup({
  types: {
    context: {} as CampaignContext,
    events: {} as CampaignEvent,
    input: {} as Campaign,
    output: {} as CampaignResult,
  },
  actors: { askForVote: unbound, readRecord: unbound, swapRecord: unbound, outlastLeader: unbound },
  guards: {
    asksPeer: ({ context }) => context.campaign.asksPeer,
    /** The old leader has named its record with the grant, so it need not be read. */
    isGranted: ({ context }) => context.campaign.ground.kind === "granted",
    goesOn: ({ event }) => event.output.outcome === "go-on",
    mustSwap: ({ event }) => event.output.outcome === "swap",
    mustOutlast: ({ event }) => event.output.outcome === "outlast",
    isWon: ({ event }) => event.output.outcome === "won",
  },
  actions: {
    noteRecord: assign(({ event: { output } }) => (output.outcome === "swap" ? { expected: output.expected } : {})),
    noteResult: assign(({ event: { output } }) =>
      output.outcome === "won" || output.outcome === "lost" ? { result: output } : {},
    ),
  },
}).createMachine({
  id: "campaign",
  initial: "begun",
  context: ({ input }) => ({
    campaign: input,
    expected: input?.ground.kind === "granted" ? input.ground.expected : null,
    result: { outcome: "lost", reason: "it was not brought to its end" },
  }),
  output: ({ context }) => context.result,
  states: {
    begun: {
      always: [
        { guard: "asksPeer", target: "askingForVote" },
        { guard: "isGranted", target: "swappingRecord" },
        { target: "readingRecord" },
      ],
    },
    askingForVote: {
      invoke: {
        src: "askForVote",
        input: ({ context }) => context,
        onDone: [
          { guard: "goesOn", target: "readingRecord" },
          { target: "lost", actions: "noteResult" },
        ],
      },
    },
    readingRecord: {
      invoke: {
        src: "readRecord",
        input: ({ context }) => context,
        onDone: [
          { guard: "mustSwap", target: "swappingRecord", actions: "noteRecord" },
          { guard: "isWon", target: "won", actions: "noteResult" },
          { target: "lost", actions: "noteResult" },
        ],
      },
    },
    swappingRecord: {
      invoke: {
        src: "swapRecord",
        input: ({ context }) => context,
        onDone: [
          { guard: "mustOutlast", target: "outlastingLeader" },
          { guard: "isWon", target: "won", actions: "noteResult" },
          { target: "lost", actions: "noteResult" },
        ],
      },
    },
    outlastingLeader: {
      invoke: {
        src: "outlastLeader",
        input: ({ context }) => context,
        onDone: [
          { guard: "isWon", target: "won", actions: "noteResult" },
          { target: "lost", actions: "noteResult" },
        ],
      },
    },
    won: { type: "final" },
    lost: { type: "final" },
  },
});
