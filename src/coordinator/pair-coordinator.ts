/**
 * The coordinator that callers hold: lifecycle, and each call handed to the actor whose business it is.
 */
import { isRefusal } from "../actors/engine-guard.ts";
import { notInLog } from "../actors/engine-keeper.ts";
import type { Kit } from "../actors/kit.ts";
import { resolveConflict } from "../actors/conflict-book.ts";
import { lockEndsAtMs } from "../actors/reconcile-lock.ts";
import type { PairRoot } from "../actors/pair-root.ts";
import type { Json } from "../core/canonical-json.ts";
import type { CoordinatorCounters, CoordinatorEvent } from "../core/events.ts";
import { epochAt, type LogShape } from "../core/fork.ts";
import { otherLabel, parseId, type LockId } from "../core/ids.ts";
import { isoTime } from "../core/iso-time.ts";
import type { Maintenance } from "../core/messages.ts";
import { MAX_SHOWN_BYTES } from "../core/operation.ts";
import type {
  AdoptPeerOutcome,
  ForgetPeerOutcome,
  PairReport,
  ResetNumbersOutcome,
  AdoptOutcome,
  ApplySnapshotOutcome,
  CommandInput,
  ForceLeaderOutcome,
  ForceLeaderRequest,
  CancelOutcome,
  HandoverOutcome,
  PlanOutcome,
  ResetWitnessOutcome,
  ResolveChoice,
  ResolveOutcome,
  SnapshotOutcome,
  SubmitOutcome,
} from "../core/outcomes.ts";
import type { StallAnswer, StallReport } from "../core/stall.ts";
import type { EngineRead } from "../ports/engine.ts";
import type { LeadershipEntry, StoredCheckpoint, StoredState } from "../ports/store.ts";
import type { LockAcquire, LockRead, LockRefresh, LockRelease } from "../ports/witness.ts";
import type { OutboxAction, OutboxStatus, ResyncOutcome } from "../outbox/outbox.ts";
import type { Replication } from "../replication/replication.ts";
import type { Actors } from "./actors.ts";
import { applySnapshot } from "./apply-snapshot.ts";
import { ForceLeader, handOver, notLeader } from "./force-leader.ts";
import { peerEvents } from "./dispatch.ts";
import { Reports } from "./reports.ts";
import type { Coordinator, CoordinatorState, Readiness, PeerHealthReport, SyncHealthReport } from "./types.ts";
import { ChangeoverError } from "../core/errors.ts";
import type { Logger } from "../ports/basics.ts";

/** A handover is planned for so long ahead at most. */
const PLANNED_AHEAD_MS = 7 * 86_400_000;

interface CoordinatorParts {
  readonly actors: Actors;
  readonly root: PairRoot;
  readonly broadcast: Broadcast;
  readonly stored: StoredState;
}

export class PairCoordinator implements Coordinator {
  readonly #kit: Kit;
  readonly #actors: Actors;
  readonly #broadcast: Broadcast;
  readonly #stored: StoredState;
  readonly #reports: Reports;
  readonly #forceLeader: ForceLeader;
  readonly #root: PairRoot;

  constructor(kit: Kit, parts: CoordinatorParts) {
    const { actors, root, broadcast, stored } = parts;
    this.#kit = kit;
    this.#root = root;
    this.#actors = actors;
    this.#broadcast = broadcast;
    this.#stored = stored;
    this.#reports = new Reports(kit, actors);
    this.#forceLeader = new ForceLeader(kit, actors);
    root.bind({
      start: () => this.#begin(),
      publish: () => actors.outbox.finish(),
      stepDown: () => this.#stepDown(),
      close: () => this.#close(),
      endActors: () => actors.stop(),
      retire: () => actors.succession.leadership.retire(),
    });
  }

  start(): Promise<void> {
    return this.#root.start();
  }

  stop(): Promise<void> {
    return this.#root.stop();
  }

  async #begin(): Promise<void> {
    const { ports, self } = this.#kit;
    const { succession, log, executor, comparison, identities } = this.#actors;
    const { checkpoint, maintenance, pinnedPeer } = this.#stored;
    identities.restore(pinnedPeer);
    succession.book.restore(this.#stored);
    succession.restraints.restore(maintenance);
    this.#actors.plannedMoves.restore();
    log.restore(this.#stored);
    if (this.#stored.flaw !== null) this.#actors.catchUp.foundFlaw(this.#stored.flaw);
    const held = (await ports.engine.position?.()) ?? null;
    const shape = ports.store.logShape();
    const goesOn =
      held !== null && epochAt(shape, held.seq) === held.epoch && held.seq >= ports.store.firstHeldSeq() - 1;
    if (goesOn) {
      executor.resetTo(held.seq);
      this.#actors.engineKeeper.goesOn();
    } else if (checkpoint !== null) await this.#restoreEngine(checkpoint);
    else if (held !== null && held.seq > 0 && shape.length > 0) this.#actors.engineKeeper.lose(notInLog(held));
    ports.peerChannel.open(
      peerEvents(this.#kit, this.#actors, () => this.#root.ended),
      self,
      pinnedPeer,
    );
    succession.start();
    this.#actors.outbox.start();
    this.#actors.replication.start();
    if (succession.restraints.maintenanceOn) succession.maintenanceChanged();
    comparison.start();
    this.#actors.engineKeeper.start();
    this.#actors.stalls.start();
  }

  /**
   * An engine that does not take its state now is restored later: a start that ends here would end so again. An engine in
   * this process is blank, so that the whole log gives the state that it refuses, where the whole log is held: both
   * engines may have stored what one bad answer of `snapshot` gave, and then neither has a peer to restore it.
   */
  async #restoreEngine({ position, state }: StoredCheckpoint): Promise<void> {
    const { executor, engineKeeper } = this.#actors;
    const { engine, store, logger } = this.#kit.ports;
    executor.resetTo(position.seq);
    try {
      await engine.restore(state);
    } catch (error) {
      if (!engineKeeper.isBeside && isRefusal(error) && store.firstHeldSeq() <= 1) {
        logger.warn({ err: error, seq: position.seq }, "the stored state is refused: the whole log is executed again");
        executor.resetTo(0);
        return executor.goOnThrough(position.seq);
      }
      engineKeeper.lose(error instanceof Error ? error.message : String(error));
    }
  }

  listenerLost(reason: string): void {
    if (this.#root.ended) return;
    this.#kit.ports.logger.error({ reason }, "the listener is lost: this engine no longer leads");
    this.#root.listenerLost();
  }

  mayAct(): boolean {
    return this.#actors.succession.leadership.mayAct();
  }

  readiness(): Readiness {
    return this.#reports.readiness();
  }

  ready(): boolean {
    return this.#reports.readinessToLead().ready;
  }

  peerHealth(): PeerHealthReport {
    return this.#reports.peerHealth();
  }

  syncHealth(): SyncHealthReport {
    return this.#reports.syncHealth();
  }

  state(): CoordinatorState {
    return this.#reports.state();
  }

  counters(): CoordinatorCounters {
    return { ...this.#kit.counters, stampsRefused: this.#kit.stamps.refused };
  }

  async submit(input: CommandInput): Promise<SubmitOutcome> {
    const startedMs = this.#kit.nowMs();
    const outcome = await this.#submit(input);
    const durability = outcome.outcome === "accepted" ? outcome.durability : null;
    const tookMs = this.#kit.nowMs() - startedMs;
    this.#kit.emit({ type: "answered", outcome: outcome.outcome, durability, tookMs });
    return outcome;
  }

  #submit(input: CommandInput): Promise<SubmitOutcome> {
    const { handover, log } = this.#actors;
    if (!handover.draining && this.mayAct()) return log.submit(input);
    const recalled = log.recall(input, this.#standing());
    if (recalled !== null) return Promise.resolve(recalled);
    const { label } = this.#kit.options;
    const leader = handover.draining ? otherLabel(label) : this.#actors.leader;
    return Promise.resolve(notLeader(this.#kit, leader === label ? null : leader));
  }

  /** What a command of this engine's log counts as while it accepts none; null: the log may still lose its end. */
  #standing(): "pair" | "local" | null {
    const { catchUp, succession } = this.#actors;
    const { role } = succession.leadership;
    if (role === "follower" && catchUp.sync === "ready") return "pair";
    return role === "leader" && this.mayAct() ? "local" : null;
  }

  commands(afterSeq: number, limit: number) {
    return this.#kit.ports.store.commandsAfter(afterSeq, limit, MAX_SHOWN_BYTES);
  }

  async readEngine(path: string): Promise<EngineRead> {
    return this.#kit.ports.engine.read(path, this.programmeTimeUs());
  }

  programmeTimeUs(): number {
    const { leader, programmeClock, succession } = this.#actors;
    const peerId = succession.monitor.last?.heartbeat.engineId;
    const peerLeads = leader !== null && leader !== this.#kit.options.label && peerId !== undefined;
    return programmeClock.nowUs(peerLeads ? peerId : this.#kit.self.engineId);
  }

  async snapshot(): Promise<SnapshotOutcome> {
    try {
      return { outcome: "taken", ...(await this.#actors.snapshots.take()) };
    } catch (error) {
      return { outcome: "engine-not-ready", detail: error instanceof Error ? error.message : String(error) };
    }
  }

  applySnapshot(lockId: LockId | null, snapshot: Json, holder?: string): Promise<ApplySnapshotOutcome> {
    return applySnapshot(this.#kit, this.#actors, { lockId, holder: holder ?? null }, snapshot);
  }

  /**
   * A lock whose acquisition was not answered may stand all the same, and one that was answered too late has little left to
   * its holder [RL2]. Both are given back: nobody else knows the id, so they would stand for their whole TTL.
   */
  async acquireLock({ holder, ttlMs }: { holder: string | null; ttlMs: number }): Promise<LockAcquire> {
    const { ports, options, failover } = this.#kit;
    const { witness } = ports;
    const lockId = ports.ids.next("lock");
    const sentAtMs = this.#kit.nowMs();
    const answer = await witness.acquireLock({ lockId, holder: holder ?? options.label, ttlMs });
    if (answer.outcome === "held") return answer;
    if (answer.outcome === "unreachable") {
      void witness.releaseLock(lockId);
      return answer;
    }
    const tookMs = this.#kit.nowMs() - sentAtMs;
    if (this.#kit.nowMs() < lockEndsAtMs(failover, sentAtMs, ttlMs)) return answer;
    await witness.releaseLock(lockId);
    return {
      outcome: "unreachable",
      reason: `the answer came after ${Math.round(tookMs)} ms, too late for ${ttlMs} ms`,
    };
  }

  async refreshLock(lockId: string, ttlMs?: number): Promise<LockRefresh> {
    const id = parseId("lock", lockId);
    if (id === null) return { outcome: "wrong-id" };
    return this.#kit.ports.witness.refreshLock(id, ttlMs);
  }

  async releaseLock(lockId: string): Promise<LockRelease> {
    const id = parseId("lock", lockId);
    return id === null ? { outcome: "wrong-id" } : this.#kit.ports.witness.releaseLock(id);
  }

  readLock(): Promise<LockRead> {
    return this.#kit.ports.witness.readLock();
  }

  forceLeader(request: ForceLeaderRequest): Promise<ForceLeaderOutcome> {
    return this.#forceLeader.force(request);
  }

  handover(request: { readonly reason: string; readonly by: string }): Promise<HandoverOutcome> {
    return handOver(this.#kit, this.#actors, request);
  }

  planHandover(request: { readonly atUnixMs: number; readonly reason: string; readonly by: string }): PlanOutcome {
    const { succession, leader, plannedMoves } = this.#actors;
    if (succession.leadership.role !== "leader") return notLeader(this.#kit, leader);
    const { atUnixMs: at, by, reason } = request;
    const aheadMs = at - this.#kit.ports.clock.unixMs();
    if (aheadMs > 0 && aheadMs <= PLANNED_AHEAD_MS) {
      return { outcome: "planned", plan: plannedMoves.planHandover({ at, by, reason }) };
    }
    const bound = "must be later than this engine's clock, by 7 days at most";
    return { outcome: "invalid-time", detail: `at is ${isoTime(at)}: ${bound}, which is ${isoTime(at - aheadMs)}` };
  }

  cancelHandover({ by }: { readonly by: string }): CancelOutcome {
    const plan = this.#actors.plannedMoves.cancelHandover(by);
    return plan === null ? { outcome: "nothing-planned" } : { outcome: "cancelled", plan };
  }

  peerStalled(report: StallReport): Promise<StallAnswer> {
    if (this.#root.ended) return Promise.resolve({ taken: false, detail: "this engine stops" });
    return this.#actors.stalls.take(report);
  }

  pair(): PairReport {
    return this.#actors.identities.report(this.#actors.linked);
  }

  adoptPeer({ fingerprint, by }: { readonly fingerprint: string; readonly by: string }): AdoptPeerOutcome {
    return this.#actors.identities.adopt(fingerprint, by, this.#actors.linked);
  }

  forgetPeer({ by }: { readonly by: string }): ForgetPeerOutcome {
    return this.#actors.identities.forget(by, this.#actors.linked);
  }

  resetNumbers({ by }: { readonly by: string }): ResetNumbersOutcome {
    const outcome = this.#actors.succession.resetNumbers();
    if (outcome.outcome !== "reset") return outcome;
    this.#kit.ports.logger.warn({ ...outcome, by }, "the numbers of this engine were reset");
    this.#kit.alarms.clear("number-out-of-reach");
    this.#actors.identities.meetAgain();
    return outcome;
  }

  async adoptWitness(request: { readonly by: string }): Promise<AdoptOutcome> {
    const outcome = await this.#actors.succession.witness.adopt();
    if (outcome.outcome === "adopted") {
      this.#kit.ports.logger.warn({ by: request.by, replaced: outcome.replaced }, "the witness record was adopted");
    }
    return outcome;
  }

  async resetWitness(request: { readonly by: string }): Promise<ResetWitnessOutcome> {
    const { leader, succession } = this.#actors;
    if (leader !== null && leader !== this.#kit.options.label) return notLeader(this.#kit, leader);
    const outcome = await succession.witness.reset();
    if (outcome.outcome === "adopted") {
      this.#kit.ports.logger.warn({ by: request.by, replaced: outcome.replaced }, "the witness record was reset");
    }
    return outcome;
  }

  setMaintenance(request: { readonly on: boolean; readonly reason: string; readonly by: string }): Maintenance {
    const maintenance = this.#actors.succession.restraints.setMaintenance(request);
    this.#actors.succession.maintenanceChanged();
    this.#actors.heartbeats.beat();
    return maintenance;
  }

  logRuns(limit: number): LogShape {
    return this.#kit.ports.store.logShape(limit);
  }

  leadership(limit: number): readonly LeadershipEntry[] {
    return this.#kit.ports.store.leadership(limit);
  }

  conflicts(limit: number) {
    return this.#kit.ports.store.conflicts(limit);
  }

  async resolveConflict(id: string, choice: ResolveChoice, by: string): Promise<ResolveOutcome> {
    if (this.#kit.ports.store.findConflict(id)?.kind === "record") return this.#resolveRecord(id, choice, by);
    const outcome = await resolveConflict(this.#kit, { id, choice, by }, ({ kind, payload }, key) =>
      this.submit({ kind, payload, idempotencyKey: key }),
    );
    if (outcome.outcome === "resolved") this.#actors.tellConflicts();
    return outcome;
  }

  outbox(): OutboxStatus {
    return this.#actors.outbox.status();
  }

  retryEvent(eventId: string): OutboxAction {
    return this.#publisherOnly() ?? this.#actors.outbox.retry(eventId);
  }

  skipEvent(eventId: string, by: string): OutboxAction {
    return this.#publisherOnly() ?? this.#actors.outbox.skip(eventId, by);
  }

  resyncFeed(by: string): ResyncOutcome {
    const refused = this.#publisherOnly();
    return refused?.outcome === "not-leader" ? refused : this.#actors.outbox.resync(by);
  }

  get replication(): Replication {
    return this.#actors.replication;
  }

  pongSent(atUnixUs: number): void {
    this.#reports.lastPongSentUs = atUnixUs;
  }

  subscribe(listener: (event: CoordinatorEvent) => void): () => void {
    return this.#broadcast.subscribe(listener);
  }

  /** null: this engine publishes. */
  #publisherOnly(): OutboxAction | null {
    const { leader, succession } = this.#actors;
    return succession.leadership.role === "leader" ? null : notLeader(this.#kit, leader);
  }

  #resolveRecord(id: string, choice: ResolveChoice, by: string): ResolveOutcome {
    const outcome = this.#actors.replication.records.resolve(id, choice, by);
    return outcome.outcome === "invalid" ? { outcome: "invalid-command", detail: outcome.detail } : outcome;
  }

  /** Steps down, so that nobody has to find out [DP3], and keeps what was executed. */
  async #stepDown(): Promise<void> {
    const { succession, executor } = this.#actors;
    const { leadership, witness } = succession;
    if (leadership.role === "leader") await this.handover({ reason: "this engine stops", by: "automation" });
    // The release is on its way before this engine knows that it arrived: it must have stopped leading by then.
    const released = leadership.role === "leader" ? witness.release() : null;
    leadership.retire();
    await released;
    await executor.checkpoint();
  }

  async #close(): Promise<void> {
    const { ports } = this.#kit;
    await ports.peerChannel.close();
    const { witness, engine, clockSource, sink, stallWatch } = ports;
    await Promise.allSettled([
      witness.close(),
      engine.close(),
      clockSource?.close(),
      sink?.close(),
      stallWatch?.close(),
    ]);
    await Promise.allSettled(ports.changeoverSwitches.map((target) => target.close()));
    this.#actors.roleHooks.flush();
    ports.store.close();
  }
}

// Tells every listener what happens; one that throws harms nobody else.

const MAX_LISTENERS = 64;

export class Broadcast {
  readonly #listeners = new Set<(event: CoordinatorEvent) => void>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  emit(event: CoordinatorEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#logger.error({ err: error, event: event.type }, "an event listener failed");
      }
    }
  }

  subscribe(listener: (event: CoordinatorEvent) => void): () => void {
    if (this.#listeners.size >= MAX_LISTENERS) {
      throw new ChangeoverError("invalid_value", `at most ${MAX_LISTENERS} listeners may subscribe`);
    }
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
