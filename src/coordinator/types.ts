/**
 * The coordinator as everyone outside sees it: the HTTP surface, the command line, the visualiser, and a Node
 * engine that embeds it. Expected refusals are returned as unions.
 */
import type { Json } from "../core/canonical-json.ts";
import type { Command, Conflict, EpochRun } from "../core/command.ts";
import type { Epoch } from "../core/epoch.ts";
import type { Alarm, CoordinatorCounters, CoordinatorEvent } from "../core/events.ts";
import type { Label, LockId } from "../core/ids.ts";
import type { Health, Maintenance, Role, SyncState } from "../core/messages.ts";
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
  PlannedHandover,
  PlanOutcome,
  ResetWitnessOutcome,
  ResolveChoice,
  ResolveOutcome,
  SnapshotOutcome,
  SubmitOutcome,
  SwitchBackState,
} from "../core/outcomes.ts";
import type { StallAnswer, StallReport } from "../core/stall.ts";
import type { VectorClock } from "../core/vector-clock.ts";
import type { ClockReading } from "../ports/basics.ts";
import type { EngineRead } from "../ports/engine.ts";
import type { LinkStatus } from "../ports/peer-channel.ts";
import type { LeadershipEntry } from "../ports/store.ts";
import type { OutboxAction, OutboxStatus, ResyncOutcome } from "../outbox/outbox.ts";
import type { Replication } from "../replication/replication.ts";
import type { LockAcquire, LockRead, LockRefresh, LockRelease } from "../ports/witness.ts";

export type { CoordinatorOptions } from "../actors/options.ts";
export type { Alarm, AlarmCode, CoordinatorCounters, CoordinatorEvent } from "../core/events.ts";
export type {
  AdoptOutcome,
  AdoptPeerOutcome,
  EngineIdentity,
  ForgetPeerOutcome,
  PairReport,
  ResetNumbersOutcome,
  StrangerReport,
  ApplySnapshotOutcome,
  CommandInput,
  ForceLeaderOutcome,
  ForceLeaderRequest,
  CancelOutcome,
  HandoverOutcome,
  PlannedHandover,
  PlanOutcome,
  ResetWitnessOutcome,
  ResolveChoice,
  ResolveOutcome,
  SnapshotOutcome,
  SubmitOutcome,
} from "../core/outcomes.ts";
export type { ForcedAnswer } from "../core/messages.ts";
export type { CoordinatorPorts } from "../ports/coordinator-ports.ts";

/** `GET /api/peer/health`. */
export interface PeerHealthReport {
  readonly status: Health;
  readonly uptimeMs: number;
  readonly programSource: string;
  readonly lastCommandSeq: number;
  readonly engineLabel: Label;
  readonly epoch: Epoch;
  readonly role: Role;
}

/** `GET /api/sync/health`. */
export interface SyncHealthReport {
  readonly clockSync: ClockReading;
  readonly lastCommandSeq: number;
  readonly lastExecutedSeq: number;
  readonly lastExecutedErr: string;
  readonly lateCommands: number;
  readonly uptimeMs: number;
  readonly lastPongSentUs: number;
  readonly syncState: SyncState;
  readonly epoch: Epoch;
  readonly clock: VectorClock;
}

/** `GET /api/state`. */
export interface CoordinatorState {
  readonly pair: string;
  readonly engineLabel: Label;
  readonly engineId: string;
  readonly version: string;
  readonly policy: "on-air" | "consistency";
  readonly role: Role;
  readonly epoch: Epoch;
  readonly mayAct: boolean;
  readonly confirmedBy: "peer" | "witness" | "both" | "none";
  readonly leader: Label | null;
  readonly uptimeMs: number;
  readonly health: Health;
  readonly syncState: SyncState;
  readonly lastCommandSeq: number;
  readonly lastExecutedSeq: number;
  readonly programSource: string;
  /** The engine beside this coordinator: how it is, how a hang is detected, and what a person should know of it. */
  readonly engine: {
    readonly state: string;
    readonly lifeline: "opening" | "live" | "stalled" | "none" | "unused";
    readonly note: string | null;
  };
  /** Ms that each vote still counts; 0 when it has lapsed. */
  readonly votes: { readonly peerMs: number; readonly witnessMs: number };
  readonly peer: {
    readonly label: Label;
    readonly state: string;
    readonly engineId: string | null;
    readonly version: string | null;
    readonly role: Role | null;
    readonly epoch: Epoch | null;
    readonly health: Health | null;
    readonly syncState: SyncState | null;
    readonly lastCommandSeq: number | null;
    readonly lastExecutedSeq: number | null;
    readonly lastHeardMs: number | null;
    readonly roundTripMs: number | null;
    readonly clockOffsetMs: number | null;
    readonly links: readonly LinkStatus[];
    readonly refused: number;
    readonly url: string | null;
  };
  readonly witness: {
    readonly kind: string;
    readonly reachable: boolean | null;
    /** False while a record stands there that is not this pair's, or none that makes sense [VT7]; null: never asked. */
    readonly usable: boolean | null;
    readonly holder: Label | null;
    readonly epoch: Epoch | null;
    readonly seq: number | null;
    readonly lastAnswerMs: number | null;
  };
  readonly reconcileLock: { readonly holder: string; readonly expiresMs: number } | null;
  readonly maintenance: Maintenance | null;
  /** The engine that should lead while both are fit, and what keeps the role from going back to it. */
  readonly preferred: Label | "none";
  readonly switchBack: SwitchBackState & { readonly mode: "never" | "when-ready" };
  /** The handover that a person planned at this engine; null: none. */
  readonly plannedHandover: PlannedHandover | null;
  /** Why a follower does not take the role now; no reasons on any other engine. */
  readonly waiting: Waiting;
  readonly alarms: readonly StandingAlarm[];
  readonly machines: Readonly<Record<string, Json>>;
}

/** An alarm with what to do about it, in the runbook's words. */
export interface StandingAlarm extends Alarm {
  readonly remedy: string;
}

/** Why something does not happen yet, in stable words, and until when, unix ms; null: no clock brings it. */
export interface Waiting {
  readonly reasons: readonly string[];
  readonly untilMs: number | null;
}

/** `GET /ready`. */
export interface Readiness extends Waiting {
  readonly ready: boolean;
}

export interface Coordinator {
  /** Opens the peer channel and begins; resolves once the store is read and the engine is restored. */
  start(): Promise<void>;
  /** Steps down first [DP3], then closes every port it was given. Idempotent. */
  stop(): Promise<void>;
  /** Stops leading at once because the listener failed [DP2]. */
  listenerLost(reason: string): void;

  /** Whether this engine may act as leader at this very moment [VT5]. Arithmetic, no await. */
  mayAct(): boolean;
  /** Whether this engine would take over at once if its peer were proven dead (or leads); if not, why and until when. */
  readiness(): Readiness;
  ready(): boolean;
  peerHealth(): PeerHealthReport;
  syncHealth(): SyncHealthReport;
  state(): CoordinatorState;
  counters(): CoordinatorCounters;

  submit(input: CommandInput): Promise<SubmitOutcome>;
  /** The log after `afterSeq`, oldest first: at most `limit`, and about 2 MiB of payload. */
  commands(afterSeq: number, limit: number): { readonly commands: readonly Command[]; readonly hasMore: boolean };
  readEngine(path: string): Promise<EngineRead>;
  /** Now on the timeline of `executeAtUs`: the leader's unix µs as this engine knows it. */
  programmeTimeUs(): number;

  snapshot(): Promise<SnapshotOutcome>;
  /** `snapshot` is what a caller sent: its shape is checked here. */
  /** `holder`: without a lock's id, the lock that stands under this name counts. */
  applySnapshot(lockId: LockId | null, snapshot: Json, holder?: string): Promise<ApplySnapshotOutcome>;
  acquireLock(request: { readonly holder: string | null; readonly ttlMs: number }): Promise<LockAcquire>;
  /** Extends by the time that the lock was acquired for, or by `ttlMs`, which then stands for it. */
  refreshLock(lockId: string, ttlMs?: number): Promise<LockRefresh>;
  releaseLock(lockId: string): Promise<LockRelease>;
  readLock(): Promise<LockRead>;

  forceLeader(request: ForceLeaderRequest): Promise<ForceLeaderOutcome>;
  handover(request: { readonly reason: string; readonly by: string }): Promise<HandoverOutcome>;
  /** Hands the role over at `atUnixMs`, within a heartbeat [HO10]. A later plan takes the place of an earlier one. */
  planHandover(request: { readonly atUnixMs: number; readonly reason: string; readonly by: string }): PlanOutcome;
  cancelHandover(request: { readonly by: string }): CancelOutcome;
  /** The peer's watch reports that the peer's event loop stands still, and offers its role [EN5]. */
  peerStalled(report: StallReport): Promise<StallAnswer>;
  /** Who the peer is, and who was refused in its place [ID2]. */
  pair(): PairReport;
  /** From now on the refused engine with this fingerprint is the peer. */
  adoptPeer(request: { readonly fingerprint: string; readonly by: string }): AdoptPeerOutcome;
  /** Nobody is pinned from now on: the next engine that proves itself is. */
  forgetPeer(request: { readonly by: string }): ForgetPeerOutcome;
  /** Leads back from numbers that were out of reach or used up [EP6]; to be called on both engines. */
  resetNumbers(request: { readonly by: string }): ResetNumbersOutcome;
  /** Puts this pair's record in the place of one that is not its own [VT7]. */
  adoptWitness(request: { readonly by: string }): Promise<AdoptOutcome>;
  /** The same for a record of this pair itself; refused while the peer leads. */
  resetWitness(request: { readonly by: string }): Promise<ResetWitnessOutcome>;
  setMaintenance(request: { readonly on: boolean; readonly reason: string; readonly by: string }): Maintenance;
  leadership(limit: number): readonly LeadershipEntry[];
  /** Which epoch wrote which stretch of the command log: the newest `limit` runs, oldest first. */
  logRuns(limit: number): readonly EpochRun[];
  conflicts(limit: number): readonly Conflict[];
  resolveConflict(id: string, choice: ResolveChoice, by: string): Promise<ResolveOutcome>;

  /** What waits to be published, and how it goes. */
  outbox(): OutboxStatus;
  /** Publishes everything that is still held again, from the beginning. */
  resyncFeed(by: string): ResyncOutcome;
  /** Tries one event that waits again at once. */
  retryEvent(eventId: string): OutboxAction;
  /** Gives a dead letter up, so that those behind it are published. */
  skipEvent(eventId: string, by: string): OutboxAction;

  /** Records, and what is served to other places. */
  readonly replication: Pick<
    Replication,
    "records" | "hub" | "spoke" | "federation" | "bindings" | "release" | "callerClock"
  >;

  /** Notes that a calibration pong was sent to a browser, unix µs. */
  pongSent(atUnixUs: number): void;
  /** Calls `listener` for every event until the returned function is called. At most 64 listeners. */
  subscribe(listener: (event: CoordinatorEvent) => void): () => void;
}
