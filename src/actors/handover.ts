/**
 * A planned change of leader, both sides [HO1–HO5]. Binds `handover`.
 * Keeps true: the leader has answered every command before it grants, and counts no old vote after it; the target uses
 * the grant only while the leader waits [I1]; past its time the old leader leads on.
 */
import { handoverMachine } from "../../machines/handover.machine.ts";
import { comparePositions } from "../core/claim.ts";
import { otherLabel, type RequestId } from "../core/ids.ts";
import type { HandoverGrant, HandoverOffer, HandoverRefusal, HandoverRequest, PeerMessage } from "../core/messages.ts";
import type { TimerHandle } from "../ports/basics.ts";
import type { CommandLog } from "./command-log.ts";
import type { Kit } from "./kit.ts";
import { SWITCH_BACK } from "./restraints.ts";
import { startMachine } from "./start-machine.ts";
import type { Mover } from "./leadership.ts";
import type { Succession } from "./succession.ts";

export interface HandoverDeps {
  readonly succession: Succession;
  readonly log: CommandLog;
  send(message: PeerMessage): boolean;
  beat(): void;
}

export type HandoverResult =
  { readonly outcome: "done"; readonly epoch: number } | { readonly outcome: "failed"; readonly reason: string };

interface Taking {
  readonly requestId: RequestId;
  readonly epoch: number;
  readonly mover: Mover;
  readonly sentAtMs: number;
  readonly fromEpoch: number;
  settle(result: HandoverResult): void;
}

/** How often the target looks whether the last commands have come, ms. */
const LOOK_MS = 1;

export class Handover {
  readonly #kit: Kit;
  readonly #deps: HandoverDeps;
  readonly #machine;
  #taking: Taking | null = null;
  #asked: HandoverRequest | null = null;
  #offered: ((result: HandoverResult) => void) | null = null;
  #timer: TimerHandle | null = null;

  constructor(kit: Kit, deps: HandoverDeps) {
    this.#kit = kit;
    this.#deps = deps;
    this.#machine = startMachine(
      kit,
      handoverMachine.provide({
        actions: { drain: () => void this.#drain(), grant: () => this.#grant(), leadOn: () => this.#leadOn() },
      }),
    );
  }

  get machineValue(): string {
    return this.#machine.getSnapshot().value;
  }

  get underWay(): boolean {
    return this.machineValue !== "idle";
  }

  /** Whether this leader accepts no more commands because it is handing over. */
  get draining(): boolean {
    return this.machineValue === "draining" || this.machineValue === "granting";
  }

  stop(): void {
    this.#disarm();
    this.#finishTaking({ outcome: "failed", reason: "stopped" });
    this.#finishOffer({ outcome: "failed", reason: "stopped" });
    this.#machine.stop();
  }

  /** As target: asks the leader for its role. Settles within `handoverMs`. */
  take(requestId: RequestId, mover: Mover): Promise<HandoverResult> {
    if (this.underWay) return failed("another handover is under way");
    const { book } = this.#deps.succession;
    const fromEpoch = book.accepted;
    const epoch = book.mint();
    if (epoch === null) return failed("the epoch could not be saved");
    const sentAtMs = this.#kit.nowMs();
    if (!this.#deps.send({ type: "handover-request", requestId, epoch, ...mover }))
      return failed("no link to the peer");
    return new Promise((settle) => {
      this.#taking = { requestId, epoch, mover, sentAtMs, fromEpoch, settle };
      this.#machine.send({ type: "ASK" });
      this.#arm(this.#kit.failover.handoverMs, () =>
        this.#finishTaking({ outcome: "failed", reason: "no grant came" }),
      );
    });
  }

  /** As leader: offers the role to the peer. Settles within `handoverMs` and a heartbeat. */
  offer(requestId: RequestId, mover: Mover): Promise<HandoverResult> {
    if (this.underWay) return failed("another handover is under way");
    const { book } = this.#deps.succession;
    if (!this.#deps.send({ type: "handover-offer", requestId, epoch: book.accepted, ...mover })) {
      return failed("no link to the peer");
    }
    return new Promise((settle) => {
      this.#offered = settle;
      this.#machine.send({ type: "OFFER" });
      this.#arm(this.#kit.failover.handoverMs, () => {
        this.#machine.send({ type: "EXPIRED" });
        this.#finishOffer({ outcome: "failed", reason: "the peer did not take the role" });
      });
    });
  }

  takeOffer(offer: HandoverOffer): void {
    const { leadership, book } = this.#deps.succession;
    if (leadership.role !== "follower" || offer.epoch !== book.accepted) return;
    const { cause, by, reason } = offer;
    // The leader judged by a heartbeat: this engine may have failed since, or a person may hold the role here [HO5, CP1].
    const { restraints } = this.#deps.succession;
    const unfit =
      this.#kit.ports.engine.health() === "failed" ||
      this.#kit.alarms.stands("store-failed") ||
      restraints.maintenanceOn;
    if ((cause === "unhealthy" || by === SWITCH_BACK) && unfit) return;
    void this.take(offer.requestId, { cause, by, reason });
  }

  takeRequest(request: HandoverRequest): void {
    const refusal = this.#refusal(request);
    this.#deps.succession.book.see(request.epoch);
    if (refusal !== null) {
      const highestEpoch = this.#deps.succession.book.highest;
      this.#deps.send({ type: "handover-refusal", requestId: request.requestId, reason: refusal, highestEpoch });
      return;
    }
    this.#asked = request;
    this.#machine.send({ type: "ASKED" });
  }

  takeRefusal(refusal: HandoverRefusal): void {
    this.#deps.succession.book.see(refusal.highestEpoch);
    if (this.#taking?.requestId !== refusal.requestId) return;
    this.#finishTaking({ outcome: "failed", reason: `the leader refused: ${refusal.reason}` });
  }

  takeGrant(grant: HandoverGrant): void {
    const taking = this.#taking;
    if (taking === null || taking.requestId !== grant.requestId || this.machineValue !== "asking") return;
    this.#machine.send({ type: "GRANTED" });
    this.#takeOver(taking, grant);
  }

  /** The role has moved, here or there: whatever was under way has ended. */
  roleSettled(ledByPeer: boolean, epoch: number): void {
    if (!this.underWay || this.#taking !== null) return;
    this.#disarm();
    this.#asked = null;
    this.#machine.send({ type: "DONE" });
    this.#finishOffer(ledByPeer ? { outcome: "done", epoch } : { outcome: "failed", reason: "the role came back" });
  }

  #refusal(request: HandoverRequest): HandoverRefusal["reason"] | null {
    const { leadership, book, monitor } = this.#deps.succession;
    if (leadership.role !== "leader" || !leadership.mayAct()) return "not-leader";
    if (request.epoch <= book.accepted) return "stale-epoch";
    // Its log has parted from this one: it would lead without what was acknowledged here [HO2].
    if (monitor.last?.heartbeat.sync === "reconciling") return "not-ready";
    return this.draining || this.#taking !== null ? "busy" : null;
  }

  async #drain(): Promise<void> {
    const asked = this.#asked;
    this.#arm(this.#kit.failover.handoverMs, () => this.#machine.send({ type: "EXPIRED" }));
    await this.#deps.log.drained();
    if (this.machineValue === "draining" && this.#asked === asked) this.#machine.send({ type: "DRAINED" });
  }

  #grant(): void {
    const asked = this.#asked;
    if (asked === null) return;
    const { leadership, witness } = this.#deps.succession;
    const witnessSeq = witness.sentSeq;
    leadership.send({ type: "YIELD" });
    const final = this.#deps.log.position;
    this.#deps.send({ type: "handover-grant", requestId: asked.requestId, epoch: asked.epoch, final, witnessSeq });
    this.#arm(this.#kit.failover.handoverMs, () => this.#machine.send({ type: "EXPIRED" }));
  }

  #leadOn(): void {
    this.#disarm();
    this.#asked = null;
    this.#deps.succession.leadership.send({ type: "RESUMED" });
    this.#finishOffer({ outcome: "failed", reason: "the peer did not take the role" });
    this.#deps.beat();
  }

  /**
   * Waits for the last commands, which come before the grant on the same link, then takes the role. A log that has parted
   * from the leader's never ends where that one does: the grant lapses [HO2].
   */
  #takeOver(taking: Taking, grant: HandoverGrant): void {
    if (this.#taking !== taking) return;
    const { rules, failover, options } = this.#kit;
    const untilMs = rules.grantUntilMs(taking.sentAtMs, this.#kit.nowMs(), failover);
    if (this.#kit.nowMs() >= untilMs)
      return this.#finishTaking({ outcome: "failed", reason: "the grant came too late" });
    if (comparePositions(this.#deps.log.position, grant.final) !== 0) {
      this.#arm(LOOK_MS, () => this.#takeOver(taking, grant));
      return;
    }
    const engineId = this.#deps.succession.peerId;
    const leaders = { holder: otherLabel(options.label), epoch: taking.fromEpoch };
    const expected =
      grant.witnessSeq === null || engineId === null ? null : { ...leaders, engineId, seq: grant.witnessSeq };
    this.#disarm();
    const ground = { kind: "granted", epoch: taking.epoch, expected, untilMs } as const;
    void this.#deps.succession.leadership.campaign(ground, taking.mover).then((result) => {
      if (result.outcome === "won") this.#finishTaking({ outcome: "done", epoch: result.epoch });
      else this.#finishTaking({ outcome: "failed", reason: result.reason });
    });
  }

  #finishTaking(result: HandoverResult): void {
    const taking = this.#taking;
    if (taking === null) return;
    this.#taking = null;
    this.#disarm();
    this.#machine.send(result.outcome === "done" ? { type: "DONE" } : { type: "REFUSED", reason: result.reason });
    taking.settle(result);
  }

  #finishOffer(result: HandoverResult): void {
    const settle = this.#offered;
    this.#offered = null;
    settle?.(result);
  }

  #arm(ms: number, fire: () => void): void {
    this.#disarm();
    this.#timer = this.#kit.ports.clock.setTimeout(() => {
      this.#timer = null;
      fire();
    }, ms);
  }

  #disarm(): void {
    if (this.#timer !== null) this.#kit.ports.clock.clearTimeout(this.#timer);
    this.#timer = null;
  }
}

function failed(reason: string): Promise<HandoverResult> {
  return Promise.resolve({ outcome: "failed", reason });
}
