/**
 * A planned change of leader, both sides [HO1–HO5]: the steps of the `handover` chart. The leader has answered every
 * command before it grants, and counts no old vote after it. The target uses the grant only while the leader waits [I1].
 */
import { fromPromise, waitFor, type Actor } from "xstate";
import { handoverMachine, type HandoverContext, type HandoverResult } from "../../machines/handover.machine.ts";
import { comparePositions } from "../core/claim.ts";
import { otherLabel, type RequestId } from "../core/ids.ts";
import type { HandoverGrant, HandoverOffer, HandoverRefusal, HandoverRequest, PeerMessage } from "../core/messages.ts";
import type { CommandLog } from "./command-log.ts";
import type { Kit } from "./kit.ts";
import { SWITCH_BACK } from "./restraints.ts";
import { startMachine } from "./start-machine.ts";
import type { Mover } from "../../machines/campaign.machine.ts";
import type { Succession } from "./succession.ts";

export type { HandoverResult };

export interface HandoverDeps {
  readonly succession: Succession;
  readonly log: CommandLog;
  send(message: PeerMessage): boolean;
  beat(): void;
}

/** How often the target looks whether the last commands have come, and the leader whether it may act, ms. */
const LOOK_MS = 1;

export class Handover {
  readonly #kit: Kit;
  readonly #deps: HandoverDeps;
  readonly #machine: Actor<typeof handoverMachine>;

  constructor(kit: Kit, deps: HandoverDeps) {
    this.#kit = kit;
    this.#deps = deps;
    this.#machine = startMachine(
      kit,
      handoverMachine.provide({
        actors: {
          drain: fromPromise<void>(({ signal }) => this.#drain(signal)),
          takeOver: fromPromise(({ signal }) => this.#takeOver(this.#machine.getSnapshot().context, signal)),
        },
        delays: { window: kit.failover.handoverMs },
        actions: {
          grant: ({ context }) => this.#grant(context),
          leadOn: () => {
            deps.succession.leadership.send({ type: "RESUMED" });
            deps.beat();
          },
        },
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

  /** Whether this engine granted its role for `epoch`, and has not taken it back. It takes no command meanwhile. */
  gaveAway(epoch: number): boolean {
    return this.machineValue === "granting" && this.#machine.getSnapshot().context.asked?.epoch === epoch;
  }

  /** The request for which this engine gave, or is giving, its role away last. */
  get askedBy(): RequestId | null {
    return this.#machine.getSnapshot().context.asked?.requestId ?? null;
  }

  stop(): void {
    this.#machine.stop();
  }

  /** As target: asks the leader for its role. Settles within `handoverMs`, and what a grant takes. */
  async take(requestId: RequestId, mover: Mover): Promise<HandoverResult> {
    if (this.underWay) return failed("another handover is under way");
    const { book } = this.#deps.succession;
    const fromEpoch = book.accepted;
    const epoch = book.mint();
    if (epoch === null) return failed("the epoch could not be saved");
    const sentAtMs = this.#kit.nowMs();
    const request = { type: "handover-request", requestId, epoch, ...mover } as const;
    if (!this.#deps.send(request)) return failed("no link to the peer");
    this.#machine.send({ type: "ASK", request, sentAtMs, fromEpoch });
    return this.#ended();
  }

  /** As leader: offers the role to the peer. Settles within `handoverMs` for each of its steps. */
  async offer(requestId: RequestId, mover: Mover): Promise<HandoverResult> {
    if (this.underWay) return failed("another handover is under way");
    const { book } = this.#deps.succession;
    if (!this.#deps.send({ type: "handover-offer", requestId, epoch: book.accepted, ...mover })) {
      return failed("no link to the peer");
    }
    this.#machine.send({ type: "OFFER" });
    return this.#ended();
  }

  onOffer(offer: HandoverOffer): void {
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

  onRequest(request: HandoverRequest): void {
    const refusal = this.#refusal(request);
    this.#deps.succession.book.see(request.epoch);
    if (refusal === null) return this.#machine.send({ type: "ASKED", request });
    const highestEpoch = this.#deps.succession.book.highest;
    this.#deps.send({ type: "handover-refusal", requestId: request.requestId, reason: refusal, highestEpoch });
  }

  onRefusal(refusal: HandoverRefusal): void {
    this.#deps.succession.book.see(refusal.highestEpoch);
    if (this.#asksFor(refusal)) this.#machine.send({ type: "REFUSED", reason: refusal.reason });
  }

  onGrant(grant: HandoverGrant): void {
    if (this.#asksFor(grant)) this.#machine.send({ type: "GRANTED", grant });
  }

  /** This engine leads no longer. */
  relieved(epoch: number): void {
    this.#machine.send({ type: "RELIEVED", epoch });
  }

  #asksFor({ requestId }: { readonly requestId: RequestId }): boolean {
    return this.#machine.getSnapshot().context.taking?.request.requestId === requestId;
  }

  async #ended(): Promise<HandoverResult> {
    try {
      return (await waitFor(this.#machine, (snapshot) => snapshot.matches("idle"))).context.result;
    } catch {
      return failed("stopped");
    }
  }

  #refusal(request: HandoverRequest): HandoverRefusal["reason"] | null {
    const { leadership, book, monitor } = this.#deps.succession;
    if (leadership.role !== "leader" || !leadership.mayAct()) return "not-leader";
    if (request.epoch <= book.accepted) return "stale-epoch";
    // Its log has parted from this one: it would lead without what was acknowledged here [HO2].
    if (monitor.last?.heartbeat.sync === "reconciling") return "not-ready";
    return this.underWay && this.machineValue !== "offering" ? "busy" : null;
  }

  /** Until everyone is answered, and this leader may act: one that slept meanwhile first learns whether it still leads [HO1]. */
  async #drain(signal: AbortSignal): Promise<void> {
    const { log, succession } = this.#deps;
    await log.drained();
    while (!signal.aborted && !succession.leadership.mayAct()) if (!(await this.#kit.pauses.wait(LOOK_MS))) return;
  }

  #grant({ asked }: HandoverContext): void {
    if (asked === null) return;
    const { leadership, witness } = this.#deps.succession;
    const witnessSeq = witness.sentSeq;
    leadership.send({ type: "YIELD" });
    const final = this.#deps.log.position;
    this.#deps.send({ type: "handover-grant", requestId: asked.requestId, epoch: asked.epoch, final, witnessSeq });
  }

  /**
   * Waits for the last commands, which come before the grant on the same link, then takes the role. A log that has parted
   * from the leader's never ends where that one does: the grant lapses [HO2].
   */
  async #takeOver({ taking, grant }: HandoverContext, signal: AbortSignal): Promise<HandoverResult> {
    if (taking === null || grant === null) throw new Error("broken invariant: a grant answers a request");
    const { rules, failover, options, pauses } = this.#kit;
    const untilMs = rules.grantUntilMs(taking.sentAtMs, this.#kit.nowMs(), failover);
    for (;;) {
      if (this.#kit.nowMs() >= untilMs) return failed("the grant came too late");
      if (comparePositions(this.#deps.log.position, grant.final) === 0) break;
      if (!(await pauses.wait(LOOK_MS)) || signal.aborted) return failed("stopped");
    }
    const { epoch, cause, by, reason } = taking.request;
    const engineId = this.#deps.succession.peerId;
    const leaders = { holder: otherLabel(options.label), epoch: taking.fromEpoch };
    const expected =
      grant.witnessSeq === null || engineId === null ? null : { ...leaders, engineId, seq: grant.witnessSeq };
    const ground = { kind: "granted", epoch, expected, untilMs } as const;
    const result = await this.#deps.succession.leadership.campaign(ground, { cause, by, reason });
    return result.outcome === "won" ? { outcome: "done", epoch: result.epoch } : failed(result.reason);
  }
}

function failed(reason: string): HandoverResult {
  return { outcome: "failed", reason };
}
