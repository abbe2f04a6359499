/**
 * Binds `leadership`: what this engine is, and whether it may act.
 *
 * `mayAct` is computed at every question [VT5]. A higher epoch ends the leadership at once [EP3]. The role moves only in
 * the statechart; everything here reads its snapshot.
 */
import type { SnapshotFrom } from "xstate";
import type { Campaign, CampaignResult, Ground, Mover } from "../../machines/campaign.machine.ts";
import {
  leadershipMachine,
  type AutomaticGround,
  type CampaignVerdict,
  type LeadershipEvent,
} from "../../machines/leadership.machine.ts";
import type { Epoch } from "../core/epoch.ts";
import type { Label } from "../core/ids.ts";
import type { LeadershipOrigin, Role } from "../core/messages.ts";
import { campaignLogic, type CampaignDeps } from "./campaign.ts";
import type { EpochBook } from "./epoch-book.ts";
import type { Acting, Kit } from "./kit.ts";
import { startMachine } from "./start-machine.ts";
import type { Pulse } from "./pulse.ts";
import type { Votes } from "./votes.ts";
import type { WitnessVote } from "./witness-vote.ts";

export interface LeadershipDeps {
  readonly book: EpochBook;
  readonly votes: Votes;
  readonly witness: WitnessVote;
  readonly pulse: Pick<Pulse, "check">;
  readonly campaign: Omit<CampaignDeps, "book" | "votes" | "witness">;
  /** Whether a campaign is due must be judged now. */
  judge(): void;
  /** The role has moved, or the leader goes on under a new epoch or after an offer that came to nothing. */
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

type Snapshot = SnapshotFrom<typeof leadershipMachine>;
type LostResult = Extract<CampaignResult, { outcome: "lost" }>;

export class Leadership implements Acting {
  readonly #kit: Kit;
  readonly #deps: LeadershipDeps;
  readonly #machine;
  /** The snapshot that was told last. */
  #told: Snapshot;
  #renewing = false;

  constructor(kit: Kit, deps: LeadershipDeps) {
    this.#kit = kit;
    this.#deps = deps;
    const { rules, alarms, failover } = kit;
    const { book, votes, witness } = deps;
    this.#machine = startMachine(
      kit,
      leadershipMachine.provide({
        actors: { campaign: campaignLogic(kit, { ...deps.campaign, book, votes, witness }) as never },
        guards: {
          mustYield: ({ context, event }) => event.type === "OVERRULED" && rules.mustYield(context.epoch, event.epoch),
          isConfirmed: () => this.#isConfirmed(),
        },
        delays: {
          // A leadership that has just begun has one interval to collect its first vote.
          votesLapse: () => Math.max(this.#votesLeftMs(), failover.heartbeatMs),
          answer: failover.heartbeatMs,
        },
        actions: {
          judge: () => deps.judge(),
          beginLeading: ({ event }) => {
            if (event.type === "xstate.done.actor.campaign" && event.output.outcome === "won") {
              book.lead(event.output.epoch);
              witness.lead();
            }
          },
          campaignLost: ({ context }) => {
            witness.follow();
            deps.onCampaignLost(context.lost.reason);
          },
          // Votes counted so far belong to a leadership that was offered away: only fresh ones count [HO1].
          pauseLeading: () => {
            votes.clear();
            witness.follow();
          },
          resumeLeading: () => {
            votes.distrust();
            witness.lead();
          },
          stopLeading: () => {
            votes.clear();
            witness.follow();
          },
          askWitness: () => witness.beat(),
          raiseUnconfirmed: () => alarms.raise("unconfirmed", "leads without any vote"),
          clearUnconfirmed: () => alarms.clear("unconfirmed"),
        },
      }),
      (snapshot) => this.#changed(snapshot),
    );
    this.#told = this.#machine.getSnapshot();
  }

  get role(): Role {
    return roleIn(this.#machine.getSnapshot());
  }

  /** The epoch that this engine leads or campaigns in; 0 as follower. */
  get epoch(): Epoch {
    return this.#machine.getSnapshot().context.epoch;
  }

  get origin(): LeadershipOrigin | null {
    return this.#machine.getSnapshot().context.origin;
  }

  get steppingDown(): boolean {
    return this.#machine.getSnapshot().value === "steppingDown";
  }

  /** Never leads again in this life. */
  get retired(): boolean {
    return this.#machine.getSnapshot().value === "retired";
  }

  get machineValue(): unknown {
    return this.#machine.getSnapshot().value;
  }

  /** Who this engine knows to lead, itself only. */
  leads(label: Label): boolean {
    return this.role === "leader" && this.#kit.options.label === label;
  }

  mayAct(): boolean {
    if (!isLeading(this.#machine.getSnapshot())) return false;
    this.#deps.pulse.check();
    const { rules, failover } = this.#kit;
    return rules.mayAct({
      leads: true,
      nowMs: this.#kit.nowMs(),
      peerVoteUntilMs: this.#deps.votes.peerUntilMs,
      witnessVoteUntilMs: this.#deps.votes.witnessUntilMs,
      policy: failover.policy,
      unverifiedForMs: this.#deps.votes.unverifiedForMs(),
      heartbeatMs: failover.heartbeatMs,
      gaveAway: this.#kit.ports.stallWatch?.gaveAway ?? false,
    });
  }

  send(event: LeadershipEvent): void {
    this.#machine.send(event);
  }

  /** Gives the role up for good: the listener is lost, or the engine stops [DP2, DP3]. */
  retire(): void {
    this.#machine.send({ type: "RELEASED" });
  }

  /** A follower was judged. `ground` and `mover`: of the campaign that is due. */
  judged(
    verdict: CampaignVerdict,
    againMs: number | null,
    due: (ground: AutomaticGround) => { ground: Ground; mover: Mover },
  ): void {
    if (this.role !== "follower" || this.retired) return;
    const atMs = this.#kit.nowMs();
    if (!verdict.go) return this.#machine.send({ type: "VERDICT", verdict, atMs, againMs });
    const { ground, mover } = due(verdict.ground);
    const campaign = this.#campaign(ground, mover);
    if (campaign === null) return this.#deps.onCampaignLost("the epoch could not be saved");
    this.#machine.send({ type: "VERDICT", verdict: { go: true, campaign }, atMs, againMs });
  }

  /** Campaigns because the old leader granted its role, or a person said so. */
  campaign(ground: Ground, mover: Mover): Promise<CampaignResult> {
    if (this.retired) return Promise.resolve(lost(RETIRED));
    if (this.role !== "follower") return Promise.resolve(lost(`already ${this.role}`));
    const campaign = this.#campaign(ground, mover);
    if (campaign === null) return Promise.resolve(lost("the epoch could not be saved"));
    return new Promise((resolve) => {
      this.#machine.send({ type: "CALLED", campaign });
      const settle = (snapshot: Snapshot): void => {
        if (snapshot.value === "candidate" && snapshot.context.campaign === campaign) return;
        subscription.unsubscribe();
        resolve(resultOf(snapshot, campaign));
      };
      const subscription = this.#machine.subscribe({
        next: settle,
        complete: () => resolve(lost("stopped")),
      });
      settle(this.#machine.getSnapshot());
    });
  }

  /**
   * A peer that does not lead names a higher epoch, which therefore nobody holds: this leader goes on above it, with that
   * peer's vote [EP5]. Nothing happens where the vote is not given; the peer's next heartbeat asks for it again.
   */
  async renew(above: Epoch): Promise<void> {
    const { book, votes, campaign } = this.#deps;
    if (!isLeading(this.#machine.getSnapshot()) || this.#renewing) return;
    const epoch = book.see(above) ? book.mint() : null;
    if (epoch === null) return;
    this.#renewing = true;
    // As for a person's request, the peer gives its vote whatever its claim is: the leader's claim is that it is on air.
    const vote = await campaign.election.ask(epoch, true);
    this.#renewing = false;
    if (!isLeading(this.#machine.getSnapshot()) || book.accepted >= epoch) return;
    if (!vote.granted) {
      this.#kit.ports.logger.info({ epoch, reason: vote.reason }, "the leadership was not renewed");
      return;
    }
    const { epoch: before, origin } = this.#machine.getSnapshot().context;
    this.#kit.ports.logger.warn({ epoch, above, before }, "leads on above an epoch that nobody holds");
    book.lead(epoch);
    votes.peerVotedFor(vote.sentAtMs);
    const reason = `was on air when the peer came back with a higher epoch than ${before}`;
    const fromUnixMs = this.#kit.ports.clock.unixMs();
    const renewed = origin === null ? null : { ...origin, by: "automation", reason, fromUnixMs, tookMs: 0 };
    this.#machine.send({ type: "RENEWED", epoch, origin: renewed });
  }

  /** A vote was counted: news only for a leader that nobody stood behind. */
  voted(): void {
    const { value } = this.#machine.getSnapshot();
    if (typeof value === "object" && "leader" in value && value.leader !== "confirmed") {
      this.#machine.send({ type: "VOTED" });
    }
  }

  stop(): void {
    this.#machine.stop();
  }

  /** A campaign with its epoch, which is durable from here on [EP2]; null: the disk refused it. */
  #campaign(ground: Ground, mover: Mover): Campaign | null {
    const { book, votes, campaign } = this.#deps;
    const epoch = ground.kind === "granted" ? ground.epoch : book.mint();
    if (epoch === null) return null;
    // What an attempt that failed had gathered is no vote for this one. Nor is a pause before it held against it; who is
    // frozen during the campaign verifies before its first effect [VT5].
    votes.clear();
    const asksPeer = ground.kind === "election" || (ground.kind === "forced" && campaign.monitor.alive);
    return { ground, mover, epoch, startedAtMs: this.#kit.nowMs(), asksPeer };
  }

  #votesLeftMs(): number {
    const { votes } = this.#deps;
    return Math.max(votes.peerUntilMs, votes.witnessUntilMs) - this.#kit.nowMs();
  }

  #isConfirmed(): boolean {
    return this.#votesLeftMs() > 0 && this.#deps.votes.verified;
  }

  #changed(snapshot: Snapshot): void {
    const before = this.#told;
    this.#told = snapshot;
    if (before === undefined) return;
    const [previousRole, role] = [roleIn(before), roleIn(snapshot)];
    const { epoch, origin } = snapshot.context;
    const renewed = role === "leader" && before.context.epoch !== epoch;
    const resumed = before.value === "steppingDown" && isLeading(snapshot);
    if (role === previousRole && !renewed && !resumed) return;
    this.#deps.onRole({ role, previousRole, epoch: this.#deps.book.accepted, origin });
    if (renewed && previousRole === "leader") this.#deps.witness.beat();
  }
}

function roleIn({ value }: Snapshot): Role {
  if (value === "candidate") return "candidate";
  if (value === "steppingDown" || (typeof value === "object" && "leader" in value)) return "leader";
  return "follower";
}

/** Leads, and has not offered its role away. */
function isLeading({ value }: Snapshot): boolean {
  return typeof value === "object" && "leader" in value;
}

function resultOf({ value, context }: Snapshot, campaign: Campaign): CampaignResult {
  if (typeof value === "object" && "leader" in value && context.origin !== null) {
    return { outcome: "won", epoch: context.epoch, origin: context.origin };
  }
  return context.campaign === campaign ? context.lost : lost("the role moved");
}

function lost(reason: string): LostResult {
  return { outcome: "lost", reason };
}
