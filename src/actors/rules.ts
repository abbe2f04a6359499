/**
 * Every decision on which the pair's safety rests, each a named pure function with the id of its rule. The
 * simulator replaces one at a time by a wrong one and must then find a broken invariant: so each is proven necessary.
 * Keeps true: nothing here has effects or memory.
 */
import { nextEpoch, type Epoch } from "../core/epoch.ts";
import { admits, extendVote, grantWindowMs } from "../core/claim.ts";
import type { EngineId, Label } from "../core/ids.ts";
import type { Role } from "../core/messages.ts";
import type { FailoverSettings } from "../core/settings.ts";
import type { Clock } from "../ports/basics.ts";
import type { ProbeResult } from "../ports/peer-channel.ts";
import type { LockState, WitnessRecord } from "../ports/witness.ts";

/** All that `mayAct` looks at. Monotonic ms. */
export interface ActView {
  readonly leads: boolean;
  readonly nowMs: number;
  readonly peerVoteUntilMs: number;
  readonly witnessVoteUntilMs: number;
  readonly policy: FailoverSettings["policy"];
  /** How long it has been awake since a pause without an answer that confirms it, ms; null: it waits for none. */
  readonly unverifiedForMs: number | null;
  readonly heartbeatMs: number;
  /** Its loop stood still, and its watch has offered the role to the peer [EN5]. */
  readonly gaveAway: boolean;
}

/** All that the guards of a campaign look at. Monotonic ms. */
export interface CampaignView {
  readonly nowMs: number;
  readonly maintenanceOn: boolean;
  readonly quarantineUntilMs: number;
  /** When it began: the last start, pause or loss of memory of the witness. */
  readonly quarantinedAtMs: number;
  /** When the probe was sent that proved the peer's death last; 0: none did. */
  readonly provenAtMs: number;
  /** Whether the peer has been heard in this life. */
  readonly peerMet: boolean;
  /** The record was rewritten by another long after the address of the peer had begun to refuse, before it was ever met. */
  readonly peerElsewhere: boolean;
  readonly promiseUntilMs: number;
  readonly engineFailed: boolean;
  /** Behind what a client has been told, and the patience of [CP4] is not exhausted. */
  readonly behind: boolean;
  readonly heldDown: boolean;
  readonly heldDownUntilMs: number | null;
  /** When an engine that is behind leads all the same; null: never, or it is not behind. */
  readonly patienceEndsMs: number | null;
  readonly peer: "connecting" | "alive" | "suspect" | "silent" | "dead";
  /** Since when the very same witness record has been seen; null: not seen, or no witness is reachable. */
  readonly recordSinceMs: number | null;
  /** A witness that shows a record of strangers is as one out of reach [VT7]. */
  readonly witness: "reachable" | "unreachable" | "none";
  /** It shows a record of strangers, and this engine has never met its peer [VT7]. */
  readonly amongStrangers: boolean;
  /** Its peer has refused it for another engine, and was not heard since [ID2]. */
  readonly refusedByPeer: boolean;
  readonly waitMs: number;
  /** Silence after which to lead blind; null: never. */
  readonly blindAfterMs: number | null;
  readonly peerLastHeardMs: number;
  readonly deathProofCounts: boolean;
  readonly electionDue: boolean;
  /** What the peer said that it is; null: it was never heard. */
  readonly peerRole: Role | null;
  /** From then on the peer is silent, unless it is heard. */
  readonly silentAtMs: number;
  /** Until then this engine's vote is given away [CP7]. */
  readonly grantedUntilMs: number;
  /** It has given its role up for good. */
  readonly retired: boolean;
  readonly handoverUnderWay: boolean;
  /** It has lost a campaign, and begins no other before this. */
  readonly retryAtMs: number;
}

/** What the judgement on the witness record looks at. */
export type RecordView = Pick<
  CampaignView,
  "witness" | "recordSinceMs" | "nowMs" | "waitMs" | "blindAfterMs" | "peerLastHeardMs"
>;

/** What a leader knows of the reconcile lock that it finds held. */
export interface LockView {
  /** The leader that acquired it; null: not an engine's own recovery. */
  readonly holder: { readonly label: Label; readonly epoch: Epoch } | null;
  /** Of this engine, and the epoch that it leads in. */
  readonly label: Label;
  readonly epoch: Epoch;
  readonly peerDead: boolean;
}

/** What a leader knows of its own engine and disk. */
export interface FitnessView {
  /** The disk refuses writes. */
  readonly storeFailed: boolean;
  /** The engine's process is gone, stands still or has lost its state. */
  readonly engineLost: boolean;
  /** How long the engine has reported that it failed, ms; 0: it does not. */
  readonly failedMs: number;
  readonly unhealthyHoldMs: number;
}

/** What a leader looks at before it gives its role back to the preferred engine. */
export interface SwitchBackView {
  readonly label: Label;
  readonly preferred: Label | "none";
  readonly switchBack: FailoverSettings["switchBack"];
  /** It leads, may act, and its role is not on the move. */
  readonly settled: boolean;
  /** A person brought the role here, or the peer gave it as a switch-back. */
  readonly placed: boolean;
  readonly maintenanceOn: boolean;
  readonly heldDown: boolean;
  /** How long the peer has been heard, healthy and caught up without a break; null: it is not. */
  readonly peerReadyMs: number | null;
  readonly delayMs: number;
}

/** Why the role does not go back yet, in stable words; empty: it does now. */
export type SwitchBackWait =
  "peer-not-ready" | "delay" | "maintenance" | "hold-down" | "placed-by-a-person" | "not-settled";

/** One moment of a leader's life: its start, its epoch, its last heartbeat. */
export interface LeadersMoment {
  readonly incarnation: string;
  readonly epoch: Epoch;
  readonly n: number;
}

export interface Rules {
  /** The clock that decides [VT2]. */
  nowMs(clock: Clock): number;
  /** [EP1] */
  nextEpoch(known: Epoch, label: Label): Epoch;
  /** [EP3] */
  mustYield(own: Epoch, seen: Epoch): boolean;
  /** [EP5] Whether a leader goes on although its peer names a higher epoch: it may act, and the peer does not lead. */
  staysOnAir(mayAct: boolean, peerRole: Role): boolean;
  /** [EP4] */
  admitsEpoch(accepted: Epoch, offered: Epoch): boolean;
  /** [HB2] */
  heartbeatIsFresh(lastN: number, n: number): boolean;
  /** [VT2] [VT3] */
  voteUntilMs(untilMs: number, sentAtMs: number, answeredAtMs: number, leaseMs: number): number;
  /** [HO1] */
  grantUntilMs(requestedAtMs: number, grantedAtMs: number, settings: FailoverSettings): number;
  /** [VT5] */
  mayAct(view: ActView): boolean;
  /** [VT5] How much of the time between two looks at the clock an engine that waits for an answer was awake, ms. */
  awakeMs(gapMs: number, heartbeatMs: number): number;
  /** [VT7] Whether a record belongs to this engine's pair; `peerId`: the pinned peer, null before one is met. */
  recordIsOurs(record: WitnessRecord, selfId: EngineId, peerId: EngineId | null): boolean;
  /** [CP5] Two ticks lie further apart than they should, on either clock. */
  pauseSuspected(monoGapMs: number, unixGapMs: number, leaseMs: number): boolean;
  outOfMaintenance(view: CampaignView): boolean;
  /** [VT7] */
  amongItsOwn(view: CampaignView): boolean;
  /** [ID2] An engine that its peer does not take for the pair's waits for a person, however silent that peer is. */
  belongsToPair(view: CampaignView): boolean;
  /** [CP5] */
  outOfQuarantine(view: CampaignView): boolean;
  engineFit(view: CampaignView): boolean;
  /** [CP4] */
  caughtUp(view: CampaignView): boolean;
  /** [CP6] */
  holdDownAllows(view: CampaignView): boolean;
  /** [VT2] */
  promiseLapsed(view: CampaignView): boolean;
  /** [CP1] */
  peerSilent(view: CampaignView): boolean;
  /** [CP2] [CP3] */
  recordStoodStill(view: RecordView): boolean;
  /** [DP1] [VT7] */
  provenDead(view: CampaignView): boolean;
  /** [CP7] */
  electionDue(view: CampaignView): boolean;
  /** [DP1] Only a refusal is death. */
  provesDeath(result: ProbeResult): boolean;
  /** [HO5] [EN6] [EN7] Whether a leader offers its role. What is certain is not waited for. */
  givesRoleAway(view: FitnessView): boolean;
  /** [HO9] What keeps a leader from giving its role back to the preferred engine; null: it is in its place already. */
  switchBackWaits(view: SwitchBackView): readonly SwitchBackWait[] | null;
  /** [EN5] A report of a stalled leader is void once a newer heartbeat of it was heard. `last`: the last one heard. */
  stallIsFresh(report: LeadersMoment, last: LeadersMoment): boolean;
  /** [EN11] Whether the state of the engine may be stored or sent as the pair's. `trusted`: nothing says that it was lost. */
  isPairsState(trusted: boolean): boolean;
  /** [SB4] */
  lockProves(
    standing: LockState | null,
    claimed: { lockId: string; fence: number | null },
    fenceFloor: number,
  ): boolean;
  /** [SB7] Only the lock of an engine that is dead, or of a leadership that is over. */
  mayBreakLock(view: LockView): boolean;
  /** A `pair` acknowledgement needs the follower's word for that very command. */
  heldByPair(throughSeq: number, seq: number): boolean;
  /** What was published in one epoch is written back only in that epoch. */
  writesBack(publishedIn: Epoch, now: Epoch): boolean;
  /** [HO6] When the leadership ends, only a command that was never stored is refused; the fate of a stored one is unknown. */
  isRefusal(stored: boolean): boolean;
  /** [HO8] One idempotency key is one command: only a command with the same content may use it again. */
  isSameCommand(digest: string, known: string): boolean;
  /** Exactly once, in order. */
  isNextToExecute(lastExecutedSeq: number, seq: number): boolean;
  /** [CH6] Whether the mailbox of a statechart takes an event. It always does; a test drops one to see who notices. */
  receives(chart: string, event: string): boolean;
}

export const trueRules: Rules = {
  nowMs: (clock) => clock.monoMs(),
  nextEpoch,
  mustYield: (own, seen) => seen > own,
  staysOnAir: (mayAct, peerRole) => mayAct && peerRole !== "leader",
  admitsEpoch: admits,
  heartbeatIsFresh: (lastN, n) => n > lastN,
  voteUntilMs: (untilMs, sentAtMs, _answeredAtMs, leaseMs) => extendVote(untilMs, sentAtMs, leaseMs),
  grantUntilMs: (requestedAtMs, _grantedAtMs, settings) =>
    requestedAtMs + grantWindowMs(settings.handoverMs, settings.maxClockDriftPpm, settings.quiesceMs),
  mayAct,
  awakeMs: (gapMs, heartbeatMs) => (gapMs <= heartbeatMs / 2 ? gapMs : 0),
  pauseSuspected: (monoGapMs, unixGapMs, leaseMs) => monoGapMs > leaseMs / 2 || unixGapMs > leaseMs / 2,
  recordIsOurs: ({ engineId }, selfId, peerId) => engineId === selfId || engineId === peerId,
  outOfMaintenance: (view) => !view.maintenanceOn,
  amongItsOwn: (view) => !view.amongStrangers,
  belongsToPair: (view) => !view.refusedByPeer,
  outOfQuarantine: (view) => view.nowMs >= view.quarantineUntilMs || proofEndsQuarantine(view),
  engineFit: (view) => !view.engineFailed,
  caughtUp: (view) => !view.behind,
  holdDownAllows: (view) => !view.heldDown || view.peer === "dead",
  promiseLapsed: (view) => view.nowMs >= view.promiseUntilMs,
  peerSilent: (view) => view.peer === "silent" || view.peer === "dead",
  recordStoodStill,
  provenDead: (view) =>
    view.deathProofCounts && view.peer === "dead" && (view.peerMet || !(recordMoves(view) || view.peerElsewhere)),
  electionDue: (view) => view.electionDue,
  provesDeath: (result) => result === "refused",
  givesRoleAway: ({ storeFailed, engineLost, failedMs, unhealthyHoldMs }) =>
    storeFailed || engineLost || failedMs >= unhealthyHoldMs,
  switchBackWaits,
  stallIsFresh: (report, last) =>
    report.incarnation === last.incarnation && report.epoch === last.epoch && report.n >= last.n,
  isPairsState: (trusted) => trusted,
  lockProves: (standing, claimed, fenceFloor) =>
    standing !== null &&
    standing.lockId === claimed.lockId &&
    (claimed.fence === null || claimed.fence === standing.fence) &&
    standing.fence >= fenceFloor,
  // A lock of this engine's own name that it does not hold is left from an earlier life.
  mayBreakLock: ({ holder, label, epoch, peerDead }) =>
    holder !== null && (holder.label === label || epoch > holder.epoch || peerDead),
  heldByPair: (throughSeq, seq) => throughSeq >= seq,
  writesBack: (publishedIn, now) => publishedIn === now,
  isRefusal: (stored) => !stored,
  isSameCommand: (digest, known) => digest === known,
  isNextToExecute: (lastExecutedSeq, seq) => seq === lastExecutedSeq + 1,
  receives: () => true,
};

/** A promise binds only towards a living leader: a probe sent since then has proven the death of a peer that was met. */
function proofEndsQuarantine(view: CampaignView): boolean {
  return view.deathProofCounts && view.peer === "dead" && view.peerMet && view.provenAtMs >= view.quarantinedAtMs;
}

/**
 * Of a peer that was never met, the address alone may be wrong: while the record is rewritten, the pair lives, and this
 * engine is a stray one on a copy of a data folder [VT7]. Once that has shown, the address proves nothing without the witness
 * either.
 */
function recordMoves(view: CampaignView): boolean {
  return view.witness === "reachable" && !recordStoodStill(view);
}

function switchBackWaits(view: SwitchBackView): readonly SwitchBackWait[] | null {
  if (view.switchBack === "never" || view.preferred === "none" || view.preferred === view.label) return null;
  const waits: SwitchBackWait[] = [];
  if (!view.settled) waits.push("not-settled");
  if (view.placed) waits.push("placed-by-a-person");
  if (view.maintenanceOn) waits.push("maintenance");
  if (view.heldDown) waits.push("hold-down");
  if (view.peerReadyMs === null) waits.push("peer-not-ready");
  else if (view.peerReadyMs < view.delayMs) waits.push("delay");
  return waits;
}

function mayAct(view: ActView): boolean {
  if (!view.leads || view.gaveAway) return false;
  const confirmed = view.nowMs < Math.max(view.peerVoteUntilMs, view.witnessVoteUntilMs);
  if (view.policy === "consistency") return confirmed && view.unverifiedForMs === null;
  return view.unverifiedForMs === null || view.unverifiedForMs >= view.heartbeatMs;
}

function recordStoodStill(view: RecordView): boolean {
  if (view.witness === "reachable") {
    return view.recordSinceMs !== null && view.nowMs >= view.recordSinceMs + view.waitMs;
  }
  return view.blindAfterMs !== null && view.nowMs >= view.peerLastHeardMs + view.blindAfterMs;
}
