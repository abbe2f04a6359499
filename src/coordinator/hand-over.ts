/**
 * Purpose: a person's word, or that of an engine about to stop, that this engine shall give its role away [HO5].
 * Keeps true: every request is recorded; nothing is offered to a peer that could not take over.
 */
import type { Kit } from "../actors/kit.ts";
import { otherLabel, type RequestId } from "../core/ids.ts";
import type { ForceLeaderRequest, HandoverOutcome } from "../core/outcomes.ts";
import type { Actors } from "./actors.ts";
import { notLeader } from "./not-leader.ts";
import { recordRequest } from "./record-request.ts";

/** Who asks, and why. */
type Asked = Pick<ForceLeaderRequest, "reason" | "by">;

export async function handOver(kit: Kit, actors: Actors, asked: Asked): Promise<HandoverOutcome> {
  const requestId = kit.ports.ids.next("request");
  const outcome = await offered(kit, actors, requestId, asked);
  recordRequest(kit, { requestId, ...asked, mode: "handover", answer: outcome });
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
