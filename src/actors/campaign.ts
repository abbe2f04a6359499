/**
 * One campaign from its ground to won or lost [CP1–CP7, DP1].
 * Keeps true: the epoch is durable before anything is asked in its name [EP2]; the record is swapped only from exactly
 * what was judged; a swap of unknown result is never taken for won.
 */
import { comparePositions } from "../core/claim.ts";
import type { LogPosition } from "../core/command.ts";
import type { Epoch } from "../core/epoch.ts";
import { standsStill } from "../core/failure-detector.ts";
import type { ExpectedRecord, WitnessRecord } from "../ports/witness.ts";
import type { Election } from "./election.ts";
import type { EpochBook } from "./epoch-book.ts";
import type { Kit } from "./kit.ts";
import type { PeerMonitor } from "./peer-monitor.ts";
import type { Votes } from "./votes.ts";
import type { UsableRead, WitnessVote } from "./witness-vote.ts";

/** Why an engine campaigns. `granted`: the old leader gave its role; `forced`: a person said so. */
export type Ground =
  /** `look`: the record, read while the proof was sought; null: not yet read. */
  | { readonly kind: "death-proof"; readonly provenAtMs: number; readonly look: Promise<UsableRead> | null }
  | { readonly kind: "silence" }
  | { readonly kind: "blind" }
  | { readonly kind: "election" }
  | { readonly kind: "granted"; readonly epoch: Epoch; readonly expected: ExpectedRecord; readonly untilMs: number }
  | { readonly kind: "forced"; readonly mode: "graceful" | "immediate"; readonly acceptDualAir: boolean };

export type CampaignResult =
  | { readonly outcome: "won"; readonly epoch: Epoch; readonly witnessSeq: number | null }
  | { readonly outcome: "lost"; readonly reason: string };

export interface CampaignDeps {
  readonly book: EpochBook;
  readonly votes: Votes;
  readonly monitor: PeerMonitor;
  readonly witness: WitnessVote;
  readonly election: Election;
  /** What this engine would write into the record. */
  describe(epoch: Epoch): Omit<WitnessRecord, "seq" | "released">;
  position(): LogPosition;
  /** Whether waiting for a better position is over [CP4]. */
  patienceIsOver(): boolean;
  /** Whether the ground still holds: asked again after every wait. */
  stillHolds(ground: Ground): boolean;
  /** How long a watched record must have stood still, ms. */
  waitMs(): number;
}

/** Runs one campaign in the name of `epoch`, which is durable; null: it could not be made so. */
export async function runCampaign(
  kit: Kit,
  deps: CampaignDeps,
  ground: Ground,
  epoch: Epoch | null,
): Promise<CampaignResult> {
  if (epoch === null) return lost("the epoch could not be saved");
  if (ground.kind === "election" || (ground.kind === "forced" && deps.monitor.alive)) {
    const vote = await deps.election.ask(epoch, ground.kind === "forced");
    if (vote.granted) deps.votes.peerVotedFor(vote.sentAtMs);
    else if (ground.kind === "election") return lost(`the peer did not vote: ${vote.reason}`);
  }
  if (ground.kind === "death-proof") deps.votes.peerVotedFor(ground.provenAtMs);
  if (ground.kind === "granted") deps.votes.granted(ground.untilMs);
  if (!deps.witness.configured) return leadWithoutWitness(kit, deps, ground, epoch);
  if (ground.kind === "granted") return swapGranted(kit, deps, ground);
  const read = ground.kind === "death-proof" ? ground.look : null;
  const look = await (read ?? deps.witness.read());
  if (!deps.stillHolds(ground)) return lost("the ground no longer holds");
  if (look.outcome === "unreachable") return leadWithoutWitness(kit, deps, ground, epoch);
  return swapFrom(kit, deps, ground, epoch, look.record);
}

async function swapFrom(
  kit: Kit,
  deps: CampaignDeps,
  ground: Ground,
  epoch: Epoch,
  record: WitnessRecord | null,
): Promise<CampaignResult> {
  if (record !== null && record.epoch >= epoch) {
    deps.book.see(record.epoch);
    return lost(`the record is of epoch ${record.epoch}`);
  }
  if (ground.kind === "silence" && !recordStandsStill(kit, deps, record)) return lost("the record has not stood still");
  // In an election both are there: nobody who has more is left to be waited for.
  const waits = ground.kind !== "forced" && ground.kind !== "election";
  if (waits && isBehind(deps, record) && !deps.patienceIsOver()) return lost("behind what clients were told");
  const answer = await deps.witness.swap(record, { ...deps.describe(epoch), seq: 1, released: false });
  if (answer.outcome === "swapped") return settleForced(kit, deps, ground, epoch);
  if (answer.outcome === "lost") return lost("the record moved: someone lives");
  return leadWithoutWitness(kit, deps, ground, epoch);
}

/** The old leader's grant names its last rewrite; when that was overtaken the standing record is swapped, if still its. */
async function swapGranted(
  kit: Kit,
  deps: CampaignDeps,
  ground: Extract<Ground, { kind: "granted" }>,
): Promise<CampaignResult> {
  const next = { ...deps.describe(ground.epoch), seq: 1, released: false };
  let answer = await deps.witness.swap(ground.expected, next);
  const standing = answer.outcome === "lost" ? answer.record : null;
  if (standing !== null && standing.epoch < ground.epoch) answer = await deps.witness.swap(standing, next);
  else if (answer.outcome === "lost" && standing === null) answer = await deps.witness.swap(null, next);
  if (answer.outcome === "swapped") return won(ground.epoch, 1);
  if (answer.outcome === "lost") return lost("the record moved: someone lives");
  return kit.nowMs() < ground.untilMs ? won(ground.epoch, null) : lost("the grant has lapsed");
}

/**
 * A person overrode a leader that may still count a vote: under `consistency` nothing is done before that has lapsed
 * [HO3]. The record is rewritten meanwhile: standing still, it would invite automation to take the role back.
 */
async function settleForced(kit: Kit, deps: CampaignDeps, ground: Ground, epoch: Epoch): Promise<CampaignResult> {
  const mustWait = ground.kind === "forced" && kit.failover.policy === "consistency" && !ground.acceptDualAir;
  let seq = 1;
  const endsMs = mustWait && deps.monitor.state !== "dead" ? kit.nowMs() + deps.waitMs() : kit.nowMs();
  while (kit.nowMs() < endsMs) {
    await kit.pauses.wait(Math.min(kit.failover.heartbeatMs, endsMs - kit.nowMs()));
    if (!deps.stillHolds(ground)) return lost("the ground no longer holds");
    const described = deps.describe(epoch);
    const answer = await deps.witness.swap({ ...described, seq }, { ...described, seq: seq + 1, released: false });
    if (answer.outcome === "swapped") seq += 1;
    if (answer.outcome === "lost") return lost("the record moved: someone lives");
  }
  return won(epoch, seq);
}

function leadWithoutWitness(kit: Kit, deps: CampaignDeps, ground: Ground, epoch: Epoch): CampaignResult {
  const alone = isBehind(deps, null) && !deps.patienceIsOver();
  switch (ground.kind) {
    case "election":
    case "granted":
      return won(epoch, null);
    case "death-proof":
    case "blind":
      return alone ? lost("behind what clients were told") : won(epoch, null);
    case "silence":
      kit.alarms.raise("no-quorum", "neither the peer nor the witness answers; nobody takes over without proof");
      return lost("no quorum");
    case "forced": {
      const proven = deps.monitor.state === "dead" || kit.nowMs() < deps.votes.peerUntilMs;
      const overridden = kit.failover.policy === "on-air" && ground.mode === "immediate";
      return proven || overridden ? won(epoch, null) : lost("no quorum");
    }
  }
}

function recordStandsStill(kit: Kit, deps: CampaignDeps, record: WitnessRecord | null): boolean {
  const { sighting } = deps.witness;
  if (record?.released === true) return true;
  return (
    sighting !== null &&
    standsStill(sighting.key, record) &&
    kit.rules.recordStoodStill({
      witness: "reachable",
      recordSinceMs: sighting.sinceMs,
      nowMs: kit.nowMs(),
      waitMs: deps.waitMs(),
      blindAfterMs: null,
      peerLastHeardMs: 0,
    })
  );
}

function isBehind(deps: CampaignDeps, record: WitnessRecord | null): boolean {
  if (record === null) return false;
  const told = { epoch: record.lastCommandEpoch, seq: record.lastCommandSeq };
  return comparePositions(deps.position(), told) < 0;
}

function won(epoch: Epoch, witnessSeq: number | null): CampaignResult {
  return { outcome: "won", epoch, witnessSeq };
}

function lost(reason: string): CampaignResult {
  return { outcome: "lost", reason };
}
