/**
 * The votes that a leader counts beside its own [VT1].
 * Keeps true: every vote counts from the send time of what it answers [VT2, VT3].
 */
import type { Epoch } from "../core/epoch.ts";
import { NO_VOTE, voteLeftMs } from "../core/claim.ts";
import type { Kit } from "./kit.ts";

/** Heartbeats whose send time is remembered: many more than fit into a lease. */
const SENT_KEPT = 64;
/** How often a leader that waits for an answer looks whether it was awake. */
const LOOKS_PER_HEARTBEAT = 4;

export class Votes {
  readonly #kit: Kit;
  readonly #onCounted: () => void;
  readonly #sentAtMs = new Map<number, number>();
  /** The engine stood still until this instant, and nothing that was sent since then has been answered with a vote. */
  #unverifiedSinceMs: number | null = null;
  /** The last look at the clock since then, and how long the engine was awake until that look. */
  #lookedMs = 0;
  #awakeMs = 0;
  #peerUntilMs = NO_VOTE;
  #witnessUntilMs = NO_VOTE;

  /** `onCounted`: a vote was counted. */
  constructor(kit: Kit, onCounted: () => void = () => undefined) {
    this.#kit = kit;
    this.#onCounted = onCounted;
  }

  /** The engine stood still: nothing counts as confirmed before a vote for something sent from now on [VT5]. */
  distrust(): void {
    const nowMs = this.#kit.nowMs();
    this.#unverifiedSinceMs = this.#lookedMs = nowMs;
    this.#awakeMs = 0;
    void this.#lookWhileUnverified(nowMs);
  }

  get verified(): boolean {
    return this.#unverifiedSinceMs === null;
  }

  /**
   * How long this engine has waited for an answer and was awake, ms; null: it waits for none. Each call looks at the clock:
   * where two looks lie far apart the engine slept in between, and could not hear an answer.
   */
  unverifiedForMs(): number | null {
    if (this.#unverifiedSinceMs === null) return null;
    const { rules, failover } = this.#kit;
    const nowMs = this.#kit.nowMs();
    this.#awakeMs += rules.awakeMs(nowMs - this.#lookedMs, failover.heartbeatMs);
    this.#lookedMs = nowMs;
    return this.#awakeMs;
  }

  heartbeatSent(n: number, atMs: number): void {
    this.#sentAtMs.set(n, atMs);
    if (this.#sentAtMs.size > SENT_KEPT) this.#sentAtMs.delete(n - SENT_KEPT);
  }

  /** When heartbeat `n` was sent; null when that is long ago. */
  sentAtMs(n: number): number | null {
    return this.#sentAtMs.get(n) ?? null;
  }

  /** The peer has voted for heartbeat `n`; the send time that the vote counts from, or null when it is too old. */
  peerVoted(n: number): number | null {
    const sentAtMs = this.sentAtMs(n);
    if (sentAtMs !== null) this.peerVotedFor(sentAtMs);
    return sentAtMs;
  }

  /** The peer has voted for something sent at `sentAtMs` (a vote request, a probe that proved its death). */
  peerVotedFor(sentAtMs: number): void {
    this.#peerUntilMs = this.#extended(this.#peerUntilMs, sentAtMs);
    this.#counted(sentAtMs);
  }

  /** A rewrite of the witness record that was sent at `sentAtMs` has succeeded. */
  witnessVotedFor(sentAtMs: number): void {
    this.#witnessUntilMs = this.#extended(this.#witnessUntilMs, sentAtMs);
    this.#counted(sentAtMs);
  }

  /** The old leader's grant counts until `untilMs` [HO1]. */
  granted(untilMs: number): void {
    this.#peerUntilMs = untilMs;
  }

  /** Nothing of what was counted counts any more. */
  clear(): void {
    this.#peerUntilMs = NO_VOTE;
    this.#witnessUntilMs = NO_VOTE;
    this.#sentAtMs.clear();
    this.#unverifiedSinceMs = null;
  }

  get peerUntilMs(): number {
    return this.#peerUntilMs;
  }

  get witnessUntilMs(): number {
    return this.#witnessUntilMs;
  }

  /** Ms that each vote still counts. */
  left(nowMs: number): { peerMs: number; witnessMs: number } {
    return { peerMs: voteLeftMs(this.#peerUntilMs, nowMs), witnessMs: voteLeftMs(this.#witnessUntilMs, nowMs) };
  }

  confirmedBy(nowMs: number): "peer" | "witness" | "both" | "none" {
    const peer = nowMs < this.#peerUntilMs;
    const witness = nowMs < this.#witnessUntilMs;
    if (peer && witness) return "both";
    if (peer) return "peer";
    return witness ? "witness" : "none";
  }

  /** Looks often enough that an engine which is awake is seen to be. */
  async #lookWhileUnverified(sinceMs: number): Promise<void> {
    const { failover, pauses } = this.#kit;
    while (this.#unverifiedSinceMs === sinceMs && this.#awakeMs < failover.heartbeatMs) {
      if (!(await pauses.wait(failover.heartbeatMs / LOOKS_PER_HEARTBEAT))) return;
      if (this.#unverifiedSinceMs === sinceMs) this.unverifiedForMs();
    }
  }

  #counted(sentAtMs: number): void {
    if (this.#unverifiedSinceMs !== null && sentAtMs >= this.#unverifiedSinceMs) this.#unverifiedSinceMs = null;
    this.#onCounted();
  }

  #extended(untilMs: number, sentAtMs: number): number {
    const { rules, failover } = this.#kit;
    return rules.voteUntilMs(untilMs, sentAtMs, this.#kit.nowMs(), failover.leaseMs);
  }
}

/** A vote of the peer as a heartbeat carries it. */
export interface HeartbeatVote {
  readonly epoch: Epoch;
  readonly n: number;
}
