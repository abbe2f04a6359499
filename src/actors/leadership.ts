/**
 * Purpose: what this engine is, and whether it may act. Binds `leadership`; runs the campaigns.
 * Keeps true: `mayAct` is computed at every question [VT5]; a higher epoch ends the leadership at once [EP3]; the role
 * moves only through the statechart.
 */
import { leadershipMachine, type LeadershipEvent } from "../../machines/leadership.machine.ts";
import type { Epoch } from "../core/epoch.ts";
import type { Label } from "../core/ids.ts";
import type { LeadershipCause, LeadershipOrigin, Role } from "../core/messages.ts";
import { runCampaign, type CampaignDeps, type CampaignResult, type Ground } from "./campaign.ts";
import type { EpochBook } from "./epoch-book.ts";
import type { Acting, Kit } from "./kit.ts";
import { startMachine } from "./start-machine.ts";
import type { Pulse } from "./pulse.ts";
import type { Votes } from "./votes.ts";
import type { WitnessVote } from "./witness-vote.ts";

/** Who moved the role, and why: for the history. */
export interface Mover {
  readonly cause: LeadershipCause;
  readonly by: string;
  readonly reason: string;
}

export interface LeadershipDeps {
  readonly book: EpochBook;
  readonly votes: Votes;
  readonly witness: WitnessVote;
  readonly pulse: Pick<Pulse, "check">;
  readonly campaign: Omit<CampaignDeps, "book" | "votes" | "witness">;
  /** Whether the verdict on a campaign is to go, now. */
  campaignDue(): boolean;
  /** A campaign has begun, been won or lost, or the leadership ended. */
  onRole(change: RoleMove): void;
  onCampaignLost(reason: string): void;
}

/** Why an engine that has given up leading loses every campaign. */
export const RETIRED = "this engine has given up leading";

export interface RoleMove {
  readonly role: Role;
  readonly previousRole: Role;
  readonly epoch: Epoch;
  readonly origin: LeadershipOrigin | null;
}

interface Campaigning {
  readonly ground: Ground;
  readonly mover: Mover;
  readonly startedAtMs: number;
  settle(result: CampaignResult): void;
}

export class Leadership implements Acting {
  readonly #kit: Kit;
  readonly #deps: LeadershipDeps;
  readonly #machine;
  #role: Role = "follower";
  #paused = false;
  #retired = false;
  #renewing = false;
  #epoch: Epoch = 0;
  #origin: LeadershipOrigin | null = null;
  #unverifiedSinceMs: number | null = null;
  #next: Campaigning | null = null;
  #campaigning: Campaigning | null = null;

  constructor(kit: Kit, deps: LeadershipDeps) {
    this.#kit = kit;
    this.#deps = deps;
    const { rules } = kit;
    this.#machine = startMachine(
      kit,
      leadershipMachine.provide({
        guards: {
          campaignDue: () => deps.campaignDue(),
          mustYield: ({ event }) => event.type === "OVERRULED" && rules.mustYield(this.#epoch, event.epoch),
        },
        actions: {
          campaign: () => this.#beginCampaign(),
          beginLeading: () => this.#beginLeading(),
          renewLeading: () => this.#renewLeading(),
          pauseLeading: () => this.#pauseLeading(),
          resumeLeading: () => this.#resumeLeading(),
          stopLeading: () => this.#stopLeading(),
          abandonCampaign: () => this.#abandonCampaign(),
        },
      }),
    );
  }

  get role(): Role {
    return this.#role;
  }

  /** The epoch that this engine leads or campaigns in; 0 as follower. */
  get epoch(): Epoch {
    return this.#epoch;
  }

  get origin(): LeadershipOrigin | null {
    return this.#origin;
  }

  get steppingDown(): boolean {
    return this.#paused;
  }

  /** Never leads again in this life. */
  get retired(): boolean {
    return this.#retired;
  }

  get machineValue(): unknown {
    return this.#machine.getSnapshot().value;
  }

  /** Who this engine knows to lead, itself only. */
  leads(label: Label): boolean {
    return this.#role === "leader" && this.#kit.options.label === label;
  }

  mayAct(): boolean {
    if (this.#role !== "leader" || this.#paused) return false;
    this.#deps.pulse.check();
    const { rules, failover } = this.#kit;
    return rules.mayAct({
      leads: true,
      nowMs: this.#kit.nowMs(),
      peerVoteUntilMs: this.#deps.votes.peerUntilMs,
      witnessVoteUntilMs: this.#deps.votes.witnessUntilMs,
      policy: failover.policy,
      unverifiedSinceMs: this.#unverifiedSinceMs,
      heartbeatMs: failover.heartbeatMs,
      gaveAway: this.#kit.ports.stallWatch?.gaveAway ?? false,
    });
  }

  send(event: LeadershipEvent): void {
    this.#machine.send(event);
  }

  /** Gives the role up for good: the listener is lost, or the engine stops [DP2, DP3]. */
  retire(): void {
    this.#retired = true;
    this.#machine.send({ type: "RELEASED" });
  }

  /** Looks whether a campaign is due; its ground is what the guards let through. */
  consider(ground: Ground, mover: Mover): void {
    if (this.#role !== "follower" || this.#retired) return;
    this.#next = { ground, mover, startedAtMs: this.#kit.nowMs(), settle: () => undefined };
    this.#machine.send({ type: "CONSIDER" });
    this.#next = null;
  }

  /** Campaigns because the old leader granted its role, or a person said so. */
  campaign(ground: Ground, mover: Mover): Promise<CampaignResult> {
    if (this.#retired) return Promise.resolve({ outcome: "lost", reason: RETIRED });
    if (this.#role !== "follower") return Promise.resolve({ outcome: "lost", reason: `already ${this.#role}` });
    return new Promise((settle) => {
      this.#next = { ground, mover, startedAtMs: this.#kit.nowMs(), settle };
      this.#machine.send({ type: ground.kind === "granted" ? "TAKE_OVER" : "FORCED" });
      this.#next = null;
    });
  }

  /**
   * A peer that does not lead names a higher epoch, which therefore nobody holds: this leader goes on above it, with that
   * peer's vote [EP5]. Nothing happens where the vote is not given; the peer's next heartbeat asks for it again.
   */
  async renew(above: Epoch): Promise<void> {
    const { book, votes, campaign } = this.#deps;
    if (this.#role !== "leader" || this.#paused || this.#renewing) return;
    const epoch = book.see(above) ? book.mint() : null;
    if (epoch === null) return;
    this.#renewing = true;
    // As for a person's request, the peer gives its vote whatever its claim is: the leader's claim is that it is on air.
    const vote = await campaign.election.ask(epoch, true);
    this.#renewing = false;
    if (this.#role !== "leader" || this.#paused || book.accepted >= epoch) return;
    if (!vote.granted) {
      this.#kit.ports.logger.info({ epoch, reason: vote.reason }, "the leadership was not renewed");
      return;
    }
    this.#kit.ports.logger.warn({ epoch, above, before: this.#epoch }, "leads on above an epoch that nobody holds");
    book.lead(epoch);
    votes.peerVotedFor(vote.sentAtMs);
    this.confirmed(vote.sentAtMs);
    this.#machine.send({ type: "RENEWED", epoch });
  }

  /** The engine was paused: nothing is done as leader before a vote is renewed [VT5]. */
  distrustSelf(): void {
    this.#unverifiedSinceMs = this.#kit.nowMs();
  }

  /** A vote for something sent at `sentAtMs` was counted. */
  confirmed(sentAtMs: number): void {
    if (this.#unverifiedSinceMs !== null && sentAtMs >= this.#unverifiedSinceMs) this.#unverifiedSinceMs = null;
  }

  stop(): void {
    this.#endCampaign({ outcome: "lost", reason: "stopped" });
    this.#machine.stop();
  }

  #beginCampaign(): void {
    const campaigning = this.#next;
    if (campaigning === null) throw new Error("broken invariant: a campaign has a ground");
    const { book, votes, witness, campaign } = this.#deps;
    const { ground } = campaigning;
    // What an attempt that failed had gathered is no vote for this one.
    votes.clear();
    const epoch = ground.kind === "granted" ? ground.epoch : book.mint();
    this.#campaigning = campaigning;
    // Not at its end: who was frozen meanwhile verifies before the first effect [VT5].
    this.#unverifiedSinceMs = null;
    this.#epoch = epoch ?? book.accepted;
    this.#moved("candidate", null);
    const deps: CampaignDeps = {
      ...campaign,
      book,
      votes,
      witness,
      stillHolds: (held) => this.#campaigning === campaigning && campaign.stillHolds(held),
    };
    void runCampaign(this.#kit, deps, ground, epoch).then((result) => {
      if (this.#campaigning !== campaigning) return;
      if (result.outcome === "lost") this.#lose(result.reason);
      else this.#win(result.epoch, result.witnessSeq);
    });
  }

  #win(epoch: Epoch, witnessSeq: number | null): void {
    const { book, witness } = this.#deps;
    if (book.accepted > epoch) return this.#lose("a higher epoch was seen");
    book.lead(epoch);
    witness.lead(witnessSeq);
    this.#machine.send({ type: "WON", epoch });
  }

  #lose(reason: string): void {
    this.#machine.send({ type: "LOST", reason });
    this.#epoch = 0;
    this.#deps.witness.follow();
    this.#moved("follower", null);
    this.#deps.onCampaignLost(reason);
    this.#endCampaign({ outcome: "lost", reason });
  }

  #beginLeading(): void {
    const campaigning = this.#campaigning;
    if (campaigning === null) throw new Error("broken invariant: a leadership follows a campaign");
    this.#epoch = this.#deps.book.accepted;
    this.#paused = false;
    const { mover, startedAtMs } = campaigning;
    const tookMs = this.#kit.nowMs() - startedAtMs;
    this.#origin = { ...mover, fromUnixMs: this.#kit.ports.clock.unixMs(), tookMs };
    this.#moved("leader", this.#origin);
    this.#endCampaign({ outcome: "won", epoch: this.#epoch, witnessSeq: null });
  }

  #renewLeading(): void {
    const reason = `was on air when the peer came back with a higher epoch than ${this.#epoch}`;
    this.#epoch = this.#deps.book.accepted;
    if (this.#origin !== null) {
      this.#origin = {
        ...this.#origin,
        by: "automation",
        reason,
        fromUnixMs: this.#kit.ports.clock.unixMs(),
        tookMs: 0,
      };
    }
    this.#deps.witness.lead(null);
    this.#moved("leader", this.#origin);
    this.#deps.witness.beat();
  }

  /** Votes counted so far belonged to a leadership that was offered away: only fresh ones count [HO1]. */
  #pauseLeading(): void {
    this.#paused = true;
    this.#deps.votes.clear();
    this.#deps.witness.follow();
  }

  #resumeLeading(): void {
    this.#paused = false;
    this.#unverifiedSinceMs = this.#kit.nowMs();
    this.#deps.witness.lead(null);
    this.#moved("leader", this.#origin);
  }

  #stopLeading(): void {
    this.#paused = false;
    this.#origin = null;
    this.#epoch = 0;
    this.#unverifiedSinceMs = null;
    this.#deps.votes.clear();
    this.#deps.witness.follow();
    this.#moved("follower", null);
  }

  #endCampaign(result: CampaignResult): void {
    const campaigning = this.#campaigning;
    this.#campaigning = null;
    campaigning?.settle(result);
  }

  #abandonCampaign(): void {
    this.#epoch = 0;
    this.#moved("follower", null);
    this.#endCampaign({ outcome: "lost", reason: "overruled" });
  }

  #moved(role: Role, origin: LeadershipOrigin | null): void {
    const previousRole = this.#role;
    this.#role = role;
    this.#deps.onRole({ role, previousRole, epoch: this.#deps.book.accepted, origin });
  }
}
