/**
 * A leader whose own event loop stands still [EN5, EN7]. Its watch offers the role in its place; what the peer answered is
 * heard here when the loop runs again. On the other side, this is where the peer's report is judged.
 *
 * A report is the leader's own word that it has stopped, so neither promise nor probe nor hold time applies, as in a
 * handover. What was given away is never taken back: the old leader steps down even where nobody knows whether the peer
 * leads. So the two never act at once, whenever the loop wakes. Hold-down and a person's hold apply [EN8].
 */
import { otherLabel } from "../core/ids.ts";
import type { SyncState } from "../core/messages.ts";
import { type StallAnswer, type StallReport, stallText } from "../core/stall.ts";
import type { PinnedPeer, PeerRefusal } from "../ports/peer-channel.ts";
import type { StallOutcome } from "../ports/stall-watch.ts";
import type { Kit } from "./kit.ts";
import type { Succession } from "./succession.ts";

export interface StallsDeps {
  readonly succession: Succession;
  sync(): SyncState;
  handoverUnderWay(): boolean;
  pinned(): PinnedPeer | null;
  onRefused(refusal: PeerRefusal, detail: string): void;
}

/** The alarm stands this long after the last stall, so that a person sees it, ms. */
const SHOWN_MS = 10_000;

export class Stalls {
  readonly #kit: Kit;
  readonly #deps: StallsDeps;
  #shownUntilMs = 0;
  /** The take-over under way. Its report may come over several networks, and again. */
  #taking: { readonly epoch: number; readonly answer: Promise<StallAnswer> } | null = null;

  #vouch = { n: 0, stoodMs: 0 };

  constructor(kit: Kit, deps: StallsDeps) {
    this.#kit = kit;
    this.#deps = deps;
  }

  start(): void {
    this.#kit.ports.stallWatch?.open(this.#kit.self, (outcome) => this.#woke(outcome));
  }

  /** The role has moved, or a leader has offered it. */
  roleMoved(): void {
    const { leadership } = this.#deps.succession;
    if (leadership.role !== "leader" || leadership.steppingDown) this.#kit.ports.stallWatch?.rest();
  }

  /** Heartbeat `n` was sent. One that has just stood still may not act yet, and may stand still again before it may. */
  sent(n: number): void {
    const { leadership, book } = this.#deps.succession;
    if (leadership.role === "leader" && !leadership.steppingDown) {
      this.#kit.ports.stallWatch?.lead({ epoch: book.accepted, n });
    }
    if (this.#kit.nowMs() >= this.#shownUntilMs) this.#kit.alarms.clear("loop-stalled");
  }

  /** The peer's watch says that the peer's loop stands still. */
  async take(report: StallReport): Promise<StallAnswer> {
    const pinned = this.#deps.pinned();
    // Before the first greeting nobody can tell whose report it is: no reason to call anybody a stranger.
    if (pinned === null) return { taken: false, detail: "no peer has been met yet" };
    const forged = this.#forgery(report, pinned);
    if (forged !== null) {
      this.#deps.onRefused("bad-proof", forged);
      return { taken: false, detail: forged };
    }
    if (!report.stalled) return this.#vouched(report);
    if (this.#taking?.epoch === report.epoch) return this.#taking.answer;
    const { leadership, book } = this.#deps.succession;
    if (leadership.role === "leader" && book.accepted > report.epoch)
      return { taken: true, detail: "it leads already" };
    const why = this.#whyNot(report);
    const what = `the event loop of engine ${report.label} stood still for ${report.stoodMs} ms`;
    if (why !== null) {
      if (why !== HEARD_SINCE) this.#show(`${what}; this engine does not take over: ${why}`);
      return { taken: false, detail: why };
    }
    const answer = this.#takeOver(what).finally(() => (this.#taking = null));
    this.#taking = { epoch: report.epoch, answer };
    return answer;
  }

  /** The leader is busy, and lives. A report counts once: a recorded one must not keep a dead leader alive. */
  #vouched({ incarnation, epoch, n, stoodMs }: StallReport): StallAnswer {
    const { monitor } = this.#deps.succession;
    const last = monitor.last?.heartbeat;
    const isFresh = last !== undefined && this.#kit.rules.stallIsFresh({ incarnation, epoch, n }, last);
    const isNew = this.#vouch.n !== n || stoodMs > this.#vouch.stoodMs;
    if (!isFresh || !isNew) return { taken: false, detail: HEARD_SINCE };
    this.#vouch = { n, stoodMs };
    monitor.vouched();
    return { taken: false, detail: "noted" };
  }

  async #takeOver(what: string): Promise<StallAnswer> {
    const { failover, options } = this.#kit;
    const { book, monitor, leadership, peerId } = this.#deps.succession;
    const heartbeat = monitor.last?.heartbeat;
    const fromEpoch = book.accepted;
    const epoch = book.mint();
    if (epoch === null) return { taken: false, detail: "the epoch could not be saved" };
    const seq = heartbeat?.witnessSeq ?? null;
    const holder = otherLabel(options.label);
    const expected = seq === null || peerId === null ? null : { holder, epoch: fromEpoch, engineId: peerId, seq };
    // Nobody knows how old the report is, so under `consistency` it is no vote with an end: the witness must vote.
    const untilMs = this.#kit.nowMs() + (failover.policy === "on-air" ? failover.leaseMs : 0);
    this.#show(what);
    const mover = { cause: "unhealthy", by: "automation", reason: what } as const;
    const result = await leadership.campaign({ kind: "granted", epoch, expected, untilMs }, mover);
    return result.outcome === "won" ? { taken: true, detail: "" } : { taken: false, detail: result.reason };
  }

  /** Why a report is none of the pinned peer's; null: it is. */
  #forgery(report: StallReport, pinned: PinnedPeer): string | null {
    const { signatures } = this.#kit.ports;
    const { pair, label } = this.#kit.options;
    if (report.pair !== pair || report.label !== otherLabel(label)) return "a stall report of another pair or label";
    if (pinned.key === null || pinned.engineId !== report.engineId) {
      return `a stall report of ${report.engineId}, which is not the pinned peer`;
    }
    const holds = signatures?.verify(pinned.key, stallText(report), report.signature) ?? false;
    return holds ? null : "a stall report that the pinned key did not sign";
  }

  #whyNot(report: StallReport): string | null {
    const { ports, alarms, rules, failover } = this.#kit;
    const { leadership, book, monitor, restraints, judge, witness } = this.#deps.succession;
    const last = monitor.last?.heartbeat ?? null;
    if (last === null || last.role !== "leader" || last.epoch !== book.accepted) return "it follows no such leader";
    const { incarnation, epoch, n } = last;
    if (!rules.stallIsFresh(report, { incarnation, epoch, n })) return HEARD_SINCE;
    if (leadership.role !== "follower" || this.#deps.handoverUnderWay()) return "its role is about to move already";
    const verdict = judge.notAtOnce();
    if (!verdict.go) return verdict.waits.map(({ why }) => why).join(", ");
    if (restraints.heldDownUntilMs() !== null) return "hold-down";
    if (ports.engine.health() === "failed" || alarms.stands("store-failed")) return "engine-failed";
    if (this.#deps.sync() !== "ready" || judge.isBehind()) return "behind";
    return failover.policy === "consistency" && !witness.configured ? "no-witness" : null;
  }

  #woke({ epoch, stoodMs, taken, detail }: StallOutcome): void {
    const { leadership, book, monitor, judge } = this.#deps.succession;
    const what = `the event loop of this engine stood still for ${stoodMs} ms`;
    this.#kit.ports.logger.warn({ stoodMs, taken, detail }, "the event loop stood still");
    if (taken === false) return this.#show(`${what}; the peer did not take the role: ${detail}`);
    this.#show(`${what}; its role was given to the peer`);
    if (leadership.role !== "leader" || book.accepted !== epoch) return;
    // The peer may lead without having been heard yet.
    monitor.promiseUntil(this.#kit.nowMs() + judge.waitMs);
    leadership.send({ type: "GAVE_AWAY" });
  }

  #show(detail: string): void {
    this.#shownUntilMs = this.#kit.nowMs() + SHOWN_MS;
    this.#kit.alarms.raise("loop-stalled", detail);
  }
}

const HEARD_SINCE = "it was heard since";
