/**
 * Purpose: judges whether, why and when this engine may campaign, from all that bears on it.
 * Does not know: timers and the statechart; it only looks [CP1–CP7].
 */
import { comparePositions, hasBetterClaim, type Claim } from "../core/claim.ts";
import type { LogPosition } from "../core/command.ts";
import { otherLabel } from "../core/ids.ts";
import type { Ground, Mover, UsableRead } from "../../machines/campaign.machine.ts";
import type { AutomaticGround, CampaignVerdict } from "../../machines/leadership.machine.ts";
import { campaignVerdict, nextLookMs, notAtOnce } from "./campaign-verdict.ts";
import type { WitnessRecord } from "../ports/witness.ts";
import type { Election } from "./election.ts";
import type { EpochBook } from "./epoch-book.ts";
import type { Kit } from "./kit.ts";
import type { PeerMonitor } from "./peer-monitor.ts";
import type { Restraints } from "./restraints.ts";
import type { CampaignView } from "./rules.ts";
import type { WitnessVote } from "./witness-vote.ts";

export interface JudgeDeps {
  readonly book: EpochBook;
  readonly monitor: PeerMonitor;
  readonly witness: WitnessVote;
  readonly restraints: Restraints;
  readonly election: () => Election;
  /** Whether the peer can be asked at all. */
  linked(): boolean;
  position(): LogPosition;
  /** Whether this engine has given up leading for good. */
  retired(): boolean;
  handoverUnderWay(): boolean;
  /** Whether the peer has refused this engine for another one [ID2]. */
  refusedByPeer(): boolean;
}

const AUTOMATION = "automation";

export class CampaignJudge {
  readonly #kit: Kit;
  readonly #deps: JudgeDeps;
  /** The best position that a leader has told or the witness bears [CP4]. */
  #told: LogPosition = { epoch: 0, seq: 0 };
  #proof: { readonly provenAtMs: number; readonly look: Promise<UsableRead> | null } = { provenAtMs: 0, look: null };
  #everLed = false;
  /** When this engine stopped leading: what the peer said before that says nothing of who leads now. */
  #ledUntilMs = Number.NEGATIVE_INFINITY;
  /** The record when a peer that was never met had refused for `waitMs`; null: it has not. */
  #standing: Pick<WitnessRecord, "epoch" | "seq"> | null = null;
  #refusedSinceMs: number | null = null;
  #peerElsewhere = false;

  constructor(kit: Kit, deps: JudgeDeps) {
    this.#kit = kit;
    this.#deps = deps;
  }

  /** How long a promise binds and a record must stand still [VT2], ms. */
  get waitMs(): number {
    const { policy, campaignWaitMs, leaseMs } = this.#kit.failover;
    return policy === "consistency" ? campaignWaitMs : leaseMs;
  }

  claim(): Claim {
    return {
      label: this.#kit.options.label,
      healthy: this.#kit.ports.engine.health() !== "failed" && !this.#deps.retired(),
      acceptedEpoch: this.#deps.book.accepted,
      log: this.#deps.position(),
    };
  }

  /** A leader has told how far clients were answered. */
  told(position: LogPosition): void {
    if (comparePositions(position, this.#told) > 0) this.#told = position;
  }

  /** The peer's death was proven by a probe sent at `atMs` [DP1]; `look`: the witness record, read since then. */
  proven(atMs: number, look: Promise<UsableRead> | null): void {
    this.#proof = { provenAtMs: atMs, look };
  }

  /** This engine leads: what was told before is its own now. */
  led(): void {
    this.#everLed = true;
    this.#standing = this.#refusedSinceMs = null;
    this.#told = { epoch: 0, seq: 0 };
  }

  /** This engine leads no more. */
  stoppedLeading(): void {
    this.#ledUntilMs = this.#kit.ports.clock.monoMs();
  }

  /** Whether a campaign may begin now [CH3]. */
  verdict(): CampaignVerdict {
    this.#lookForThePair();
    return campaignVerdict(this.view(), this.#kit.rules);
  }

  /** When to judge again, ms from now; null: no clock brings a change. */
  againMs(): number | null {
    const atMs = nextLookMs(this.view());
    return atMs === null ? null : atMs - this.#kit.nowMs();
  }

  /** What `ground` rests on. */
  groundOf(ground: AutomaticGround): Ground {
    return ground === "death-proof" ? { kind: ground, ...this.#proof } : { kind: ground };
  }

  /** Why this engine would not take over at once if its peer were proven dead now. */
  notAtOnce(): CampaignVerdict {
    return notAtOnce(this.view(), this.#kit.rules);
  }

  mover(ground: Ground): Mover {
    if (!this.#everLed && this.#deps.book.accepted === 0)
      return { cause: "cold-start", by: AUTOMATION, reason: "first start" };
    if (ground.kind === "election") return { cause: "cold-start", by: AUTOMATION, reason: "neither engine led" };
    const cause = ground.kind === "death-proof" || ground.kind === "blind" ? ground.kind : "silence";
    return { cause, by: AUTOMATION, reason: `the peer is ${this.#deps.monitor.state}` };
  }

  view(): CampaignView {
    const { monitor, restraints, witness } = this.#deps;
    const released = witness.record?.released === true;
    return {
      nowMs: this.#kit.nowMs(),
      maintenanceOn: restraints.maintenanceOn,
      quarantineUntilMs: restraints.quarantineUntilMs,
      quarantinedAtMs: restraints.quarantinedAtMs,
      provenAtMs: this.#proof.provenAtMs,
      peerMet: monitor.last !== null,
      peerElsewhere: this.#peerElsewhere,
      promiseUntilMs: released ? 0 : monitor.promiseUntilMs,
      engineFailed: this.#kit.ports.engine.health() === "failed",
      behind: this.isBehind() && !monitor.alive && !restraints.patienceIsOver(),
      heldDown: restraints.heldDownUntilMs() !== null,
      heldDownUntilMs: restraints.heldDownUntilMs(),
      patienceEndsMs: restraints.patienceEndsMs,
      peer: monitor.state,
      recordSinceMs: released ? 0 : (witness.sighting?.sinceMs ?? null),
      witness: !witness.configured ? "none" : witness.usable ? "reachable" : "unreachable",
      amongStrangers: witness.amongStrangers,
      refusedByPeer: this.#deps.refusedByPeer(),
      waitMs: this.waitMs,
      blindAfterMs: this.#blindAfterMs,
      peerLastHeardMs: monitor.lastHeardMs,
      deathProofCounts: this.#kit.failover.deathProof === "refused",
      electionDue: this.electionDue(),
      peerRole: monitor.last?.heartbeat.role ?? null,
      silentAtMs: monitor.silentAtMs,
      grantedUntilMs: this.#deps.election().grantedUntilMs,
      retired: this.#deps.retired(),
      handoverUnderWay: this.#deps.handoverUnderWay(),
      retryAtMs: restraints.retryAtMs,
    };
  }

  /**
   * Whoever rewrites the record for longer than a dead leader's last rewrite is on its way does not live at the address that
   * refuses [VT7].
   */
  #lookForThePair(): void {
    const { monitor, witness } = this.#deps;
    if (monitor.last !== null || this.#peerElsewhere) return;
    if (monitor.state !== "dead") return void (this.#standing = this.#refusedSinceMs = null);
    this.#refusedSinceMs ??= this.#kit.nowMs();
    const { record } = witness;
    if (record === null || !witness.usable || this.#kit.nowMs() < this.#refusedSinceMs + this.waitMs) return;
    this.#standing ??= record;
    const { epoch, seq } = this.#standing;
    this.#peerElsewhere = record.epoch > epoch || (record.epoch === epoch && record.seq > seq);
  }

  /** Both are alive and neither leads: the better claim asks [CP7], if there is a link to ask over. */
  electionDue(): boolean {
    const last = this.#deps.monitor.last;
    if (!this.#deps.linked()) return false;
    if (this.#kit.nowMs() < this.#deps.election().grantedUntilMs) return false;
    if (last === null || !this.#deps.monitor.alive || last.heartbeat.role !== "follower") return false;
    if (last.receivedAtMonoMs <= this.#ledUntilMs) return false;
    const theirs: Claim = {
      label: otherLabel(this.#kit.options.label),
      healthy: last.heartbeat.health !== "failed",
      acceptedEpoch: last.heartbeat.epoch,
      log: last.heartbeat.log,
    };
    return hasBetterClaim(this.claim(), theirs);
  }

  /** Why a campaign on `ground` must not go on, judged again after a wait; null: it may. */
  objection(ground: Ground): string | null {
    if (ground.kind === "election" || ground.kind === "granted" || ground.kind === "forced") return null;
    const verdict = this.verdict();
    if (!verdict.go) return `it waits again: ${verdict.waits.map(({ why }) => why).join(", ")}`;
    const stronger = verdict.ground === "death-proof" || verdict.ground === "blind";
    return verdict.ground === ground.kind || (ground.kind === "silence" && stronger)
      ? null
      : "the ground no longer holds";
  }

  isBehind(): boolean {
    const { record } = this.#deps.witness;
    const borne = record === null ? null : { epoch: record.lastCommandEpoch, seq: record.lastCommandSeq };
    if (borne !== null) this.told(borne);
    return comparePositions(this.#deps.position(), this.#told) < 0;
  }

  /** Silence after which to lead without proof and without a witness; null: never, as always under `consistency` [CP3]. */
  get #blindAfterMs(): number | null {
    const { policy, blindPromoteMs } = this.#kit.failover;
    return policy === "consistency" || blindPromoteMs === "never" ? null : blindPromoteMs;
  }
}
