/** `witness-vote`: what every event does in every state. */
import { expect, test } from "vitest";
import type { StateValueFrom } from "xstate";
import { witnessVoteMachine } from "../../machines/witness-vote.machine.ts";
import { proveTable, step, valueOf, type EventTypeOf, type TransitionTable } from "./transition-table.ts";

type Value = StateValueFrom<typeof witnessVoteMachine>;
/** `watching.reachable` and so on, for every state there is. */
type State = {
  [Key in Value extends infer One ? (One extends object ? keyof One & string : never) : never]: `${Key}.${Extract<
    Value extends infer One ? (Key extends keyof One ? One[Key] : never) : never,
    string
  >}`;
}[Value extends infer One ? (One extends object ? keyof One & string : never) : never];

const table: TransitionTable<State, EventTypeOf<typeof witnessVoteMachine>> = {
  "watching.reachable": {
    LEAD: "renewing.held",
    FOLLOW: "ignored",
    UNKNOWN: "ignored",
    UNREACHABLE: "watching.unreachable",
    ANSWERED: "ignored",
    FORGOTTEN: "watching.reachable",
    STRANGE: "watching.unusable",
  },
  "watching.unreachable": {
    LEAD: "renewing.held",
    FOLLOW: "ignored",
    UNKNOWN: "ignored",
    UNREACHABLE: "ignored",
    ANSWERED: "watching.reachable",
    FORGOTTEN: "watching.unreachable",
    STRANGE: "watching.unusable",
  },
  "watching.unusable": {
    LEAD: "renewing.held",
    FOLLOW: "ignored",
    UNKNOWN: "ignored",
    UNREACHABLE: "watching.unreachable",
    ANSWERED: "watching.reachable",
    FORGOTTEN: "watching.unusable",
    STRANGE: "ignored",
  },
  "renewing.unusable": {
    LEAD: "ignored",
    FOLLOW: "watching.reachable",
    UNKNOWN: "ignored",
    UNREACHABLE: "renewing.unreachable",
    ANSWERED: "renewing.held",
    FORGOTTEN: "renewing.unusable",
    STRANGE: "ignored",
  },
  "renewing.held": {
    LEAD: "ignored",
    FOLLOW: "watching.reachable",
    UNKNOWN: "renewing.readingBack",
    UNREACHABLE: "renewing.unreachable",
    ANSWERED: "ignored",
    FORGOTTEN: "renewing.held",
    STRANGE: "renewing.unusable",
  },
  "renewing.readingBack": {
    LEAD: "ignored",
    FOLLOW: "watching.reachable",
    UNKNOWN: "ignored",
    UNREACHABLE: "renewing.unreachable",
    ANSWERED: "renewing.held",
    FORGOTTEN: "renewing.readingBack",
    STRANGE: "renewing.unusable",
  },
  "renewing.unreachable": {
    LEAD: "ignored",
    FOLLOW: "watching.reachable",
    UNKNOWN: "renewing.readingBack",
    UNREACHABLE: "ignored",
    ANSWERED: "renewing.held",
    FORGOTTEN: "renewing.unreachable",
    STRANGE: "renewing.unusable",
  },
};

test("[I12] [VT3] [VT4] what every event does in every state", () => proveTable(witnessVoteMachine, table));

test("[CP5] a witness that has forgotten is noticed in every state, and moves none", () => {
  for (const state of Object.keys(table)) {
    expect(step(witnessVoteMachine, valueOf(state), { type: "FORGOTTEN" }).ran).toEqual(["witnessForgot"]);
  }
});

test("[VT3] an unknown result is never taken for a renewed vote: it leaves `held` until something is read", () => {
  const unknown = step(witnessVoteMachine, { renewing: "held" }, { type: "UNKNOWN" });
  expect(unknown.value).toEqual({ renewing: "readingBack" });
  expect(step(witnessVoteMachine, unknown.value, { type: "UNKNOWN" }).value).toEqual({ renewing: "readingBack" });
});

test("the loss of the witness is told when it begins and when it ends", () => {
  expect(step(witnessVoteMachine, { watching: "reachable" }, { type: "UNREACHABLE" }).ran).toEqual(["witnessLost"]);
  expect(step(witnessVoteMachine, { renewing: "unreachable" }, { type: "ANSWERED" }).ran).toEqual(["witnessBack"]);
});
