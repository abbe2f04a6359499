/**
 * The names under which the facts about another place are kept, `peer:<name>:<fact>`, and how they go.
 * Keeps true: a name has no colon in it, so that no two places share a key.
 */
import type { PeerState } from "../ports/replica.ts";

/** Whom it is; how far it was pulled; when it was last seen; how it is; its public key; what it holds. */
export const PEER_FACTS = ["id", "cursor", "seen", "health", "key", "clock"] as const;

/** A person's word on whether it is asked: it stands over a restart and a reset. */
export const MODE_FACT = "mode";

export type PeerFact = (typeof PEER_FACTS)[number];

/** What this engine held when it last replayed a page: for people and tools; the log's own vector decides. */
export const CLOCK_KEY = "clock";

export function peerKey(name: string, fact: PeerFact | typeof MODE_FACT): string {
  return `peer:${name}:${fact}`;
}

/** The keys of that place that are there. */
export function keptKeys(state: PeerState, name: string): readonly string[] {
  return PEER_FACTS.map((fact) => peerKey(name, fact)).filter((key) => state.get(key) !== null);
}
