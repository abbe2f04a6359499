/**
 * Purpose: a wrong decision for each rule on which safety rests; the simulator must find every one of them.
 * Keeps true: a rule whose planted bug goes unfound is either not needed or not proven, and fails the build.
 */
import { trueRules, type SwitchBackWait } from "../../actors/rules.ts";
import {
  actForWholeLease,
  allMustRefuse,
  checkpointAhead,
  countConflicts,
  followStamps,
  forgetKeys,
  forgetStart,
  hideStrangers,
  keepAnswersHere,
  neverLook,
  neverWithdraw,
  releaseAnyLock,
  saveEpochsLate,
  swapWhateverStands,
  tellOnce,
} from "./lying-ports.ts";
import type { Fault } from "../faults/catalogue.ts";
import type { PlantedBug } from "./planted-bug.ts";

/** Both engines of the pair have lost their record when others come, so that those own the witness for a while. */
const STRANGERS_COME: readonly Fault[] = (["stray-engine", "second-pair"] as const).flatMap((kind, index) => {
  const atMs = 5_000 + 11_000 * index;
  return [
    { kind: "witness-cut", atMs, forMs: 3_000, target: "a", amount: 0.5 },
    { kind: "witness-cut", atMs, forMs: 3_000, target: "b", amount: 0.5 },
    { kind: "witness-amnesia", atMs: atMs + 200, forMs: 0, target: "a", amount: 0.5 },
    { kind, atMs: atMs + 300, forMs: 9_000, target: "a", amount: 0.3 },
  ];
});

/** The pair does well when an engine on a copy of each folder comes, for longer than the patience of [CP4]; nobody listens at its peer's. */
const COPIES_COME: readonly Fault[] = (["a", "b"] as const).map((target, index) => ({
  ...{ kind: "copied-folder", atMs: 6_000 + 9_000 * index, forMs: 8_000, target, amount: 0.5 },
}));

/** A person asks one engine, and then the other one with the same `requestId`. */
const ASKED_ELSEWHERE = { kind: "force-leader", forMs: 1_500, amount: 0.6 } as const;

/**
 * The table. Three rules are not in it, since others imply them and no world can tell them from true: `peerSilent` (a
 * heartbeat is a sight of the record, and the ground of a campaign is asked again before the swap), `isNextToExecute`
 * (the queue holds only what comes next), `electionDue` (the peer's vote decides).
 */
export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: "vote counted from its acknowledgement",
    rule: "VT2",
    bites: ["VT5", "I1", "I4"],
    policy: "consistency",
    rules: { voteUntilMs: (untilMs, _sentAtMs, answeredAtMs, leaseMs) => Math.max(untilMs, answeredAtMs + leaseMs) },
  },
  {
    name: "wall clock instead of monotonic",
    rule: "VT2",
    bites: ["VT5", "I1", "I4", "I5"],
    policy: "consistency",
    rules: { nowMs: (clock) => clock.unixMs() },
  },
  { name: "parity ignored", rule: "EP1", bites: ["I3"], policy: "on-air", rules: { nextEpoch: (known) => known + 1 } },
  { name: "epoch not persisted first", rule: "EP2", bites: ["I3"], policy: "on-air", wrapPorts: saveEpochsLate },
  {
    name: "higher epoch ignored",
    rule: "EP3",
    bites: ["VT5", "I1", "I2", "I3", "I7", "I10"],
    policy: "on-air",
    rules: { mustYield: () => false },
  },
  {
    name: "leader yields to an engine that returns",
    rule: "EP5",
    bites: ["I20"],
    policy: "on-air",
    rules: { staysOnAir: () => false },
  },
  {
    name: "lower epoch admitted",
    rule: "EP4",
    bites: ["I2", "I7", "I9", "VT5"],
    policy: "on-air",
    rules: { admitsEpoch: () => true },
  },
  {
    name: "stale heartbeat accepted",
    rule: "HB2",
    bites: ["HB2"],
    policy: "on-air",
    rules: { heartbeatIsFresh: () => true },
  },
  {
    name: "key not checked on the second link",
    rule: "ID1",
    bites: ["I18"],
    policy: "on-air",
    identityRules: { isPinnedKey: (pinned, { key, link }) => link === "blue" || key === pinned },
  },
  {
    name: "signature without the nonces",
    rule: "ID1",
    bites: ["I18"],
    policy: "on-air",
    identityRules: { signedText: (text) => text.replaceAll(/"(nonce|share)":"[^"]*"/g, "") },
  },
  {
    name: "a hello ends the living connection",
    rule: "ID1",
    bites: ["I18"],
    policy: "on-air",
    identityRules: { displacesUnproven: true },
  },
  {
    name: "starts told apart by the wall clock",
    rule: "HB2",
    bites: ["I7", "I19"],
    policy: "on-air",
    wrapPorts: forgetStart,
  },
  {
    name: "no check at the effect",
    rule: "VT5",
    bites: ["VT5", "I1"],
    policy: "consistency",
    rules: { mayAct: (view) => view.leads },
  },
  {
    name: "the wait for an answer goes on in its sleep",
    rule: "VT5",
    bites: ["VT5"],
    policy: "on-air",
    // Nobody can answer the leader, which sleeps for long, wakes, and sleeps for a short while.
    faults: [
      { kind: "isolation", atMs: 5_000, forMs: 4_000, target: "a", amount: 0.5 },
      { kind: "pause", atMs: 6_000, forMs: 500, target: "a", amount: 0.5 },
      { kind: "stall", atMs: 6_520, forMs: 250, target: "a", amount: 0.5 },
    ],
    rules: { awakeMs: (gapMs) => gapMs },
  },
  {
    name: "swap without epoch",
    rule: "VT3",
    bites: ["VT5", "I1", "I2"],
    policy: "consistency",
    wrapPorts: swapWhateverStands,
  },
  {
    name: "campaign during a promise",
    rule: "VT2",
    bites: ["VT5", "I1", "I5"],
    policy: "consistency",
    rules: { promiseLapsed: () => true },
  },
  {
    name: "unmoved record not waited for",
    rule: "CP2",
    bites: ["VT5", "I1"],
    policy: "consistency",
    rules: { recordStoodStill: () => true },
  },
  {
    name: "led while behind",
    rule: "CP4",
    bites: ["I5"],
    policy: "on-air",
    rules: { caughtUp: () => true },
  },
  {
    name: "quarantine skipped",
    rule: "CP5",
    bites: ["VT5", "I1", "I5"],
    policy: "consistency",
    rules: { outOfQuarantine: () => true },
  },
  {
    name: "pause not noticed",
    rule: "CP5",
    bites: ["VT5", "I1", "I5"],
    policy: "consistency",
    rules: { pauseSuspected: () => false },
  },
  {
    name: "stranger's record obeyed",
    rule: "VT7",
    bites: ["VT7"],
    policy: "on-air",
    rules: { recordIsOurs: () => true },
  },
  {
    name: "what a stranger has released is free",
    rule: "VT7",
    bites: ["VT7"],
    policy: "on-air",
    // Only a stranger that lives, and stops, releases its record.
    faults: STRANGERS_COME,
    witness: true,
    rules: { recordIsOurs: ({ engineId, released }, self, peer) => released || engineId === self || engineId === peer },
  },
  {
    name: "a stranger's record of few commands is overwritten",
    rule: "VT7",
    bites: ["VT7", "A35"],
    policy: "on-air",
    faults: STRANGERS_COME,
    witness: true,
    rules: {
      recordIsOurs: ({ engineId, lastCommandSeq }, self, peer) =>
        lastCommandSeq === 0 || engineId === self || engineId === peer,
    },
  },
  {
    name: "a stranger's record told as no answer",
    rule: "VT7",
    bites: ["A35"],
    policy: "on-air",
    faults: STRANGERS_COME,
    witness: true,
    wrapPorts: hideStrangers,
  },
  {
    name: "death proven of a peer that was never met",
    rule: "DP1",
    bites: ["VT7"],
    policy: "on-air",
    faults: COPIES_COME,
    witness: true,
    rules: { provenDead: ({ deathProofCounts, peer }) => deathProofCounts && peer === "dead" },
  },
  {
    name: "an engine that its peer refuses leads",
    rule: "ID2",
    bites: ["ID2"],
    policy: "on-air",
    // A witness holds it back as well: its record says how far the pair had come.
    witness: false,
    faults: [{ kind: "survivor-dies", target: "b", atMs: 4_000, forMs: 9_000, amount: 0.5 }],
    rules: { belongsToPair: () => true },
  },
  { name: "hold-down ignored", rule: "CP6", bites: ["I11"], policy: "on-air", rules: { holdDownAllows: () => true } },
  {
    name: "maintenance ignored",
    rule: "CP1",
    bites: ["I5"],
    policy: "on-air",
    rules: { outOfMaintenance: () => true },
  },
  { name: "failed engine campaigns", rule: "CP1", bites: ["I5"], policy: "on-air", rules: { engineFit: () => true } },
  {
    name: "death proof taken from a time-out",
    rule: "DP1",
    bites: ["VT5", "I1", "I5"],
    policy: "on-air",
    rules: { provesDeath: (result) => result !== "alive" },
  },
  {
    name: "every address must refuse",
    rule: "DP1",
    bites: ["DP1"],
    policy: "on-air",
    wrapPorts: allMustRefuse,
  },
  {
    name: "ready in a quarantine that no proof ends",
    rule: "CP5",
    bites: ["DP1"],
    policy: "on-air",
    rules: {
      outOfQuarantine: ({ nowMs, quarantineUntilMs, provenAtMs }) => nowMs >= quarantineUntilMs || provenAtMs === nowMs,
    },
  },
  {
    name: "leader keeps its role on a full disk",
    rule: "EN7",
    bites: ["EN7"],
    policy: "on-air",
    rules: { givesRoleAway: ({ engineLost, failedMs, unhealthyHoldMs }) => engineLost || failedMs >= unhealthyHoldMs },
  },
  {
    name: "role given back to an engine that is not ready",
    rule: "HO9",
    bites: ["HO9"],
    policy: "on-air",
    rules: { switchBackWaits: (view) => but(trueRules.switchBackWaits(view), "peer-not-ready", "delay") },
  },
  {
    name: "role given back against a person",
    rule: "HO9",
    bites: ["HO9"],
    policy: "on-air",
    rules: { switchBackWaits: (view) => but(trueRules.switchBackWaits(view), "maintenance", "placed-by-a-person") },
  },
  {
    name: "nobody looks at the engine",
    rule: "EN9",
    bites: ["I16", "I9", "I7"],
    policy: "on-air",
    wrapPorts: neverLook,
  },
  {
    name: "state of a blank engine taken for the pair's",
    rule: "EN11",
    bites: ["I16"],
    policy: "on-air",
    rules: { isPairsState: () => true },
  },
  {
    name: "engine told to act for a whole lease",
    rule: "EN12",
    bites: ["EN12"],
    policy: "consistency",
    wrapPorts: actForWholeLease,
  },
  {
    name: "script not ended with its leadership",
    rule: "HO7",
    bites: ["HO7"],
    policy: "on-air",
    wrapPorts: neverWithdraw,
  },
  { name: "device told once", rule: "HO7", bites: ["HO7"], policy: "on-air", wrapPorts: tellOnce },
  {
    name: "lock of a dead winner left to its end",
    rule: "SB7",
    bites: ["I19"],
    policy: "on-air",
    rules: { mayBreakLock: () => false },
  },
  {
    name: "handover grant counted too long",
    rule: "HO1",
    bites: ["VT5", "I1", "EN12"],
    policy: "consistency",
    rules: { grantUntilMs: (_requestedAtMs, grantedAtMs, settings) => grantedAtMs + 4 * settings.handoverMs },
  },
  {
    name: "command acknowledged before the follower has it",
    rule: "HO2",
    bites: ["I9"],
    policy: "on-air",
    rules: { heldByPair: () => true },
  },
  {
    name: "checkpoint ahead of its state",
    rule: "HO2",
    bites: ["I16", "I9"],
    policy: "on-air",
    wrapPorts: checkpointAhead,
  },
  { name: "idempotency key forgotten", rule: "HO2", bites: ["I9"], policy: "on-air", wrapPorts: forgetKeys },
  {
    name: "answer to a person's request not told to the peer",
    rule: "HO4",
    bites: ["I8"],
    policy: "on-air",
    faults: ["a", "b"].flatMap((target, index) =>
      [4_000, 9_000].map((atMs) => ({ ...ASKED_ELSEWHERE, target: target as "a" | "b", atMs: atMs + 10_000 * index })),
    ),
    wrapPorts: keepAnswersHere,
  },
  {
    name: "stored command refused when the leadership ends",
    rule: "HO6",
    bites: ["I17"],
    policy: "on-air",
    rules: { isRefusal: () => true },
  },
  {
    name: "key used for another command",
    rule: "HO8",
    bites: ["I17"],
    policy: "on-air",
    rules: { isSameCommand: () => true },
  },
  {
    name: "snapshot applied without lock",
    rule: "SB4",
    bites: ["I14"],
    policy: "on-air",
    rules: { lockProves: () => true },
  },
  { name: "conflicts counted in the clock", rule: "SB6", bites: ["I15"], policy: "on-air", wrapPorts: countConflicts },
  {
    name: "stamps of the peer's commands believed",
    rule: "CK1",
    bites: ["CK1"],
    policy: "on-air",
    wrapPorts: followStamps,
    faults: [
      { kind: "clock-wrong", target: "a", atMs: 4_000, forMs: 8_000, amount: 0.6 },
      { kind: "clock-wrong", target: "b", atMs: 16_000, forMs: 8_000, amount: 0.6 },
    ],
  },
  { name: "lock released without id", rule: "RL1", bites: ["I14"], policy: "on-air", wrapPorts: releaseAnyLock },
];

/** What keeps the role back, without some reasons. */
function but(waits: readonly SwitchBackWait[] | null, ...ignored: readonly SwitchBackWait[]): typeof waits {
  return waits?.filter((wait) => !ignored.includes(wait)) ?? null;
}
