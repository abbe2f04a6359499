/** Purpose: proof that the peer's process is gone [DP1]. */

/**
 * How long addresses that neither accept nor refuse may hold up a proof, ms. An address of a living process accepts within
 * a round trip; one whose cable is cut never answers.
 */
export const PROOF_GRACE_MS = 5;

/**
 * `refused`: nothing listens any more, at any address, or at one whose socket the other side has just closed while no other
 * address accepts: the process is dead [DP1, DP2].
 * `alive`: something answered. `unknown`: time ran out, or an address cannot be reached: proves nothing.
 */
export type ProbeResult = "refused" | "alive" | "unknown";

export interface PeerProbe {
  /**
   * Probes every known address of the peer at once, for at most `budgetMs`. `closed`: the links whose established socket
   * the other side closed. Never rejects.
   */
  probe(budgetMs: number, closed?: ReadonlySet<string>): Promise<ProbeResult>;
}
