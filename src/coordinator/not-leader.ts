/** Purpose: the answer of an engine that does not lead to what only the leader does. */
import type { Kit } from "../actors/kit.ts";
import type { Label } from "../core/ids.ts";

export interface NotLeader {
  readonly outcome: "not-leader";
  readonly leader: Label | null;
  readonly leaderUrl: string | null;
}

/** Names `leader`, and its address where that is the other engine: nobody is sent here once more. */
export function notLeader({ options: { label, peerUrl } }: Kit, leader: Label | null): NotLeader {
  return { outcome: "not-leader", leader, leaderUrl: leader === null || leader === label ? null : peerUrl };
}
