/**
 * Purpose: what this engine is in its pair, and what holds automation back.
 * Keeps true: the role moves only through the guards below; a guard that nobody provides refuses. Rules: SPEC.md, CP and EP.
 * Does not know: clocks, votes, the witness; the actor that binds it answers the guards.
 */
import { setup } from "xstate";
import type { Epoch } from "../src/core/epoch.ts";

export type LeadershipEvent =
  /** Something that bears on a campaign has changed: time, silence, a proof, a lifted restraint. */
  | { type: "CONSIDER" }
  /** A person asks for the role; binds over every restraint of automation [HO3]. */
  | { type: "FORCED" }
  /** The leader has granted, or offers, its role. */
  | { type: "TAKE_OVER" }
  | { type: "WON"; epoch: Epoch }
  | { type: "LOST"; reason: string }
  /** The leader goes on under a new epoch, above one that nobody holds [EP5]. */
  | { type: "RENEWED"; epoch: Epoch }
  /** A higher epoch than the own was seen [EP3]. */
  | { type: "OVERRULED"; epoch: Epoch }
  /** The peer asks for the role, or it is given up before a stop [HO1, DP3]. */
  | { type: "YIELD" }
  | { type: "RESUMED" }
  /** The listener failed, or the engine stops [DP2]. */
  | { type: "RELEASED" }
  | { type: "MAINTENANCE_ON" }
  | { type: "MAINTENANCE_OFF" }
  | { type: "DISTRUSTED"; reason: string }
  | { type: "TRUSTED" }
  | { type: "FLAPPING" }
  | { type: "STEADY" };

export const leadershipMachine = setup({
  types: { events: {} as LeadershipEvent },
  guards: {
    /** Nothing holds automation back, and something speaks for a campaign: `campaignVerdict` [CH3, CP1–CP7, DP1]. */
    campaignDue: () => false,
    mustYield: () => false,
  },
  actions: {
    campaign: () => undefined,
    beginLeading: () => undefined,
    renewLeading: () => undefined,
    resumeLeading: () => undefined,
    pauseLeading: () => undefined,
    stopLeading: () => undefined,
    abandonCampaign: () => undefined,
  },
}).createMachine({
  id: "leadership",
  type: "parallel",
  states: {
    role: {
      initial: "follower",
      states: {
        follower: {
          on: {
            CONSIDER: { guard: "campaignDue", target: "candidate" },
            FORCED: { target: "candidate" },
            TAKE_OVER: { target: "candidate" },
          },
        },
        candidate: {
          entry: "campaign",
          on: {
            WON: { target: "leader", actions: "beginLeading" },
            LOST: { target: "follower" },
            OVERRULED: { guard: "mustYield", target: "follower", actions: "abandonCampaign" },
            RELEASED: { target: "follower", actions: "abandonCampaign" },
          },
        },
        leader: {
          on: {
            RENEWED: { actions: "renewLeading" },
            OVERRULED: { guard: "mustYield", target: "follower", actions: "stopLeading" },
            YIELD: { target: "steppingDown", actions: "pauseLeading" },
            RELEASED: { target: "follower", actions: "stopLeading" },
          },
        },
        steppingDown: {
          on: {
            RESUMED: { target: "leader", actions: "resumeLeading" },
            OVERRULED: { guard: "mustYield", target: "follower", actions: "stopLeading" },
            RELEASED: { target: "follower", actions: "stopLeading" },
          },
        },
      },
    },
    automation: {
      initial: "free",
      states: {
        free: { on: { MAINTENANCE_ON: "held" } },
        held: { on: { MAINTENANCE_OFF: "free" } },
      },
    },
    trust: {
      initial: "quarantined",
      states: {
        quarantined: { on: { TRUSTED: "trusted" } },
        trusted: { on: { DISTRUSTED: "quarantined" } },
      },
    },
    stability: {
      initial: "steady",
      states: {
        steady: { on: { FLAPPING: "holdingDown" } },
        holdingDown: { on: { STEADY: "steady" } },
      },
    },
  },
});
