/**
 * A person's or a control plane's word that this engine shall lead [HO1–HO4].
 * One request, one epoch: a repeated `requestId` gets the first answer; every request is recorded.
 */
import type { Kit } from "../actors/kit.ts";
import type { Mover } from "../../machines/campaign.machine.ts";
import { RETIRED } from "../actors/leadership.ts";
import type { Json } from "../core/canonical-json.ts";
import { callersRequestId, otherLabel, type Label, type RequestId } from "../core/ids.ts";
import type { ForceLeaderOutcome, ForceLeaderRequest, HandoverOutcome } from "../core/outcomes.ts";
import type { Actors } from "./actors.ts";

/** How long campaigns are tried for one request, ms. */
const TRY_FOR_MS = 900;
const RETRY_MS = 20;
/** Reasons that no further try will change. */
/** It holds nothing of what the pair has done: commands would be lost as conflicts, and repeated ones done twice [ID2]. */
const STRANGER =
  "the other engine refuses this one, and has pinned another: run changeover pair adopt there first, or, " +
  "if that engine is lost, force with mode immediate";
const FINAL: ReadonlySet<string> = new Set(["no quorum", RETIRED]);

export class ForceLeader {
  readonly #kit: Kit;
  readonly #actors: Actors;
  readonly #underWay = new Map<string, Promise<ForceLeaderOutcome>>();

  constructor(kit: Kit, actors: Actors) {
    this.#kit = kit;
    this.#actors = actors;
  }

  async force(request: ForceLeaderRequest): Promise<ForceLeaderOutcome> {
    const requestId = request.requestId ?? this.#kit.ports.ids.next("request");
    const first = this.#actors.requests.answered(requestId);
    if (first !== null) return first;
    const running = this.#underWay.get(requestId) ?? this.#run(requestId, request);
    this.#underWay.set(requestId, running);
    try {
      return await running;
    } finally {
      this.#underWay.delete(requestId);
    }
  }

  async #run(requestId: string, request: ForceLeaderRequest): Promise<ForceLeaderOutcome> {
    const elsewhere = await this.#givenTo(requestId);
    if (elsewhere !== null) return elsewhere;
    const outcome = await this.#decide(requestId, request);
    const { by, reason, mode } = request;
    const { requests } = this.#actors;
    requests.record({ requestId, by, reason, mode, answer: outcome as unknown as Json });
    if (outcome.outcome === "leads" && request.requestId !== null) await requests.share(outcome.answer, request);
    return outcome;
  }

  /** The same request may be moving the role to the peer right now: the peer's answer is this engine's too [HO4]. */
  async #givenTo(requestId: string): Promise<ForceLeaderOutcome | null> {
    const untilMs = this.#kit.nowMs() + TRY_FOR_MS;
    while (this.#actors.handover.askedBy === callersRequestId(requestId) && this.#kit.nowMs() < untilMs) {
      const answer = this.#actors.requests.answered(requestId);
      const { handover, succession } = this.#actors;
      if (answer !== null || (!handover.underWay && succession.leadership.role === "leader")) return answer;
      if (!(await this.#kit.pauses.wait(RETRY_MS))) break;
    }
    return null;
  }

  async #decide(requestId: string, request: ForceLeaderRequest): Promise<ForceLeaderOutcome> {
    const { book, leadership } = this.#actors.succession;
    // Who is giving the role away leads no longer, or will again: what comes of it is known soon.
    while (leadership.role === "leader" && this.#actors.handover.underWay) {
      if (!(await this.#kit.pauses.wait(RETRY_MS))) break;
    }
    if (leadership.role === "leader") return { outcome: "already-leader", epoch: book.accepted };
    if (request.expectedEpoch !== null && request.expectedEpoch !== book.accepted) {
      return { outcome: "epoch-mismatch", epoch: book.accepted };
    }
    const startedAtMs = this.#kit.nowMs();
    const previousEpoch = book.accepted;
    const previousLeader: Label | null = this.#actors.leader;
    const mover: Mover = { cause: "forced", by: request.by, reason: request.reason };
    const refusal = await this.#takeRole(callersRequestId(requestId), request, mover, startedAtMs);
    if (refusal !== null) return { outcome: "no-quorum", detail: refusal };
    return {
      outcome: "leads",
      answer: {
        engineLabel: this.#kit.options.label,
        role: "leader",
        epoch: book.accepted,
        previousEpoch,
        previousLeader,
        mode: request.mode,
        tookMs: this.#kit.nowMs() - startedAtMs,
        requestId,
      },
    };
  }

  /** null: this engine leads. Else why it does not. */
  async #takeRole(
    requestId: RequestId,
    request: ForceLeaderRequest,
    mover: Mover,
    startedAtMs: number,
  ): Promise<string | null> {
    const { succession, identities } = this.#actors;
    if (request.mode === "graceful" && identities.refusedByPeer && succession.monitor.state !== "dead") return STRANGER;
    const peerLeads = succession.monitor.alive && this.#actors.leader === otherLabel(this.#kit.options.label);
    if (peerLeads) {
      const refusal = await this.#handedOver(requestId, mover);
      if (refusal === null) return null;
      if (request.mode === "graceful") return `the leader did not hand over: ${refusal}`;
    }
    const { mode, acceptDualAir } = request;
    for (;;) {
      // Another request, or automation, may have brought the role here meanwhile: that is what was asked for.
      if (succession.leadership.role === "leader") return null;
      const result = await succession.leadership.campaign({ kind: "forced", mode, acceptDualAir }, mover);
      if (result.outcome === "won") return null;
      if (FINAL.has(result.reason) || this.#kit.nowMs() >= startedAtMs + TRY_FOR_MS) return result.reason;
      await this.#kit.pauses.wait(RETRY_MS);
    }
  }

  /** Another request may be bringing the role here already: its handover, which is bounded, is waited for. */
  async #handedOver(requestId: RequestId, mover: Mover): Promise<string | null> {
    const { succession, handover } = this.#actors;
    // Nothing comes between the last look and `take`: of two requests at one moment one takes, the other waits.
    while (handover.underWay) {
      if (!(await this.#kit.pauses.wait(RETRY_MS))) return RETIRED;
    }
    if (succession.leadership.role === "leader") return null;
    const result = await handover.take(requestId, mover);
    return result.outcome === "done" ? null : result.reason;
  }
}

// A person's word, or that of an engine about to stop, that this engine shall give its role away [HO5]. Every request
// is recorded; nothing is offered to a peer that could not take over.

/** Who asks, and why. */
type Asked = Pick<ForceLeaderRequest, "reason" | "by">;

export async function handOver(kit: Kit, actors: Actors, asked: Asked): Promise<HandoverOutcome> {
  const requestId = kit.ports.ids.next("request");
  const outcome = await offered(kit, actors, requestId, asked);
  actors.requests.record({ requestId, ...asked, mode: "handover", answer: outcome });
  return outcome;
}

async function offered(kit: Kit, actors: Actors, requestId: RequestId, asked: Asked): Promise<HandoverOutcome> {
  if (actors.succession.leadership.role !== "leader") return notLeader(kit, actors.leader);
  const why = actors.whyNoBackup;
  if (why !== null) return { outcome: "no-valid-backup", detail: why };
  const startedAtMs = kit.nowMs();
  const result = await actors.handover.offer(requestId, { cause: "handover", ...asked });
  if (result.outcome === "failed") return { outcome: "no-valid-backup", detail: result.reason };
  const tookMs = kit.nowMs() - startedAtMs;
  return { outcome: "handed-over", leader: otherLabel(kit.options.label), epoch: result.epoch, tookMs, requestId };
}

// The answer of an engine that does not lead to what only the leader does.

export interface NotLeader {
  readonly outcome: "not-leader";
  readonly leader: Label | null;
  readonly leaderUrl: string | null;
}

/** Names `leader`, and its address where that is the other engine: nobody is sent here once more. */
export function notLeader({ options: { label, peerUrl } }: Kit, leader: Label | null): NotLeader {
  return { outcome: "not-leader", leader, leaderUrl: leader === null || leader === label ? null : peerUrl };
}
