/**
 * Moves of the role that were decided beforehand: the switch-back to the preferred engine [HO9], and a handover at a time
 * that a person set [HO10]. Both are graceful handovers, and only the leader looks, once a beat.
 *
 * A planned handover is on disk, so it survives a restart. It ends when the peer leads: it was meant to take the role from
 * the engine that led when it was planned, and would otherwise bring it back there.
 */
import type { Epoch } from "../core/epoch.ts";
import type { IncarnationId } from "../core/ids.ts";
import { isoTime } from "../core/iso-time.ts";
import type { Heartbeat, LeadershipOrigin } from "../core/messages.ts";
import type { PlannedHandover, SwitchBackState } from "../core/outcomes.ts";
import type { HandoverResult } from "./handover.ts";
import type { Kit } from "./kit.ts";
import type { Mover } from "../../machines/campaign.machine.ts";
import type { Leadership } from "./leadership.ts";
import type { PeerMonitor } from "./peer-monitor.ts";
import { SWITCH_BACK, type Restraints } from "./restraints.ts";
import type { SwitchBackWait } from "./rules.ts";

export interface PlannedMovesDeps {
  readonly leadership: Pick<Leadership, "role" | "origin" | "mayAct">;
  readonly monitor: Pick<PeerMonitor, "alive">;
  readonly restraints: Pick<Restraints, "maintenanceOn" | "heldDownUntilMs">;
  acceptedEpoch(): Epoch;
  handoverUnderWay(): boolean;
  /** Why the peer could not lead now; null: it could. */
  whyNoBackup(): string | null;
  /** Offers the role to the peer. */
  offer(mover: Mover): Promise<HandoverResult>;
}

const KEY = "planned-handover";
/** How long a planned handover is tried again. */
const PATIENCE_MS = 10_000;
/** From then on an engine that was off is not asked to move a role that nobody watches any more. */
const TOO_LATE_MS = 60_000;
const PAUSE_AFTER_FAILURE_MS = 5_000;

export class PlannedMoves {
  readonly #kit: Kit;
  readonly #deps: PlannedMovesDeps;
  #plan: PlannedHandover | null = null;
  #ready: { readonly incarnation: IncarnationId; readonly sinceMs: number } | null = null;
  #offering = false;
  #notBeforeMs = 0;

  constructor(kit: Kit, deps: PlannedMovesDeps) {
    this.#kit = kit;
    this.#deps = deps;
  }

  /** The handover that a person planned; null: none. */
  get plan(): PlannedHandover | null {
    return this.#plan;
  }

  get switchBack(): SwitchBackState {
    const waiting = this.#waits() ?? [];
    const readySinceMs = this.#ready?.sinceMs;
    const isSoon = waiting.length === 1 && waiting[0] === "delay" && readySinceMs !== undefined;
    if (!isSoon) return { waiting, dueAt: null };
    const leftMs = readySinceMs + this.#kit.failover.switchBackDelayMs - this.#kit.nowMs();
    return { waiting, dueAt: Math.round(this.#kit.ports.clock.unixMs() + leftMs) };
  }

  /** Reads the plan that an earlier life of this engine left. */
  restore(): void {
    this.#plan = parsed(this.#peerState.get(KEY));
  }

  /** A later plan takes the place of an earlier one. Throws when the disk refuses it. */
  planHandover(plan: Omit<PlannedHandover, "epoch">): PlannedHandover {
    const planned = { ...plan, epoch: this.#deps.acceptedEpoch() };
    this.#peerState.set(KEY, JSON.stringify(planned));
    this.#plan = planned;
    this.#kit.alarms.clear("handover-missed");
    this.#kit.ports.logger.info({ ...planned, at: isoTime(planned.at) }, "a handover was planned");
    return planned;
  }

  /** The plan that no longer stands; null: there was none. Throws when the disk refuses it. */
  cancelHandover(by: string): PlannedHandover | null {
    const plan = this.#plan;
    this.#kit.alarms.clear("handover-missed");
    if (plan === null) return null;
    this.#peerState.delete(KEY);
    this.#plan = null;
    this.#kit.ports.logger.info({ ...plan, at: isoTime(plan.at), cancelledBy: by }, "a planned handover was cancelled");
    return plan;
  }

  /** A heartbeat of the peer, which follows: counts since when it has been ready without a break. */
  heardFollower({ incarnation, health, sync, role, epoch }: Heartbeat): void {
    const isReady = role === "follower" && health === "ok" && sync === "ready" && epoch === this.#deps.acceptedEpoch();
    if (!isReady) this.#ready = null;
    else if (this.#ready?.incarnation !== incarnation) this.#ready = { incarnation, sinceMs: this.#kit.nowMs() };
  }

  /** The peer leads: what was planned here is over. */
  peerLeads(epoch: Epoch): void {
    this.#ready = null;
    if (this.#plan !== null && epoch > this.#plan.epoch) this.#end("the role has moved");
  }

  /** Once a beat. */
  look(): void {
    if (!this.#deps.monitor.alive) this.#ready = null;
    if (this.#deps.leadership.role !== "leader" || this.#offering) return;
    if (!this.#handOverNow()) this.#switchBackNow();
  }

  /** Whether a planned handover is due. */
  #handOverNow(): boolean {
    const plan = this.#plan;
    const lateMs = plan === null ? -1 : this.#kit.ports.clock.unixMs() - plan.at;
    if (plan === null || lateMs < 0) return false;
    if (lateMs > TOO_LATE_MS) {
      this.#miss(plan, "this engine did not lead at that time");
      return false;
    }
    const why = this.#deps.whyNoBackup();
    if (why !== null) {
      this.#refused(plan, lateMs, why);
      return true;
    }
    const { by, reason } = plan;
    void this.#offer({ cause: "handover", by, reason }).then((result) => {
      if (result.outcome === "failed") this.#refused(plan, lateMs, result.reason);
      else this.#end("done");
    });
    return true;
  }

  #switchBackNow(): void {
    if (this.#kit.nowMs() < this.#notBeforeMs) return;
    const waits = this.#waits();
    if (waits === null || waits.length > 0) return;
    const { preferred } = this.#kit.failover;
    const reason = `the preferred engine ${preferred} is ready`;
    void this.#offer({ cause: "handover", by: SWITCH_BACK, reason }).then((result) => {
      if (result.outcome === "done") return;
      this.#notBeforeMs = this.#kit.nowMs() + PAUSE_AFTER_FAILURE_MS;
      this.#kit.ports.logger.warn({ reason: result.reason }, "the role did not go back to the preferred engine");
    });
  }

  #waits(): readonly SwitchBackWait[] | null {
    const { failover, options, rules } = this.#kit;
    const { leadership, restraints } = this.#deps;
    if (leadership.role !== "leader") return null;
    return rules.switchBackWaits({
      label: options.label,
      preferred: failover.preferred,
      switchBack: failover.switchBack,
      settled: leadership.mayAct() && !this.#deps.handoverUnderWay(),
      placed: wasPlaced(leadership.origin),
      maintenanceOn: restraints.maintenanceOn,
      heldDown: restraints.heldDownUntilMs() !== null,
      peerReadyMs: this.#ready === null ? null : this.#kit.nowMs() - this.#ready.sinceMs,
      delayMs: failover.switchBackDelayMs,
    });
  }

  async #offer(mover: Mover): Promise<HandoverResult> {
    this.#offering = true;
    try {
      return await this.#deps.offer(mover);
    } finally {
      this.#offering = false;
    }
  }

  #refused(plan: PlannedHandover, lateMs: number, why: string): void {
    if (this.#plan === plan && lateMs > PATIENCE_MS) this.#miss(plan, why);
  }

  #miss(plan: PlannedHandover, why: string): void {
    this.#end(why);
    this.#kit.alarms.raise(
      "handover-missed",
      `the handover that ${plan.by} planned for ${isoTime(plan.at)} did not happen: ${why}`,
    );
  }

  #end(why: string): void {
    const plan = this.#plan;
    if (plan === null) return;
    this.#plan = null;
    try {
      this.#peerState.delete(KEY);
    } catch (error) {
      this.#kit.ports.logger.error({ err: error }, "a planned handover that is over could not be removed");
    }
    this.#kit.ports.logger.info({ ...plan, at: isoTime(plan.at), why }, "a planned handover is over");
  }

  get #peerState() {
    return this.#kit.ports.store.replica.peerState;
  }
}

/** Whether the role is where a person, or the peer's own switch-back, has put it: then it stays. */
function wasPlaced(origin: LeadershipOrigin | null): boolean {
  if (origin === null) return false;
  return origin.cause === "forced" || (origin.cause === "handover" && origin.by !== "automation");
}

/** A text that makes no sense is no plan. */
function parsed(text: string | null): PlannedHandover | null {
  if (text === null) return null;
  try {
    const { at, by, reason, epoch } = JSON.parse(text) as Partial<PlannedHandover>;
    const isPlan =
      typeof at === "number" && typeof by === "string" && typeof reason === "string" && Number.isSafeInteger(epoch);
    return isPlan ? { at, by, reason, epoch: epoch as Epoch } : null;
  } catch {
    return null;
  }
}
