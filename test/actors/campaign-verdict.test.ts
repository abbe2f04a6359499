/** Whether an engine may campaign, and if not, why and until when. */
import { describe, expect, test } from "vitest";
import { campaignVerdict, nextLookMs, notAtOnce } from "../../src/actors/campaign-verdict.ts";
import type { CampaignVerdict } from "../../machines/leadership.machine.ts";
import { trueRules, type CampaignView } from "../../src/actors/rules.ts";

/** Nothing holds automation back, and the peer is silent for long enough. */
const DUE: CampaignView = {
  nowMs: 10_000,
  maintenanceOn: false,
  quarantineUntilMs: 0,
  quarantinedAtMs: 1,
  provenAtMs: 0,
  peerMet: true,
  peerElsewhere: false,
  promiseUntilMs: 0,
  engineFailed: false,
  behind: false,
  heldDown: false,
  heldDownUntilMs: null,
  patienceEndsMs: null,
  peer: "silent",
  recordSinceMs: 9_000,
  witness: "reachable",
  amongStrangers: false,
  refusedByPeer: false,
  waitMs: 600,
  blindAfterMs: null,
  peerLastHeardMs: 9_000,
  deathProofCounts: true,
  electionDue: false,
  peerRole: "leader",
  silentAtMs: 9_600,
  grantedUntilMs: 0,
  retired: false,
  handoverUnderWay: false,
  retryAtMs: 0,
};

const RESTRAINTS: readonly [string, Partial<CampaignView>, string, number | null][] = [
  ["CP1", { maintenanceOn: true }, "maintenance", null],
  ["VT7", { amongStrangers: true }, "witness-foreign", null],
  ["CP5", { quarantineUntilMs: 10_500 }, "quarantine", 10_500],
  ["CP1", { engineFailed: true }, "engine-failed", null],
  ["CP4", { behind: true, patienceEndsMs: 11_000 }, "behind", 11_000],
  ["CP4", { behind: true }, "behind", null],
  ["CP6", { heldDown: true, heldDownUntilMs: 50_000 }, "hold-down", 50_000],
  ["DP3", { retired: true }, "stopping", null],
  ["HO1", { handoverUnderWay: true }, "handover", null],
  ["CP2", { retryAtMs: 10_250 }, "campaign-lost", 10_250],
];

const GROUNDS: readonly [string, Partial<CampaignView>, string][] = [
  ["DP1", { peer: "dead" }, "death-proof"],
  ["CP7", { peer: "alive", electionDue: true }, "election"],
  ["CP2", {}, "silence"],
  ["CP3", { witness: "unreachable", blindAfterMs: 1_000 }, "blind"],
];

const MISSING: readonly [string, Partial<CampaignView>, readonly string[], number | null][] = [
  ["CP1", { peer: "alive" }, ["peer-leads"], null],
  ["CP7", { peer: "alive", peerRole: "follower" }, ["election"], null],
  ["CP7", { peer: "alive", peerRole: "follower", grantedUntilMs: 10_600 }, ["election"], 10_600],
  ["CP1", { peer: "connecting", peerRole: null, silentAtMs: 10_600 }, ["peer-alive"], 10_600],
  ["VT2", { promiseUntilMs: 10_300 }, ["promise"], 10_300],
  ["CP2", { recordSinceMs: 9_700 }, ["witness-record"], 10_300],
  ["CP2", { recordSinceMs: 9_700, promiseUntilMs: 10_400 }, ["promise", "witness-record"], 10_400],
  ["CP3", { witness: "unreachable" }, ["no-quorum"], null],
  ["CP3", { witness: "none" }, ["no-witness"], null],
  ["CP3", { witness: "none", blindAfterMs: 2_000 }, ["no-witness"], 11_000],
];

/** What a verdict says, in short. */
function told(view: CampaignView) {
  const verdict = campaignVerdict(view, trueRules);
  return verdict.go ? verdict : { go: false, untilMs: verdict.untilMs, why: whyOf(verdict) };
}

function whyOf(verdict: CampaignVerdict) {
  return verdict.go ? [] : verdict.waits.map(({ why }) => why);
}

describe("campaignVerdict", () => {
  test.each(GROUNDS)("CH3 CP1 %s %o goes, on %s; each restraint holds it back", (_rule, view, ground) => {
    expect(told({ ...DUE, ...view })).toEqual({ go: true, ground });
    for (const [, restraint, why, untilMs] of RESTRAINTS) {
      // A dead peer may be replaced however often the role has moved, and ends no other restraint here.
      if (why === "hold-down" && ground === "death-proof") continue;
      expect(told({ ...DUE, ...view, ...restraint })).toEqual({ go: false, untilMs, why: [why] });
    }
  });

  test.each(MISSING)("CH3 CP2 CP3 %s %o waits for %j until %j", (_rule, view, why, untilMs) => {
    expect(told({ ...DUE, ...view })).toEqual({ go: false, untilMs, why });
  });

  test("names everything that holds it back; the last of it ends the wait, an open end leaves it open", () => {
    const held = { ...DUE, quarantineUntilMs: 10_500, heldDown: true, heldDownUntilMs: 50_000 };
    const why = ["quarantine", "hold-down"];
    expect(told(held)).toEqual({ go: false, untilMs: 50_000, why });
    expect(told({ ...held, maintenanceOn: true })).toEqual({ go: false, untilMs: null, why: ["maintenance", ...why] });
  });

  test("P4 CP5: a follower in quarantine would take over at once on proof, where proofs count", () => {
    const following: CampaignView = { ...DUE, peer: "alive", quarantinedAtMs: 9_900, quarantineUntilMs: 10_650 };
    expect(notAtOnce(following, trueRules)).toEqual({ go: true, ground: "death-proof" });
    const unproven = { ...following, deathProofCounts: false };
    expect(notAtOnce(unproven, trueRules)).toEqual({
      ...{ go: false, untilMs: 10_650 },
      waits: [{ why: "quarantine", untilMs: 10_650 }],
    });
    expect(whyOf(notAtOnce({ ...following, maintenanceOn: true }, trueRules))).toEqual(["maintenance"]);
  });

  test("looks again when the first of what is judged lapses", () => {
    expect(nextLookMs(DUE)).toBeNull();
    expect(nextLookMs({ ...DUE, quarantineUntilMs: 10_500, promiseUntilMs: 10_200 })).toBe(10_200);
  });
});
