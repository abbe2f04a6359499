/**
 * Who leads: joins the peer's signs of life, the witness, the restraints and the role into one, and decides
 * when a campaign is due.
 * Keeps true: a campaign is considered at the very instant at which the last thing that holds it back lapses.
 */
import type { LogPosition } from "../core/command.ts";
import type { EngineId } from "../core/ids.ts";
import type { ResetNumbersOutcome } from "../core/outcomes.ts";
import type { PeerMessage, Role } from "../core/messages.ts";
import type { VectorClock } from "../core/vector-clock.ts";
import type { WitnessRecord } from "../ports/witness.ts";
import type { UsableRead } from "../../machines/campaign.machine.ts";
import type { WaitReason } from "../../machines/leadership.machine.ts";
import { CampaignJudge } from "./campaign-judge.ts";
import { Election } from "./election.ts";
import { EpochBook } from "./epoch-book.ts";
import type { Kit } from "./kit.ts";
import { Leadership, type RoleMove } from "./leadership.ts";
import { PeerMonitor, type PeerState } from "./peer-monitor.ts";
import { Pulse } from "./pulse.ts";
import { Restraints } from "./restraints.ts";
import { Votes } from "./votes.ts";
import { WitnessVote } from "./witness-vote.ts";

/** What the succession needs to know of the log and the engine. */
export interface SuccessionDeps {
  position(): LogPosition;
  acknowledged(): LogPosition;
  clock(): VectorClock;
  /** The pinned peer; null before the first contact. */
  peerId(): EngineId | null;
  /** Whether the peer has refused this engine for another one [ID2]. */
  refusedByPeer(): boolean;
  send(message: PeerMessage): boolean;
  /** Whether any link to the peer is open. */
  linked(): boolean;
  handoverUnderWay(): boolean;
  /** Sends a heartbeat now. */
  beat(): void;
  /** Once every `heartbeatMs`, after the heartbeat. */
  onBeat(): void;
  onRole(move: RoleMove): void;
  /** The peer is silent or dead. */
  onPeerLost(): void;
}

export class Succession {
  readonly book: EpochBook;
  readonly votes: Votes;
  readonly monitor: PeerMonitor;
  readonly witness: WitnessVote;
  readonly election: Election;
  readonly leadership: Leadership;
  readonly restraints: Restraints;
  readonly pulse: Pulse;
  readonly judge: CampaignJudge;
  readonly #kit: Kit;
  readonly #deps: SuccessionDeps;
  /** Links whose established socket the other side closed, until one is up again [DP1]. */
  readonly #closedLinks = new Set<string>();

  constructor(kit: Kit, deps: SuccessionDeps) {
    this.#kit = kit;
    this.#deps = deps;
    this.book = new EpochBook(kit);
    this.votes = new Votes(kit, () => this.leadership.voted());
    this.restraints = new Restraints(kit);
    this.pulse = new Pulse(kit, { onBeat: () => this.#beat(), onPause: (gapMs) => this.#woke(gapMs) });
    this.monitor = new PeerMonitor(kit, this.votes, {
      onChange: (state) => this.#peerChanged(state),
      pulse: this.pulse,
    });
    this.witness = new WitnessVote(kit, this.votes, {
      onHigherEpoch: (epoch) => this.sawEpoch(epoch),
      onAmnesia: () => this.#quarantine(),
      describe: () => this.describe(this.leadership.epoch),
      mayReassert: () => this.#mayReassert(),
      peerId: () => this.peerId,
      believes: (epoch) => this.book.believes(epoch),
      sees: (epoch) => void this.book.see(epoch),
    });
    this.judge = new CampaignJudge(kit, {
      book: this.book,
      monitor: this.monitor,
      witness: this.witness,
      restraints: this.restraints,
      election: () => this.election,
      linked: () => deps.linked(),
      position: () => deps.position(),
      retired: () => this.leadership.retired,
      handoverUnderWay: () => deps.handoverUnderWay(),
      refusedByPeer: () => deps.refusedByPeer(),
    });
    this.election = new Election(kit, {
      book: this.book,
      monitor: this.monitor,
      send: (message) => deps.send(message),
      role: () => this.leadership.role,
      claim: () => this.judge.claim(),
      waitMs: () => this.judge.waitMs,
    });
    this.leadership = new Leadership(kit, {
      book: this.book,
      votes: this.votes,
      witness: this.witness,
      pulse: this.pulse,
      judge: () => this.consider(),
      onRole: (move) => this.#roleMoved(move),
      onCampaignLost: (reason) => {
        kit.ports.logger.info({ reason }, "campaign lost");
        this.restraints.campaignLost();
      },
      campaign: {
        monitor: this.monitor,
        election: this.election,
        describe: (epoch) => this.describe(epoch),
        objection: (ground) => this.judge.objection(ground),
        waitMs: () => this.judge.waitMs,
      },
    });
  }

  /** The pinned peer; null before the first contact. */
  get peerId(): EngineId | null {
    return this.#deps.peerId();
  }

  start(): void {
    this.monitor.forgive();
    this.#quarantine();
    this.pulse.start();
    this.witness.beat();
  }

  stop(): void {
    this.pulse.stop();
    this.election.stop();
    this.leadership.stop();
    this.monitor.stop();
    this.witness.stop();
  }

  describe(epoch: number): Omit<WitnessRecord, "seq" | "released"> {
    const acknowledged = this.#deps.acknowledged();
    return {
      holder: this.#kit.options.label,
      engineId: this.#kit.self.engineId,
      epoch,
      lastCommandSeq: acknowledged.seq,
      lastCommandEpoch: acknowledged.epoch,
      clock: this.#deps.clock(),
    };
  }

  /** An epoch was seen that another engine leads in, wherever it was [EP3]. */
  sawEpoch(epoch: number): void {
    if (!this.book.believes(epoch)) return;
    this.book.see(epoch);
    const { role } = this.leadership;
    if (epoch <= this.book.accepted && role === "follower") return;
    if (this.#kit.rules.mustYield(this.book.accepted, epoch)) this.book.accept(epoch);
    if (role !== "follower") this.leadership.send({ type: "OVERRULED", epoch });
  }

  /** A person leads back from epochs that are out of reach or used up [EP6]. Who leads in one of them steps down. */
  resetNumbers(): ResetNumbersOutcome {
    const before = this.book.highest;
    try {
      this.book.reset(this.#deps.position().epoch);
    } catch (error) {
      return { outcome: "store-failed", detail: error instanceof Error ? error.message : String(error) };
    }
    const { highest } = this.book;
    if (highest < before && this.leadership.role !== "follower") {
      this.leadership.send({ type: "OVERRULED", epoch: highest });
    }
    return { outcome: "reset", highestEpoch: highest, before };
  }

  /**
   * The peer names a higher epoch. If it does not lead, nobody holds that epoch, and a leader on air stays there [EP5];
   * otherwise it stops [EP3]. `role`: what the peer said that it is; null: it has not been heard yet, and soon will be.
   */
  peerNamed(epoch: number, role: Role | null): void {
    const { leadership } = this;
    if (epoch <= this.book.accepted) return;
    if (leadership.role !== "leader" || !this.#kit.rules.staysOnAir(leadership.mayAct(), role ?? "follower")) {
      this.sawEpoch(epoch);
    } else if (role === "follower" && this.book.believes(epoch)) void leadership.renew(epoch);
  }

  /** A follower that has caught up: what it had of its own is listed, so that nothing is missing unseen any more [CP4]. */
  followerReady(epoch: number): void {
    if (this.leadership.role === "leader" && epoch === this.book.accepted) this.#kit.alarms.clear("stale-takeover");
  }

  /** The hold on automation was set or lifted, here or at the peer. */
  maintenanceChanged(): void {
    if (!this.restraints.maintenanceOn) this.#kit.alarms.clear("maintenance-blocks-failover");
    this.consider();
  }

  /** A link came up: a process lives there. */
  linkUp(): void {
    this.#closedLinks.clear();
    this.monitor.linkUp();
  }

  /** A socket of the peer was closed by the other side: its process may be gone [DP1]. The record is read while the probe is under way. */
  async linkClosed(link: string): Promise<void> {
    this.#closedLinks.add(link);
    if (this.#kit.failover.deathProof === "none") return;
    await this.#probe(this.witness.configured ? this.witness.read() : null);
  }

  /** Judges whether a campaign is due now, and tells the statechart, whose delays bring the next look. */
  consider(): void {
    // A timer that fires right after a pause must not campaign before the pulse has noticed it [CP5].
    this.pulse.check();
    const { leadership, judge } = this;
    if (leadership.role !== "follower" || leadership.retired) return;
    this.restraints.noteBehind(!this.monitor.alive && judge.isBehind());
    const verdict = judge.verdict();
    if (!verdict.go) this.#explain(verdict.waits.map(({ why }) => why));
    leadership.judged(verdict, judge.againMs(), (automatic) => {
      const ground = judge.groundOf(automatic);
      return { ground, mover: judge.mover(ground) };
    });
  }

  #beat(): void {
    this.witness.beat();
    this.#deps.beat();
    this.#deps.onBeat();
    this.book.writeBehind();
    if (this.leadership.role === "follower") this.book.writeAhead();
    if (!this.monitor.alive && !this.#deps.linked() && this.#kit.failover.deathProof === "refused")
      void this.#probe(null);
    const followsLeader = this.monitor.alive && this.monitor.last?.heartbeat.role === "leader";
    this.#tellRestraints();
    if (this.leadership.role === "follower" && !followsLeader) this.consider();
  }

  /** `look`: the witness record, being read since the probe began. */
  async #probe(look: Promise<UsableRead> | null): Promise<void> {
    const answer = await this.monitor.probe((sentAtMs) => this.judge.proven(sentAtMs, look), this.#closedLinks);
    if (answer === null || this.monitor.state !== "dead") return;
    if (this.leadership.role === "leader") this.votes.peerVotedFor(answer.sentAtMs);
    this.consider();
    this.judge.proven(answer.sentAtMs, null);
  }

  #mayReassert(): boolean {
    const now = this.#kit.nowMs();
    return this.#kit.failover.policy === "on-air" || now < Math.max(this.votes.peerUntilMs, this.votes.witnessUntilMs);
  }

  #peerChanged(state: PeerState): void {
    const { alarms } = this.#kit;
    const lost = state === "silent" || state === "dead";
    // The campaign first: what follows is not worth a millisecond of it.
    if (lost) this.consider();
    if (lost) this.#deps.onPeerLost();
    if (lost) alarms.raise("peer-unreachable", `the peer is ${state}`);
    if (state === "suspect" && this.leadership.role === "follower") this.witness.beat();
    if (state !== "alive") return;
    // Heard again: the next absence of the peer is waited for again [CP4].
    this.restraints.noteBehind(false);
    alarms.clear("peer-unreachable");
    alarms.clear("no-quorum");
    alarms.clear("awaiting-operator");
    alarms.clear("maintenance-blocks-failover");
  }

  #roleMoved(move: RoleMove): void {
    if (move.role === "leader") {
      if (this.judge.isBehind())
        this.#kit.alarms.raise("stale-takeover", "leads without all that clients were answered");
      this.judge.led();
      this.restraints.noteBehind(false);
      this.#kit.alarms.clear("no-quorum");
      this.#kit.alarms.clear("awaiting-operator");
      this.#kit.alarms.clear("maintenance-blocks-failover");
    } else if (move.role === "follower") this.#kit.alarms.clear("stale-takeover");
    if (move.role !== "leader" && move.previousRole === "leader") this.judge.stoppedLeading();
    this.#deps.onRole(move);
    if (move.role === "follower") this.consider();
  }

  #woke(gapMs: number): void {
    this.#kit.ports.logger.warn({ gapMs, role: this.leadership.role }, "paused: votes must be renewed");
    this.monitor.forgive();
    this.votes.distrust();
    this.#quarantine();
    this.#kit.ports.clock.soon(() => this.#deps.beat());
    this.leadership.send({ type: "PAUSED" });
  }

  /** No campaign for a while, unless the peer is proven dead from now on [CP5]. */
  #quarantine(): void {
    this.restraints.quarantine();
    this.consider();
  }

  #tellRestraints(): void {
    const { alarms } = this.#kit;
    const heldDown = this.restraints.heldDownUntilMs() !== null;
    if (this.#kit.nowMs() >= this.restraints.quarantineUntilMs) alarms.clear("witness-amnesia");
    alarms.set("hold-down", heldDown, "the role has moved too often; only a dead peer or a person moves it");
  }

  /** Says what keeps automation from acting, where a person could. */
  #explain(why: readonly WaitReason[]): void {
    const { alarms, failover } = this.#kit;
    if (this.monitor.alive) return;
    const behind = why.includes("behind") && failover.policy === "consistency";
    const noQuorum = why.includes("no-quorum") && this.monitor.state === "silent";
    alarms.set("maintenance-blocks-failover", why.includes("maintenance"), "a person holds the role where it is");
    alarms.set("awaiting-operator", behind, "behind what clients were answered");
    alarms.set("no-quorum", noQuorum, "neither the peer nor the witness answers; nobody takes over without proof");
  }
}
