/**
 * Purpose: this engine's relation to the witness record [VT3, VT4]: it watches as a follower, rewrites as a leader.
 * Keeps true: an unknown result is never taken for a renewed vote.
 */
import { setup } from "xstate";

export type WitnessVoteEvent =
  | { type: "LEAD" }
  | { type: "FOLLOW" }
  /** The rewrite was sent, its result is not known: it must be read back. */
  | { type: "UNKNOWN" }
  | { type: "UNREACHABLE" }
  | { type: "ANSWERED" }
  /** It answers with a record that is not this pair's, or with none that makes sense: no vote, no watch [VT7]. */
  | { type: "STRANGE" }
  /** The witness has lost memory: its run id changed, or the record is missing or gone back [CP5]. */
  | { type: "FORGOTTEN" };

export const witnessVoteMachine = setup({
  types: { events: {} as WitnessVoteEvent },
  actions: { witnessLost: () => undefined, witnessBack: () => undefined, witnessForgot: () => undefined },
}).createMachine({
  id: "witness-vote",
  initial: "watching",
  on: { FORGOTTEN: { actions: "witnessForgot" } },
  states: {
    watching: {
      initial: "reachable",
      on: { LEAD: "renewing" },
      states: {
        reachable: { on: { UNREACHABLE: "unreachable", STRANGE: "unusable" } },
        unusable: { on: { ANSWERED: "reachable", UNREACHABLE: "unreachable" } },
        unreachable: {
          entry: "witnessLost",
          exit: "witnessBack",
          on: { ANSWERED: "reachable", STRANGE: "unusable" },
        },
      },
    },
    renewing: {
      initial: "held",
      on: { FOLLOW: "watching" },
      states: {
        held: { on: { UNKNOWN: "readingBack", UNREACHABLE: "unreachable", STRANGE: "unusable" } },
        readingBack: { on: { ANSWERED: "held", UNREACHABLE: "unreachable", STRANGE: "unusable" } },
        unusable: { on: { ANSWERED: "held", UNREACHABLE: "unreachable" } },
        unreachable: {
          entry: "witnessLost",
          exit: "witnessBack",
          on: { ANSWERED: "held", UNKNOWN: "readingBack", STRANGE: "unusable" },
        },
      },
    },
  },
});
