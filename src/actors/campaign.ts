/**
 * The steps of a campaign, as `campaign.machine.ts` invokes them [CP1–CP7, DP1].
 *
 * The epoch is durable before anything is asked in its name [EP2]. The record is swapped only from exactly what was
 * judged. A swap of unknown result is never taken for won.
 */
import { fromPromise } from "xstate";
import {
  campaignMachine,
  type Campaign,
  type CampaignFinding,
  type CampaignLost,
  type CampaignResult,
  type CampaignStep,
  type CampaignWon,
  type Ground,
} from "../../machines/campaign.machine.ts";
import type { Epoch } from "../core/epoch.ts";
import { standsStill } from "../core/failure-detector.ts";
import type { WitnessRecord } from "../ports/witness.ts";
import type { Election } from "./election.ts";
import type { EpochBook } from "./epoch-book.ts";
import type { Kit } from "./kit.ts";
import type { PeerMonitor } from "./peer-monitor.ts";
import { withMailbox } from "./start-machine.ts";
import type { Votes } from "./votes.ts";
import type { WitnessVote } from "./witness-vote.ts";

export interface CampaignDeps {
  readonly book: EpochBook;
  readonly votes: Votes;
  readonly monitor: PeerMonitor;
  readonly witness: WitnessVote;
  readonly election: Election;
  /** What this engine would write into the record. */
  describe(epoch: Epoch): Omit<WitnessRecord, "seq" | "released">;
  /** Why a campaign on this ground must not go on: asked again after every wait; null: it may. */
  objection(ground: Ground): string | null;
  /** How long a watched record must have stood still, ms. */
  waitMs(): number;
}

/** The statechart of a campaign with its steps. */
export function campaignLogic(kit: Kit, deps: CampaignDeps): typeof campaignMachine {
  const steps = new Steps(kit, deps);
  const machine = campaignMachine.provide({
    actors: {
      askForVote: fromPromise(({ input }) => steps.askForVote(input)),
      readRecord: fromPromise(({ input }) => steps.readRecord(input)),
      swapRecord: fromPromise(({ input }) => steps.swapRecord(input)),
      outlastLeader: fromPromise(({ input, signal }) => steps.outlastLeader(input, signal)),
    },
  });
  return withMailbox(machine, kit.rules);
}

class Steps {
  readonly #kit: Kit;
  readonly #deps: CampaignDeps;

  constructor(kit: Kit, deps: CampaignDeps) {
    this.#kit = kit;
    this.#deps = deps;
  }

  async askForVote({ campaign: { epoch, ground } }: CampaignStep): Promise<CampaignFinding> {
    const vote = await this.#deps.election.ask(epoch, ground.kind === "forced");
    if (vote.granted) this.#deps.votes.peerVotedFor(vote.sentAtMs);
    else if (ground.kind === "election") return lost(`the peer did not vote: ${vote.reason}`);
    return { outcome: "go-on" };
  }

  async readRecord({ campaign }: CampaignStep): Promise<CampaignFinding> {
    const { witness, book } = this.#deps;
    const { ground, epoch } = campaign;
    if (!witness.configured) return this.#withoutWitness(campaign);
    const look = await ((ground.kind === "death-proof" ? ground.look : null) ?? witness.read());
    if (look.outcome === "read" && look.record !== null && look.record.epoch >= epoch) {
      book.see(look.record.epoch);
      return lost(`the record is of epoch ${look.record.epoch}`);
    }
    const objection = this.#deps.objection(ground);
    if (objection !== null) return lost(objection);
    if (look.outcome === "unreachable") return this.#withoutWitness(campaign);
    const { record } = look;
    if (ground.kind === "silence" && !this.#wasWatched(record)) return lost("the record has not stood still");
    return { outcome: "swap", expected: record };
  }

  async swapRecord({ campaign, expected }: CampaignStep): Promise<CampaignFinding> {
    const { ground, epoch } = campaign;
    if (ground.kind === "granted") return this.#swapGranted(campaign, ground);
    this.#countProof(ground);
    const answer = await this.#deps.witness.swap(expected, this.#record(epoch, 1));
    if (answer.outcome === "lost") return lost("the record moved: someone lives");
    if (answer.outcome !== "swapped") return this.#withoutWitness(campaign);
    const mustWait = ground.kind === "forced" && this.#kit.failover.policy === "consistency" && !ground.acceptDualAir;
    return mustWait && this.#deps.monitor.state !== "dead" ? { outcome: "outlast" } : this.#won(campaign);
  }

  /**
   * A person overrode a leader that may still count a vote: under `consistency` nothing is done before that has lapsed
   * [HO3]. The record is rewritten meanwhile: standing still, it would invite automation to take the role back.
   */
  async outlastLeader({ campaign }: CampaignStep, signal: AbortSignal): Promise<CampaignResult> {
    const kit = this.#kit;
    let seq = 1;
    const endsMs = kit.nowMs() + this.#deps.waitMs();
    while (kit.nowMs() < endsMs) {
      await kit.pauses.wait(Math.min(kit.failover.heartbeatMs, endsMs - kit.nowMs()));
      if (signal.aborted) return lost("it was broken off");
      const standing = { ...this.#deps.describe(campaign.epoch), seq };
      const answer = await this.#deps.witness.swap(standing, this.#record(campaign.epoch, seq + 1));
      if (answer.outcome === "swapped") seq += 1;
      if (answer.outcome === "lost") return lost("the record moved: someone lives");
    }
    return this.#won(campaign);
  }

  /** The old leader's grant names its last rewrite; when that was overtaken the standing record is swapped, if still its. */
  async #swapGranted(campaign: Campaign, ground: Extract<Ground, { kind: "granted" }>): Promise<CampaignResult> {
    const { votes, witness } = this.#deps;
    votes.granted(ground.untilMs);
    if (!witness.configured) return this.#withoutWitness(campaign);
    const next = this.#record(ground.epoch, 1);
    let answer = await witness.swap(ground.expected, next);
    const standing = answer.outcome === "lost" ? answer.record : null;
    if (standing !== null && standing.epoch < ground.epoch) answer = await witness.swap(standing, next);
    else if (answer.outcome === "lost" && standing === null) answer = await witness.swap(null, next);
    if (answer.outcome === "swapped") return this.#won(campaign);
    if (answer.outcome === "lost") return lost("the record moved: someone lives");
    return this.#kit.nowMs() < ground.untilMs ? this.#won(campaign) : lost("the grant has lapsed");
  }

  #withoutWitness(campaign: Campaign): CampaignResult {
    const { ground } = campaign;
    this.#countProof(ground);
    switch (ground.kind) {
      case "election":
      case "granted":
      case "death-proof":
      case "blind":
        return this.#won(campaign);
      case "silence":
        this.#kit.alarms.raise(
          "no-quorum",
          "neither the peer nor the witness answers; nobody takes over without proof",
        );
        return lost("no quorum");
      case "forced": {
        const { monitor, votes } = this.#deps;
        const proven = monitor.state === "dead" || this.#kit.nowMs() < votes.peerUntilMs;
        const overridden = this.#kit.failover.policy === "on-air" && ground.mode === "immediate";
        return proven || overridden ? this.#won(campaign) : lost("no quorum");
      }
    }
  }

  /** A proof that the peer is dead counts as its vote, from the time at which the probe was sent. */
  #countProof(ground: Ground): void {
    if (ground.kind === "death-proof") this.#deps.votes.peerVotedFor(ground.provenAtMs);
  }

  /** Whether `record` is the one that was watched; that it stood still for long enough is part of the verdict. */
  #wasWatched(record: WitnessRecord | null): boolean {
    const { sighting } = this.#deps.witness;
    return record?.released === true || (sighting !== null && standsStill(sighting.key, record));
  }

  #record(epoch: Epoch, seq: number): WitnessRecord {
    return { ...this.#deps.describe(epoch), seq, released: false };
  }

  #won({ epoch, mover, startedAtMs }: Campaign): CampaignWon {
    const { clock } = this.#kit.ports;
    const tookMs = this.#kit.nowMs() - startedAtMs;
    return { outcome: "won", epoch, origin: { ...mover, fromUnixMs: clock.unixMs(), tookMs } };
  }
}

function lost(reason: string): CampaignLost {
  return { outcome: "lost", reason };
}
