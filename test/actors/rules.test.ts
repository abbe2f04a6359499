/** Every decision on which the pair's safety rests, at its bounds: exactly at the instant, and one ms to either side. */
import { describe, expect, test } from "vitest";
import { trueRules as rules, type ActView, type CampaignView } from "../../src/actors/rules.ts";
import { makeId } from "../../src/core/ids.ts";
import { DEFAULT_FAILOVER } from "../../src/core/settings.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const { leaseMs, handoverMs } = DEFAULT_FAILOVER;

const ACT: ActView = {
  leads: true,
  nowMs: 1_000,
  peerVoteUntilMs: 1_001,
  witnessVoteUntilMs: 0,
  policy: "consistency",
  unverifiedForMs: null,
  heartbeatMs: 200,
  gaveAway: false,
};

const CAMPAIGN: CampaignView = {
  nowMs: 10_000,
  maintenanceOn: false,
  quarantineUntilMs: 10_000,
  promiseUntilMs: 10_000,
  engineFailed: false,
  behind: false,
  heldDown: false,
  peer: "silent",
  recordSinceMs: 9_400,
  witness: "reachable",
  amongStrangers: false,
  refusedByPeer: false,
  waitMs: 600,
  blindAfterMs: null,
  peerLastHeardMs: 9_000,
  deathProofCounts: true,
  electionDue: false,
  quarantinedAtMs: 9_250,
  provenAtMs: 0,
  peerMet: true,
  peerElsewhere: false,
  heldDownUntilMs: null,
  patienceEndsMs: null,
  peerRole: "leader",
  silentAtMs: 9_600,
  grantedUntilMs: 0,
  retired: false,
  handoverUnderWay: false,
  retryAtMs: 0,
};

/** In quarantine, with the peer proven dead. */
const QUARANTINED: Partial<CampaignView> = { quarantineUntilMs: 10_001, peer: "dead" };

type Ask = keyof {
  [Name in keyof typeof rules as (typeof rules)[Name] extends (view: CampaignView) => boolean ? Name : never]: true;
};

describe("a stalled leader", () => {
  const last = { incarnation: "inc_1-x", epoch: 7, n: 40 };

  test("EN5: a report counts for the last heartbeat that was heard, or a newer one, and for no other life or epoch", () => {
    expect(rules.stallIsFresh(last, last)).toBe(true);
    expect(rules.stallIsFresh({ ...last, n: 41 }, last)).toBe(true);
    expect(rules.stallIsFresh({ ...last, n: 39 }, last)).toBe(false);
    expect(rules.stallIsFresh({ ...last, epoch: 5 }, last)).toBe(false);
    expect(rules.stallIsFresh({ ...last, incarnation: "inc_2-x" }, last)).toBe(false);
  });

  test("EN5: a leader whose watch has offered the role does nothing as leader, votes or not", () => {
    for (const policy of ["on-air", "consistency"] as const) {
      expect(rules.mayAct({ ...ACT, policy })).toBe(true);
      expect(rules.mayAct({ ...ACT, policy, gaveAway: true })).toBe(false);
    }
  });
});

describe("votes", () => {
  test("[VT2] [VT3] a vote counts from its send time, however late the answer comes", () => {
    expect(rules.voteUntilMs(0, 1_000, 1_001, leaseMs)).toBe(1_600);
    expect(rules.voteUntilMs(0, 1_000, 1_599, leaseMs)).toBe(1_600);
  });

  test("[VT2] an answer that was overtaken shortens nothing", () => {
    expect(rules.voteUntilMs(1_800, 1_000, 1_001, leaseMs)).toBe(1_800);
  });

  test("[VT2] the clock that decides is the monotonic one", () => {
    const clock = new VirtualClock();
    const before = rules.nowMs(clock);
    clock.stepWall(60_000);
    expect(rules.nowMs(clock)).toBe(before);
  });

  test("[HO1] a grant counts for less than the leader waits, from the request's send time", () => {
    const untilMs = rules.grantUntilMs(1_000, 1_400, DEFAULT_FAILOVER);
    expect(untilMs).toBe(rules.grantUntilMs(1_000, 1_001, DEFAULT_FAILOVER));
    const rho = DEFAULT_FAILOVER.maxClockDriftPpm / 1e6;
    expect((untilMs - 1_000) * (1 + rho) + DEFAULT_FAILOVER.quiesceMs).toBeLessThan(handoverMs);
  });
});

describe("[VT5] mayAct", () => {
  test.each<[string, Partial<ActView>, boolean]>([
    ["one ms before the vote lapses", { nowMs: 1_000 }, true],
    ["at the very instant", { nowMs: 1_001 }, false],
    ["one ms after", { nowMs: 1_002 }, false],
    ["on the witness's vote alone", { peerVoteUntilMs: 0, witnessVoteUntilMs: 1_001 }, true],
    ["who does not lead", { leads: false }, false],
    ["after a pause, votes or not", { unverifiedForMs: 1 }, false],
    ["long after an unconfirmed pause", { unverifiedForMs: 9_999, peerVoteUntilMs: 9_999 }, false],
    ["on-air: without any vote", { policy: "on-air", peerVoteUntilMs: 0 }, true],
    ["on-air: who does not lead", { policy: "on-air", leads: false }, false],
    [
      "on-air: one ms before it was awake for a heartbeat since the pause",
      { policy: "on-air", unverifiedForMs: 199 },
      false,
    ],
    ["on-air: once it has", { policy: "on-air", unverifiedForMs: 200 }, true],
  ])("[VT5] %s: %o gives %s", (_what, view, may) => {
    expect(rules.mayAct({ ...ACT, ...view })).toBe(may);
  });
});

describe("epochs", () => {
  test("[EP1] each label mints its own parity above all that is known", () => {
    expect([0, 1, 2, 3].map((known) => rules.nextEpoch(known, "a"))).toEqual([1, 3, 3, 5]);
    expect([0, 1, 2, 3].map((known) => rules.nextEpoch(known, "b"))).toEqual([2, 2, 4, 4]);
  });

  test("[EP3] only a higher epoch overrules", () => {
    expect([4, 5, 6].map((seen) => rules.mustYield(5, seen))).toEqual([false, false, true]);
  });

  test("P6 EP5: a leader on air yields to a higher epoch only if its peer leads in it", () => {
    const stays = (mayAct: boolean) =>
      (["follower", "candidate", "leader"] as const).map((role) => rules.staysOnAir(mayAct, role));
    expect([stays(true), stays(false)]).toEqual([
      [true, true, false],
      [false, false, false],
    ]);
  });

  test("[EP4] only a lower epoch is refused", () => {
    expect([4, 5, 6].map((offered) => rules.admitsEpoch(5, offered))).toEqual([false, true, true]);
    expect(rules.admitsEpoch(5, 5.5)).toBe(false);
  });

  test("[HB2] a heartbeat is fresh only above the last one", () => {
    expect([6, 7, 8].map((n) => rules.heartbeatIsFresh(7, n))).toEqual([false, false, true]);
  });
});

describe("campaigns", () => {
  test.each<[Ask, string, Partial<CampaignView>, boolean]>([
    ["outOfMaintenance", "CP1", {}, true],
    ["outOfMaintenance", "CP1", { maintenanceOn: true }, false],
    ["amongItsOwn", "VT7", {}, true],
    ["amongItsOwn", "VT7", { amongStrangers: true }, false],
    ["outOfQuarantine", "CP5", { quarantineUntilMs: 10_001 }, false],
    ["outOfQuarantine", "CP5", { quarantineUntilMs: 10_000 }, true],
    ["outOfQuarantine", "P4 CP5", { ...QUARANTINED, provenAtMs: 9_250 }, true],
    ["outOfQuarantine", "P4 CP5", { ...QUARANTINED, provenAtMs: 9_249 }, false],
    ["outOfQuarantine", "P4 CP5", { ...QUARANTINED, provenAtMs: 9_250, peer: "silent" }, false],
    ["outOfQuarantine", "P4 CP5", { ...QUARANTINED, provenAtMs: 9_250, deathProofCounts: false }, false],
    ["outOfQuarantine", "P4 CP5", { ...QUARANTINED, provenAtMs: 9_250, peerMet: false }, false],
    ["engineFit", "CP1", { engineFailed: true }, false],
    ["engineFit", "CP1", {}, true],
    ["caughtUp", "CP4", { behind: true }, false],
    ["caughtUp", "CP4", {}, true],
    ["holdDownAllows", "CP6", { heldDown: true }, false],
    ["holdDownAllows", "CP6", { heldDown: true, peer: "dead" }, true],
    ["promiseLapsed", "VT2", { promiseUntilMs: 10_001 }, false],
    ["promiseLapsed", "VT2", { promiseUntilMs: 10_000 }, true],
    ["peerSilent", "CP1", { peer: "suspect" }, false],
    ["peerSilent", "CP1", { peer: "connecting" }, false],
    ["peerSilent", "CP1", { peer: "silent" }, true],
    ["peerSilent", "CP1", { peer: "dead" }, true],
    ["recordStoodStill", "CP2", { recordSinceMs: 9_401 }, false],
    ["recordStoodStill", "CP2", { recordSinceMs: 9_400 }, true],
    ["recordStoodStill", "CP2", { recordSinceMs: null }, false],
    ["recordStoodStill", "CP3", { witness: "unreachable" }, false],
    ["recordStoodStill", "CP3", { witness: "none" }, false],
    ["recordStoodStill", "CP3", { witness: "none", blindAfterMs: 1_001 }, false],
    ["recordStoodStill", "CP3", { witness: "none", blindAfterMs: 1_000 }, true],
    ["provenDead", "DP1", { peer: "dead" }, true],
    ["provenDead", "DP1", { peer: "dead", deathProofCounts: false }, false],
    ["provenDead", "DP1", { peer: "silent" }, false],
    ["provenDead", "P7 DP1", { peer: "dead", peerMet: false, recordSinceMs: 9_401 }, false],
    ["provenDead", "P7 DP1", { peer: "dead", peerMet: false, recordSinceMs: null }, false],
    ["provenDead", "P7 DP1", { peer: "dead", peerMet: false, recordSinceMs: 9_400 }, true],
    ["provenDead", "P7 DP1", { peer: "dead", peerMet: false, witness: "unreachable" }, true],
    ["provenDead", "P7 DP1", { peer: "dead", peerMet: false, witness: "unreachable", peerElsewhere: true }, false],
    ["provenDead", "P7 DP1", { peer: "dead", peerMet: true, recordSinceMs: 9_401 }, true],
    ["electionDue", "CP7", { electionDue: true }, true],
    ["electionDue", "CP7", {}, false],
  ])("%s [%s] %o: %s", (rule, _id, view, answer) => {
    expect(rules[rule]({ ...CAMPAIGN, ...view })).toBe(answer);
  });

  test("[CP5] a pause is a gap of more than half a lease on either clock", () => {
    expect(rules.pauseSuspected(leaseMs / 2, leaseMs / 2, leaseMs)).toBe(false);
    expect(rules.pauseSuspected(leaseMs / 2 + 1, 0, leaseMs)).toBe(true);
    expect(rules.pauseSuspected(0, leaseMs / 2 + 1, leaseMs)).toBe(true);
    expect(rules.pauseSuspected(0, -60_000, leaseMs)).toBe(false);
  });

  test("[DP1] only a refusal is death", () => {
    expect((["refused", "unknown", "alive"] as const).map((result) => rules.provesDeath(result))).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe("[SB4] [RL3] the proof of the lock", () => {
  const lockId = makeId("lock", "1");
  const standing = { holder: "a", lockId, fence: 7, ttlMs: 3_000, expiresMs: 1 };

  test.each([
    ["the holder of the standing lock", standing, { lockId, fence: 7 }, 7, true],
    ["who names no fence", standing, { lockId, fence: null }, 7, true],
    ["another id", standing, { lockId: makeId("lock", "2"), fence: 7 }, 7, false],
    ["an earlier fence of the same id", standing, { lockId, fence: 6 }, 6, false],
    ["a fence below one that has worked here", standing, { lockId, fence: 7 }, 8, false],
    ["when nobody holds it", null, { lockId, fence: 7 }, 0, false],
  ] as const)("[SB4] [RL3] %s", (_who, lock, claimed, floor, proves) => {
    expect(rules.lockProves(lock, claimed, floor)).toBe(proves);
  });
});

describe("commands", () => {
  test("[HO2] the pair holds a command once the follower has said so of that very one", () => {
    expect([4, 5, 6].map((throughSeq) => rules.heldByPair(throughSeq, 5))).toEqual([false, true, true]);
  });

  test("[HO2] only the next command is executed", () => {
    expect([4, 5, 6].map((seq) => rules.isNextToExecute(4, seq))).toEqual([false, true, false]);
  });
});
