/**
 * A coordinator that answers what a test has written down, and remembers what it was asked. For tests of what stands in
 * front of a coordinator; how a real one decides is tested elsewhere.
 */
import type {
  AdoptOutcome,
  AdoptPeerOutcome,
  ForgetPeerOutcome,
  PairReport,
  ResetNumbersOutcome,
  ApplySnapshotOutcome,
  CommandInput,
  Coordinator,
  CoordinatorCounters,
  CoordinatorEvent,
  CoordinatorState,
  ForceLeaderOutcome,
  ForceLeaderRequest,
  CancelOutcome,
  HandoverOutcome,
  PlanOutcome,
  PeerHealthReport,
  Readiness,
  ResetWitnessOutcome,
  ResolveChoice,
  ResolveOutcome,
  SnapshotOutcome,
  SubmitOutcome,
  SyncHealthReport,
} from "../../src/coordinator/types.ts";
import type { EngineId } from "../../src/core/ids.ts";
import { canonicalJson, type Json } from "../../src/core/canonical-json.ts";
import type { Command, Conflict, EpochRun } from "../../src/core/command.ts";
import type { LockId } from "../../src/core/ids.ts";
import type { Maintenance } from "../../src/core/messages.ts";
import type { StallAnswer, StallReport } from "../../src/core/stall.ts";
import type { EngineRead } from "../../src/ports/engine.ts";
import type { OutboxAction, ResyncOutcome, OutboxStatus } from "../../src/outbox/outbox.ts";
import type { LeadershipEntry } from "../../src/ports/store.ts";
import type { LockAcquire, LockRead, LockRefresh, LockRelease } from "../../src/ports/witness.ts";
import { aloneReplication } from "./replication-node.ts";
import * as sample from "./samples.ts";

/** One call that was made: the method and its arguments. */
export type Call = readonly [method: keyof Coordinator, ...args: readonly unknown[]];

export class ScriptedCoordinator implements Coordinator {
  readonly calls: Call[] = [];
  acting = true;
  fit = true;
  /** Thrown by every method, once set. */
  broken: Error | null = null;
  health: PeerHealthReport = sample.peerHealth;
  sync: SyncHealthReport = sample.syncHealth;
  now: CoordinatorState = sample.state;
  submitted: SubmitOutcome = sample.accepted;
  taken: SnapshotOutcome = {
    outcome: "taken",
    snapshot: sample.snapshot,
    stateText: [canonicalJson(sample.snapshot.state)],
  };
  applied: ApplySnapshotOutcome = { outcome: "applied", clock: { eng_a: 3 }, lastCommandSeq: 3 };
  acquired: LockAcquire = { outcome: "acquired", lockId: sample.lockId, fence: 4, expiresMs: 30_000 };
  refreshed: LockRefresh = { outcome: "refreshed", fence: 4, expiresMs: 30_000 };
  released: LockRelease = { outcome: "released" };
  resyncing: ResyncOutcome = { outcome: "resyncing" };
  lock: LockRead = { outcome: "read", lock: null };
  forced: ForceLeaderOutcome = { outcome: "leads", answer: sample.forcedAnswer };
  handed: HandoverOutcome = { outcome: "handed-over", leader: "b", epoch: 8, tookMs: 3.5, requestId: "req_1" };
  planned: PlanOutcome = {
    outcome: "planned",
    plan: { at: 1_700_000_060_000, by: "ops", reason: "swap the power supply", epoch: 7 },
  };
  cancelled: CancelOutcome = { outcome: "nothing-planned" };
  adoptedPeer: AdoptPeerOutcome = { outcome: "unknown-fingerprint", seen: [] };
  adopted: AdoptOutcome = { outcome: "adopted", replaced: "the record is of engine eng_x" };
  resetting: ResetWitnessOutcome = { outcome: "adopted", replaced: "the record of a" };
  resolved: ResolveOutcome = { outcome: "resolved", conflict: sample.conflict };
  pending: OutboxStatus = sample.outbox;
  tended: OutboxAction = { outcome: "done", eventId: "cmd_eng_a_7", stackId: "programme" };
  read: EngineRead = { status: 200, body: { program: "cam-1" } };
  /** A real one, of an engine alone. */
  readonly replication = aloneReplication().replication;
  readonly #listeners = new Set<(event: CoordinatorEvent) => void>();

  /** How many listen. */
  get listeners(): number {
    return this.#listeners.size;
  }

  emit(event: CoordinatorEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  async start(): Promise<void> {}
  async stop(): Promise<void> {}

  listenerLost(reason: string): void {
    this.calls.push(["listenerLost", reason]);
  }

  mayAct(): boolean {
    return this.#answer("mayAct", [], this.acting);
  }

  readiness(): Readiness {
    const fit = this.ready();
    return { ready: fit, reasons: fit ? [] : ["quarantine"], untilMs: fit ? null : 1_700_000_000_750 };
  }

  ready(): boolean {
    return this.#answer("ready", [], this.fit);
  }

  peerHealth(): PeerHealthReport {
    return this.#answer("peerHealth", [], this.health);
  }

  syncHealth(): SyncHealthReport {
    return this.#answer("syncHealth", [], this.sync);
  }

  state(): CoordinatorState {
    return this.#answer("state", [], this.now);
  }

  counters(): CoordinatorCounters {
    return this.#answer("counters", [], sample.counters);
  }

  async submit(input: CommandInput): Promise<SubmitOutcome> {
    return this.#answer("submit", [input], this.submitted);
  }

  commands(afterSeq: number, limit: number): { commands: readonly Command[]; hasMore: boolean } {
    return this.#answer("commands", [afterSeq, limit], { commands: [sample.command], hasMore: false });
  }

  async readEngine(path: string): Promise<EngineRead> {
    return this.#answer("readEngine", [path], this.read);
  }

  programmeTimeUs(): number {
    return this.#answer("programmeTimeUs", [], 1_700_000_000_000_000);
  }

  async snapshot(): Promise<SnapshotOutcome> {
    return this.#answer("snapshot", [], this.taken);
  }

  async applySnapshot(lockId: LockId | null, snapshot: Json, holder?: string): Promise<ApplySnapshotOutcome> {
    const lockless: ApplySnapshotOutcome = { outcome: "lock-not-held", detail: "no lock id was given" };
    return this.#answer(
      "applySnapshot",
      holder === undefined ? [lockId, snapshot] : [lockId, snapshot, holder],
      lockId === null ? lockless : this.applied,
    );
  }

  async acquireLock(request: { readonly holder: string | null; readonly ttlMs: number }): Promise<LockAcquire> {
    return this.#answer("acquireLock", [request], this.acquired);
  }

  async refreshLock(lockId: string, ttlMs?: number): Promise<LockRefresh> {
    return this.#answer("refreshLock", [lockId, ttlMs], this.refreshed);
  }

  async releaseLock(lockId: string): Promise<LockRelease> {
    return this.#answer("releaseLock", [lockId], this.released);
  }

  async readLock(): Promise<LockRead> {
    return this.#answer("readLock", [], this.lock);
  }

  async forceLeader(request: ForceLeaderRequest): Promise<ForceLeaderOutcome> {
    return this.#answer("forceLeader", [request], this.forced);
  }

  async handover(request: { readonly reason: string; readonly by: string }): Promise<HandoverOutcome> {
    return this.#answer("handover", [request], this.handed);
  }

  planHandover(request: { readonly atUnixMs: number; readonly reason: string; readonly by: string }): PlanOutcome {
    return this.#answer("planHandover", [request], this.planned);
  }

  cancelHandover(request: { readonly by: string }): CancelOutcome {
    return this.#answer("cancelHandover", [request], this.cancelled);
  }

  async resetWitness(request: { readonly by: string }): Promise<ResetWitnessOutcome> {
    return this.#answer("resetWitness", [request], this.resetting);
  }

  setMaintenance(request: { readonly on: boolean; readonly reason: string; readonly by: string }): Maintenance {
    return this.#answer("setMaintenance", [request], { ...request, stamp: "0199-0000-a" });
  }

  peerStalled(report: StallReport): Promise<StallAnswer> {
    return Promise.resolve(this.#answer("peerStalled", [report], { taken: false, detail: "it was heard since" }));
  }

  pair(): PairReport {
    const self = { engineId: sample.state.engineId as EngineId, fingerprint: `sha256:${"0".repeat(32)}` };
    return this.#answer("pair", [], { self, peer: { ...self, connected: true }, strangers: [] });
  }

  adoptPeer(request: { readonly fingerprint: string; readonly by: string }): AdoptPeerOutcome {
    return this.#answer("adoptPeer", [request], this.adoptedPeer);
  }

  forgetPeer(request: { readonly by: string }): ForgetPeerOutcome {
    return this.#answer("forgetPeer", [request], { outcome: "forgotten", peer: null });
  }

  resetNumbers(request: { readonly by: string }): ResetNumbersOutcome {
    return this.#answer("resetNumbers", [request], { outcome: "reset", highestEpoch: 8, before: 8 });
  }

  async adoptWitness(request: { readonly by: string }): Promise<AdoptOutcome> {
    return this.#answer("adoptWitness", [request], this.adopted);
  }

  logRuns(limit: number): readonly EpochRun[] {
    return this.#answer("logRuns", [limit], [{ epoch: 7, from: 1, to: 3 }]);
  }

  leadership(limit: number): readonly LeadershipEntry[] {
    return this.#answer("leadership", [limit], [sample.leadership]);
  }

  conflicts(limit: number): readonly Conflict[] {
    return this.#answer("conflicts", [limit], [sample.conflict]);
  }

  async resolveConflict(id: string, choice: ResolveChoice, by: string): Promise<ResolveOutcome> {
    return this.#answer("resolveConflict", [id, choice, by], this.resolved);
  }

  outbox(): OutboxStatus {
    return this.#answer("outbox", [], this.pending);
  }

  retryEvent(eventId: string): OutboxAction {
    return this.#answer("retryEvent", [eventId], this.tended);
  }

  skipEvent(eventId: string, by: string): OutboxAction {
    return this.#answer("skipEvent", [eventId, by], this.tended);
  }

  resyncFeed(by: string): ResyncOutcome {
    return this.#answer("resyncFeed", [by], this.resyncing);
  }

  pongSent(atUnixUs: number): void {
    this.calls.push(["pongSent", atUnixUs]);
  }

  subscribe(listener: (event: CoordinatorEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** The calls of one method: their arguments. */
  argsOf(method: keyof Coordinator): readonly (readonly unknown[])[] {
    return this.calls.filter(([name]) => name === method).map(([, ...args]) => args);
  }

  #answer<T>(method: keyof Coordinator, args: readonly unknown[], answer: T): T {
    this.calls.push([method, ...args]);
    if (this.broken !== null) throw this.broken;
    return answer;
  }
}
