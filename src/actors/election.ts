/**
 * The peer's vote for a named epoch, asked and answered [CP7].
 * Keeps true: an engine that leads, campaigns or has the better claim does not grant; a grant is a promise [VT2].
 */
import { hasBetterClaim, type Claim } from "../core/claim.ts";
import type { Epoch } from "../core/epoch.ts";
import { otherLabel } from "../core/ids.ts";
import type { PeerMessage, Role, VoteAnswer, VoteRequest } from "../core/messages.ts";
import type { TimerHandle } from "../ports/basics.ts";
import type { EpochBook } from "./epoch-book.ts";
import type { Kit } from "./kit.ts";
import type { PeerMonitor } from "./peer-monitor.ts";

export interface ElectionDeps {
  readonly book: EpochBook;
  readonly monitor: PeerMonitor;
  send(message: PeerMessage): boolean;
  role(): Role;
  claim(): Claim;
  /** How long a grant binds this engine, ms. */
  waitMs(): number;
}

/** How the peer answered: granted, with the send time that the vote counts from; or why not. */
export type VoteResult = { granted: true; sentAtMs: number } | { granted: false; reason: string };

interface Asked {
  readonly request: VoteRequest;
  readonly sentAtMs: number;
  readonly timer: TimerHandle;
  settle(result: VoteResult): void;
}

export class Election {
  readonly #kit: Kit;
  readonly #deps: ElectionDeps;
  #asked: Asked | null = null;
  #grantedUntilMs = Number.NEGATIVE_INFINITY;

  constructor(kit: Kit, deps: ElectionDeps) {
    this.#kit = kit;
    this.#deps = deps;
  }

  /** Until here this engine's vote is given away: it asks for none itself. */
  get grantedUntilMs(): number {
    return this.#grantedUntilMs;
  }

  stop(): void {
    this.#settle({ granted: false, reason: "stopped" });
  }

  /** Asks for the peer's vote; settles within `heartbeatMs`. */
  ask(epoch: Epoch, forced = false): Promise<VoteResult> {
    this.#settle({ granted: false, reason: "asked anew" });
    const claim = this.#deps.claim();
    const request: VoteRequest = {
      type: "vote-request",
      requestId: this.#kit.ports.ids.next("request"),
      epoch,
      log: claim.log,
      acceptedEpoch: claim.acceptedEpoch,
      healthy: claim.healthy,
      forced,
    };
    const sentAtMs = this.#kit.nowMs();
    if (!this.#deps.send(request)) return Promise.resolve({ granted: false, reason: "no link to the peer" });
    return new Promise((settle) => {
      const onTimeout = (): void => this.#settle({ granted: false, reason: "no answer" });
      const timer = this.#kit.ports.clock.setTimeout(onTimeout, this.#kit.failover.heartbeatMs);
      this.#asked = { request, sentAtMs, timer, settle };
    });
  }

  takeAnswer(answer: VoteAnswer): void {
    this.#deps.book.see(answer.highestEpoch);
    const asked = this.#asked;
    if (asked === null || asked.request.requestId !== answer.requestId) return;
    if (answer.granted) this.#settle({ granted: true, sentAtMs: asked.sentAtMs });
    else this.#settle({ granted: false, reason: answer.reason });
  }

  /** The peer asks for this engine's vote. */
  takeRequest(request: VoteRequest): void {
    const { book, monitor } = this.#deps;
    const reason = this.#judge(request);
    const granted = reason === "granted" && book.see(request.epoch) && book.accept(request.epoch);
    if (granted) {
      this.#grantedUntilMs = this.#kit.nowMs() + this.#deps.waitMs();
      monitor.promiseUntil(this.#grantedUntilMs);
    } else book.see(request.epoch);
    this.#deps.send({
      type: "vote-answer",
      requestId: request.requestId,
      epoch: request.epoch,
      granted,
      reason: granted ? "granted" : reason === "granted" ? "stale-epoch" : reason,
      highestEpoch: book.highest,
    });
  }

  #judge(request: VoteRequest): VoteAnswer["reason"] {
    const { book, monitor } = this.#deps;
    if (!this.#kit.rules.admitsEpoch(book.accepted, request.epoch)) return "stale-epoch";
    const role = this.#deps.role();
    if (role === "leader") return "leads";
    if (role === "candidate") return "campaigns";
    if (this.#kit.nowMs() < monitor.promiseUntilMs && monitor.last?.heartbeat.role !== "follower" && !monitor.alive) {
      return "promised";
    }
    if (request.forced) return "granted";
    const theirs: Claim = {
      label: otherLabel(this.#kit.options.label),
      healthy: request.healthy,
      acceptedEpoch: request.acceptedEpoch,
      log: request.log,
    };
    return hasBetterClaim(this.#deps.claim(), theirs) ? "better-claim" : "granted";
  }

  #settle(result: VoteResult): void {
    const asked = this.#asked;
    if (asked === null) return;
    this.#asked = null;
    this.#kit.ports.clock.clearTimeout(asked.timer);
    asked.settle(result);
  }
}
