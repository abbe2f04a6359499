/**
 * What this engine is in its pair. A follower's states say why it waits and until when; a candidate is a campaign, its
 * child; a leader's states say who stands behind it.
 *
 * The role moves only here. `VERDICT` brings the one judgement on whether a campaign may begin (`campaignVerdict`), and
 * the delays below are the times at which it must be made again. Whether a leader may act at this very moment is not
 * asked here: that is arithmetic over its votes [VT5].
 */
import { assign, fromPromise, setup } from "xstate";
import type { Epoch } from "../src/core/epoch.ts";
import type { LeadershipOrigin } from "../src/core/messages.ts";
import type { Campaign, CampaignLost, CampaignResult } from "./campaign.machine.ts";

/** Why an engine waits. Stable words: they are part of `GET /api/state` and `GET /ready`. */
export type WaitReason =
  /** It gives its role up for good: it stops, or its listener failed [DP2, DP3]. */
  | "stopping"
  /** An operator holds automation. */
  | "maintenance"
  /** It has just started, was paused, or the witness lost memory [CP5]. */
  | "quarantine"
  | "engine-failed"
  /** It lacks commands that clients were told of [CP4]. */
  | "behind"
  /** The role has moved too often [CP6]. */
  | "hold-down"
  /** The witness shows a stranger's record, and this engine has never met its peer [VT7]. */
  | "witness-foreign"
  /** The peer has pinned another engine in its place; a person adopts it there [ID2]. */
  | "refused-by-peer"
  /** A handover is under way, which settles who leads [HO1]. */
  | "handover"
  /** It has lost a campaign, and tries again after a random pause [CP2]. */
  | "campaign-lost"
  /** The peer leads. */
  | "peer-leads"
  /** Both live and neither leads: the other has the better claim, or this engine's vote [CP7]. */
  | "election"
  /** Something was heard of the peer so lately that it counts as alive. */
  | "peer-alive"
  /** It has promised a leader not to campaign [VT2]. */
  | "promise"
  /** The witness record has not stood still for long enough [CP2]. */
  | "witness-record"
  /** Neither the peer nor the witness answers, and nothing proves that the peer is dead [CP3]. */
  | "no-quorum"
  /** There is no witness to ask, and the peer is only silent [CP3]. */
  | "no-witness";

/** On what a campaign of automation rests. */
export type AutomaticGround = "death-proof" | "election" | "silence" | "blind";

/** One thing that is waited for. `untilMs`: monotonic; null: something must happen first that no clock brings. */
export interface Wait {
  readonly why: WaitReason;
  readonly untilMs: number | null;
}

export interface WaitVerdict {
  readonly go: false;
  readonly waits: readonly Wait[];
  /** When the last of the waits ends; null: no clock ends it. */
  readonly untilMs: number | null;
}

export type CampaignVerdict = { readonly go: true; readonly ground: AutomaticGround } | WaitVerdict;

export type LeadershipEvent =
  /** A campaign was judged at `atMs`. `again`: when to judge again at the latest, ms from then; null: no clock brings a change. */
  | {
      readonly type: "VERDICT";
      readonly verdict: { readonly go: true; readonly campaign: Campaign } | WaitVerdict;
      readonly atMs: number;
      readonly againMs: number | null;
    }
  /** A person or the old leader calls this engine to the role, whatever holds automation back [HO1, HO3]. */
  | { readonly type: "CALLED"; readonly campaign: Campaign }
  /** The leader goes on under a new epoch, above one that nobody holds [EP5]. */
  | { readonly type: "RENEWED"; readonly epoch: Epoch; readonly origin: LeadershipOrigin | null }
  /** A vote of the peer or the witness was counted. */
  | { readonly type: "VOTED" }
  /** The engine stood still for a while: a leader does nothing before it is confirmed again [VT5]. */
  | { readonly type: "PAUSED" }
  /** A higher epoch than this engine's was seen [EP3]. */
  | { readonly type: "OVERRULED"; readonly epoch: Epoch }
  /** The leader has granted its role [HO1]. */
  | { readonly type: "YIELD" }
  /** Nobody took what was granted: it leads on. */
  | { readonly type: "RESUMED" }
  /** Its role was offered while its loop stood still, and was not refused: it steps down, and may lead again [EN5]. */
  | { readonly type: "GAVE_AWAY" }
  /** The listener failed, or the engine stops [DP2]. */
  | { readonly type: "RELEASED" }
  | { readonly type: "xstate.done.actor.campaign"; readonly output: CampaignResult };

export interface LeadershipContext {
  /** The epoch that it leads or campaigns in; 0 as follower. */
  readonly epoch: Epoch;
  /** How its leadership began; null: it does not lead. */
  readonly origin: LeadershipOrigin | null;
  /** The campaign that is under way, or was last. */
  readonly campaign: Campaign | null;
  /** How that ended, where it was lost. */
  readonly lost: CampaignLost;
  /** Why it does not campaign, judged at `judgedAtMs`. */
  readonly waits: readonly Wait[];
  readonly judgedAtMs: number;
  readonly againMs: number | null;
}

/** A delay is always set. Where no clock brings a change, one look a day costs nothing. */
const AT_LATEST_MS = 86_400_000;

export const leadershipMachine = setup({
  types: { context: {} as LeadershipContext, events: {} as LeadershipEvent },
  actors: { campaign: fromPromise<CampaignResult, Campaign>(() => Promise.reject(new Error("no campaign is bound"))) },
  delays: {
    quarantine: ({ context }) => leftOf(context, "quarantine"),
    holdDown: ({ context }) => leftOf(context, "hold-down"),
    patience: ({ context }) => leftOf(context, "behind"),
    nextLook: ({ context }) => context.againMs ?? AT_LATEST_MS,
    votesLapse: 0,
    answer: 0,
  },
  guards: {
    mayCampaign: ({ event }) => event.type === "VERDICT" && event.verdict.go,
    isQuarantined: ({ event }) => waitsFor(event, "quarantine"),
    isHeld: ({ event }) => waitsFor(event, "maintenance"),
    isHeldDown: ({ event }) => waitsFor(event, "hold-down"),
    isBehind: ({ event }) => waitsFor(event, "behind"),
    hasWon: ({ event }) => event.type === "xstate.done.actor.campaign" && event.output.outcome === "won",
    mustYield: () => false,
    isConfirmed: () => false,
  },
  actions: {
    noteCampaign: assign(({ event, context }) => {
      const campaign = campaignIn(event) ?? context.campaign;
      return { campaign, epoch: campaign?.epoch ?? 0, waits: [] };
    }),
    noteWaits: assign(({ event }) =>
      event.type !== "VERDICT" || event.verdict.go
        ? {}
        : { waits: event.verdict.waits, judgedAtMs: event.atMs, againMs: event.againMs },
    ),
    noteWon: assign(({ event }) =>
      event.type === "xstate.done.actor.campaign" && event.output.outcome === "won"
        ? { epoch: event.output.epoch, origin: event.output.origin }
        : {},
    ),
    noteLost: assign(({ event }) => {
      const lost = event.type === "xstate.done.actor.campaign" && event.output.outcome === "lost" ? event.output : null;
      return { epoch: 0, lost: lost ?? { outcome: "lost", reason: "a higher epoch was seen" } };
    }),
    noteRenewed: assign(({ event }) => (event.type === "RENEWED" ? { epoch: event.epoch, origin: event.origin } : {})),
    noteStopped: assign({ epoch: 0, origin: null }),
    judge: () => undefined,
    beginLeading: () => undefined,
    campaignLost: () => undefined,
    pauseLeading: () => undefined,
    resumeLeading: () => undefined,
    stopLeading: () => undefined,
    askWitness: () => undefined,
    raiseUnconfirmed: () => undefined,
    clearUnconfirmed: () => undefined,
  },
}).createMachine({
  id: "leadership",
  initial: "follower",
  context: {
    epoch: 0,
    origin: null,
    campaign: null,
    lost: { outcome: "lost", reason: "there was no campaign" },
    waits: [],
    judgedAtMs: 0,
    againMs: null,
  },
  states: {
    follower: {
      initial: "waiting",
      on: {
        VERDICT: [
          { guard: "mayCampaign", target: "candidate", actions: "noteCampaign" },
          { guard: "isHeld", target: ".held", actions: "noteWaits" },
          { guard: "isQuarantined", target: ".quarantined", actions: "noteWaits" },
          { guard: "isHeldDown", target: ".holdingDown", actions: "noteWaits" },
          { guard: "isBehind", target: ".behind", actions: "noteWaits" },
          { target: ".waiting", actions: "noteWaits" },
        ],
        CALLED: { target: "candidate", actions: "noteCampaign" },
        RELEASED: { target: "retired" },
      },
      states: {
        held: {},
        quarantined: { after: { quarantine: { actions: "judge" } } },
        holdingDown: { after: { holdDown: { actions: "judge" } } },
        behind: { after: { patience: { actions: "judge" } } },
        waiting: { after: { nextLook: { actions: "judge" } } },
      },
    },
    candidate: {
      invoke: {
        id: "campaign",
        src: "campaign",
        input: ({ context }) => context.campaign as Campaign,
        onDone: [
          { guard: "hasWon", target: "leader", actions: ["beginLeading", "noteWon"] },
          { target: "follower", actions: ["noteLost", "campaignLost"] },
        ],
      },
      on: {
        OVERRULED: { guard: "mustYield", target: "follower", actions: "noteLost" },
        RELEASED: { target: "retired", actions: "noteLost" },
      },
    },
    leader: {
      initial: "confirmed",
      on: {
        RENEWED: { actions: "noteRenewed" },
        PAUSED: { target: ".verifying" },
        OVERRULED: { guard: "mustYield", target: "follower", actions: ["stopLeading", "noteStopped"] },
        YIELD: { target: "steppingDown", actions: "pauseLeading" },
        GAVE_AWAY: { target: "follower", actions: ["stopLeading", "noteStopped"] },
        RELEASED: { target: "retired", actions: ["stopLeading", "noteStopped"] },
      },
      states: {
        confirmed: {
          after: {
            votesLapse: [{ guard: "isConfirmed", target: "confirmed", reenter: true }, { target: "unconfirmed" }],
          },
        },
        unconfirmed: {
          entry: "raiseUnconfirmed",
          exit: "clearUnconfirmed",
          on: { VOTED: { guard: "isConfirmed", target: "confirmed" } },
        },
        verifying: {
          entry: "askWitness",
          on: { VOTED: { guard: "isConfirmed", target: "confirmed" } },
          after: { answer: [{ guard: "isConfirmed", target: "confirmed" }, { target: "unconfirmed" }] },
        },
      },
    },
    steppingDown: {
      on: {
        RESUMED: { target: "leader.verifying", actions: "resumeLeading" },
        GAVE_AWAY: { target: "follower", actions: ["stopLeading", "noteStopped"] },
        OVERRULED: { guard: "mustYield", target: "follower", actions: ["stopLeading", "noteStopped"] },
        RELEASED: { target: "retired", actions: ["stopLeading", "noteStopped"] },
      },
    },
    /** It has given its role up for good, and leads never again in this life. */
    retired: {},
  },
});

function waitsFor(event: LeadershipEvent, why: WaitReason): boolean {
  return event.type === "VERDICT" && !event.verdict.go && event.verdict.waits.some((wait) => wait.why === why);
}

function campaignIn(event: LeadershipEvent): Campaign | null {
  if (event.type === "CALLED") return event.campaign;
  return event.type === "VERDICT" && event.verdict.go ? event.verdict.campaign : null;
}

/** How long `why` still lasts, ms; where that is open, when to look again. */
function leftOf({ waits, judgedAtMs, againMs }: LeadershipContext, why: WaitReason): number {
  const untilMs = waits.find((wait) => wait.why === why)?.untilMs ?? null;
  return untilMs === null ? (againMs ?? AT_LATEST_MS) : Math.max(0, untilMs - judgedAtMs);
}
