/**
 * Purpose: the coordinator that callers hold: lifecycle, and each call handed to the actor whose business it is.
 */
import type { Kit } from "../actors/kit.ts";
import { resolveConflict } from "../actors/conflict-book.ts";
import type { Json } from "../core/canonical-json.ts";
import type { CoordinatorCounters, CoordinatorEvent } from "../core/events.ts";
import { epochAt } from "../core/fork.ts";
import { otherLabel, parseId, type LockId, type RequestId } from "../core/ids.ts";
import type { Maintenance } from "../core/messages.ts";
import type {
  ApplySnapshotOutcome,
  CommandInput,
  ForceLeaderOutcome,
  ForceLeaderRequest,
  HandoverOutcome,
  ResolveChoice,
  ResolveOutcome,
  SnapshotOutcome,
  SubmitOutcome,
} from "../core/outcomes.ts";
import type { EngineRead } from "../ports/engine.ts";
import type { PeerHello } from "../ports/peer-channel.ts";
import type { LeadershipEntry, StoredState } from "../ports/store.ts";
import type { LockAcquire, LockRead, LockRefresh, LockRelease } from "../ports/witness.ts";
import type { OutboxAction, OutboxStatus } from "../outbox/outbox.ts";
import type { Replication } from "../replication/replication.ts";
import type { Actors } from "./actors.ts";
import { applySnapshot } from "./apply-snapshot.ts";
import type { Broadcast } from "./broadcast.ts";
import { dispatch } from "./dispatch.ts";
import { ForceLeader } from "./force-leader.ts";
import { recordRequest } from "./record-request.ts";
import { Reports } from "./reports.ts";
import type { Coordinator, CoordinatorState, PeerHealthReport, SyncHealthReport } from "./types.ts";

export class PairCoordinator implements Coordinator {
  readonly #kit: Kit;
  readonly #actors: Actors;
  readonly #broadcast: Broadcast;
  readonly #stored: StoredState;
  readonly #reports: Reports;
  readonly #forceLeader: ForceLeader;
  #stopping: Promise<void> | null = null;
  #stopped = false;

  constructor(kit: Kit, actors: Actors, broadcast: Broadcast, stored: StoredState) {
    this.#kit = kit;
    this.#actors = actors;
    this.#broadcast = broadcast;
    this.#stored = stored;
    this.#reports = new Reports(kit, actors);
    this.#forceLeader = new ForceLeader(kit, actors);
  }

  async start(): Promise<void> {
    const { ports, self } = this.#kit;
    const { succession, log, executor, comparison } = this.#actors;
    const { checkpoint, maintenance, pinnedPeer } = this.#stored;
    succession.book.restore(this.#stored);
    succession.restraints.restore(maintenance);
    log.restore(this.#stored);
    const held = (await ports.engine.position?.()) ?? null;
    if (held !== null && epochAt(ports.store.logShape(), held.seq) === held.epoch) {
      executor.resetTo(held.seq);
    } else if (checkpoint !== null) {
      await ports.engine.restore(checkpoint.state);
      executor.resetTo(checkpoint.position.seq);
    }
    ports.peerChannel.open(
      {
        onLinkUp: () => this.#linkUp(),
        onLinkDown: (_link, socketClosed) => this.#linkDown(socketClosed),
        onMessage: (message, receipt) => {
          if (!this.#stopped) dispatch(this.#kit, this.#actors, message, receipt.receivedAtMonoMs);
        },
        onRefused: (refusal, detail) => this.#refused(refusal, detail),
        onFirstContact: (peer) => this.#pin(peer),
      },
      self,
      pinnedPeer,
    );
    succession.start();
    this.#actors.outbox.start();
    this.#actors.replication.start();
    if (succession.restraints.maintenanceOn) succession.maintenanceChanged();
    comparison.start();
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  listenerLost(reason: string): void {
    if (this.#stopped) return;
    this.#kit.ports.logger.error({ reason }, "the listener is lost: this engine no longer leads");
    this.#actors.succession.leadership.retire();
  }

  mayAct(): boolean {
    return this.#actors.succession.leadership.mayAct();
  }

  ready(): boolean {
    if (this.#kit.ports.engine.health() === "failed") return false;
    return (
      this.mayAct() || (this.#actors.succession.leadership.role === "follower" && this.#actors.catchUp.sync === "ready")
    );
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

  submit(input: CommandInput): Promise<SubmitOutcome> {
    if (!this.#actors.handover.draining && this.mayAct()) return this.#actors.log.submit(input);
    const { label, peerUrl } = this.#kit.options;
    const leader = this.#actors.handover.draining ? otherLabel(label) : this.#actors.leader;
    const known = leader === label ? null : leader;
    return Promise.resolve({ outcome: "not-leader", leader: known, leaderUrl: known === null ? null : peerUrl });
  }

  commands(afterSeq: number, limit: number) {
    return this.#kit.ports.store.commandsAfter(afterSeq, limit);
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
      return { outcome: "taken", snapshot: await this.#actors.snapshots.take() };
    } catch (error) {
      return { outcome: "engine-not-ready", detail: error instanceof Error ? error.message : String(error) };
    }
  }

  applySnapshot(lockId: LockId | null, snapshot: Json): Promise<ApplySnapshotOutcome> {
    return applySnapshot(this.#kit, this.#actors, lockId, snapshot);
  }

  acquireLock(request: { readonly holder: string | null; readonly ttlMs: number }): Promise<LockAcquire> {
    const { witness, ids } = this.#kit.ports;
    const holder = request.holder ?? this.#kit.options.label;
    return witness.acquireLock({ lockId: ids.next("lock"), holder, ttlMs: request.ttlMs });
  }

  async refreshLock(lockId: string): Promise<LockRefresh> {
    const id = parseId("lock", lockId);
    if (id === null) return { outcome: "wrong-id" };
    return this.#kit.ports.witness.refreshLock(id, this.#kit.failover.reconcileLockMs);
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

  async handover(request: { readonly reason: string; readonly by: string }): Promise<HandoverOutcome> {
    const requestId = this.#kit.ports.ids.next("request");
    const outcome = await this.#handOver(requestId, request);
    recordRequest(this.#kit, { requestId, ...request, mode: "handover", answer: outcome });
    return outcome;
  }

  async #handOver(requestId: RequestId, request: { reason: string; by: string }): Promise<HandoverOutcome> {
    const { succession, leader } = this.#actors;
    const { label, peerUrl } = this.#kit.options;
    if (succession.leadership.role !== "leader") {
      return { outcome: "not-leader", leader, leaderUrl: leader === null || leader === label ? null : peerUrl };
    }
    if (!this.#actors.backupIsValid) {
      return { outcome: "no-valid-backup", detail: "the peer is not heard, not healthy, or not caught up" };
    }
    const startedAtMs = this.#kit.nowMs();
    const result = await this.#actors.handover.offer(requestId, { cause: "handover", ...request });
    if (result.outcome === "failed") return { outcome: "no-valid-backup", detail: result.reason };
    const tookMs = this.#kit.nowMs() - startedAtMs;
    return { outcome: "handed-over", leader: otherLabel(label), epoch: result.epoch, tookMs, requestId };
  }

  setMaintenance(request: { readonly on: boolean; readonly reason: string; readonly by: string }): Maintenance {
    const maintenance = this.#actors.succession.restraints.setMaintenance(request);
    this.#actors.succession.maintenanceChanged();
    this.#actors.heartbeats.beat();
    return maintenance;
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
    if (this.#actors.succession.leadership.role === "leader") return null;
    const { leader } = this.#actors;
    const { label, peerUrl } = this.#kit.options;
    return { outcome: "not-leader", leader, leaderUrl: leader === null || leader === label ? null : peerUrl };
  }

  #resolveRecord(id: string, choice: ResolveChoice, by: string): ResolveOutcome {
    const outcome = this.#actors.replication.records.resolve(id, choice, by);
    return outcome.outcome === "invalid" ? { outcome: "invalid-command", detail: outcome.detail } : outcome;
  }

  #linkUp(): void {
    if (this.#stopped) return;
    const { succession, heartbeats, catchUp } = this.#actors;
    this.#kit.alarms.clear("peer-link-lost");
    succession.monitor.linkUp();
    this.#actors.replication.pair.linkUp();
    heartbeats.beat();
    if (catchUp.sync === "ready" && succession.leadership.role === "follower") catchUp.compare();
  }

  #linkDown(socketClosed: boolean): void {
    if (this.#stopped) return;
    const { succession, log } = this.#actors;
    if (this.#actors.linked) {
      this.#kit.alarms.raise("peer-link-lost", "one of the links to the peer is down");
      return;
    }
    log.peerGone();
    if (socketClosed) void succession.linkClosed();
  }

  #refused(refusal: string, detail: string): void {
    this.#reports.refusedPeers += 1;
    this.#kit.counters.heartbeatsRefused += 1;
    this.#kit.alarms.raise("peer-refused", `${refusal}: ${detail}`);
    this.#kit.ports.logger.warn({ refusal, detail }, "something that is not the peer was turned away");
  }

  #pin(peer: PeerHello): boolean {
    try {
      this.#kit.ports.store.pinPeer(peer.engineId);
      return true;
    } catch (error) {
      this.#kit.ports.logger.error({ err: error }, "the peer could not be pinned");
      return false;
    }
  }

  /** Steps down first, so that nobody has to find out [DP3]. */
  async #stop(): Promise<void> {
    const { succession, executor, outbox } = this.#actors;
    const { ports } = this.#kit;
    await outbox.finish();
    if (succession.leadership.role === "leader") {
      await this.handover({ reason: "this engine stops", by: "automation" });
    }
    // The release is on its way before this engine knows that it arrived: it must have stopped leading by then.
    const released = succession.leadership.role === "leader" ? succession.witness.release() : null;
    succession.leadership.retire();
    await released;
    await executor.checkpoint();
    this.#stopped = true;
    this.#actors.stop();
    await ports.peerChannel.close();
    const { witness, engine, clockSource, sink } = ports;
    await Promise.allSettled([witness.close(), engine.close(), clockSource?.close(), sink?.close()]);
    await Promise.allSettled(ports.changeoverSwitches.map((target) => target.close()));
    this.#actors.roleHooks.flush();
    ports.store.close();
  }
}
