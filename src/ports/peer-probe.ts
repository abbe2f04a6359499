/** Purpose: proof that the peer's process is gone [DP1]. */

/**
 * `refused`: at every known address nothing listens any more: the process is dead.
 * `alive`: something answered. `unknown`: time ran out, or an address cannot be reached: proves nothing.
 */
export type ProbeResult = "refused" | "alive" | "unknown";

export interface PeerProbe {
  /** Probes every known address of the peer at once, for at most `budgetMs`. Never rejects. */
  probe(budgetMs: number): Promise<ProbeResult>;
}
