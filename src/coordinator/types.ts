/**
 * Purpose: the coordinator as everyone outside sees it: the HTTP surface, the command line, the visualiser, and a Node
 * engine that embeds it. Expected refusals are returned as unions.
 */
import type { Json } from "../core/canonical-json.ts";
import type { Command, Conflict, Durability } from "../core/command.ts";
import type { Epoch } from "../core/epoch.ts";
import type { Label, LockId } from "../core/ids.ts";
import type { Health, LeadershipCause, Maintenance, Role, StateSnapshot, SyncState } from "../core/messages.ts";
import type { CommandSettings, FailoverSettings } from "../core/settings.ts";
import type { VectorClock } from "../core/vector-clock.ts";
import type { ChangeoverSwitch } from "../ports/changeover-switch.ts";
import type { Clock } from "../ports/clock.ts";
import type { ClockReading, ClockSource } from "../ports/clock-source.ts";
import type { Digest } from "../ports/digest.ts";
import type { Engine, EngineRead } from "../ports/engine.ts";
import type { Ids } from "../ports/ids.ts";
import type { Logger } from "../ports/logger.ts";
import type { LinkStatus, PeerChannel } from "../ports/peer-channel.ts";
import type { PeerProbe } from "../ports/peer-probe.ts";
import type { Random } from "../ports/random.ts";
import type { LeadershipEntry, Store } from "../ports/store.ts";
import type { LockAcquire, LockRead, LockRefresh, LockRelease, Witness } from "../ports/witness.ts";

/** Everything outside that a coordinator needs. `createCoordinator` owns none of it but closes all of it in `stop()`. */
export interface CoordinatorPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
  readonly digest: Digest;
  readonly logger: Logger;
  readonly store: Store;
  readonly witness: Witness;
  readonly peerChannel: PeerChannel;
  readonly peerProbe: PeerProbe;
  readonly engine: Engine;
  readonly clockSource: ClockSource | null;
  readonly changeoverSwitches: readonly ChangeoverSwitch[];
}

export interface CoordinatorOptions {
  readonly pair: string;
  readonly label: Label;
  readonly version: string;
  readonly failover: FailoverSettings;
  readonly commands: CommandSettings;
  /** Where the peer's HTTP surface is, as clients should be told: `http://host:port`; null when unknown. */
  readonly peerUrl: string | null;
  /** Every XState inspection event of every actor; only while someone looks. */
  readonly inspect?: (event: import("xstate").InspectionEvent) => void;
}

/** Alarm codes: stable words for what an engineer must know. */
export type AlarmCode =
  | "peer-unreachable"
  | "peer-link-lost"
  | "peer-refused"
  | "witness-unreachable"
  | "witness-amnesia"
  | "no-quorum"
  | "no-valid-backup"
  | "unconfirmed"
  | "stale-takeover"
  | "awaiting-operator"
  | "hold-down"
  | "maintenance-blocks-failover"
  | "engine-failed"
  | "engine-hook-slow"
  | "commands-late"
  | "lockstep-degraded"
  | "state-drift"
  | "split-brain"
  | "conflicts-open"
  | "store-failed"
  | "version-skew"
  | "clocks-far-apart"
  | "changeover-unconfirmed";

export interface Alarm {
  readonly code: AlarmCode;
  readonly since: number;
  readonly detail: string;
}

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
    readonly holder: Label | null;
    readonly epoch: Epoch | null;
    readonly seq: number | null;
    readonly lastAnswerMs: number | null;
  };
  readonly reconcileLock: { readonly holder: string; readonly expiresMs: number } | null;
  readonly maintenance: Maintenance | null;
  readonly alarms: readonly Alarm[];
  readonly machines: Readonly<Record<string, Json>>;
}

export interface CommandInput {
  readonly kind: string;
  readonly payload: Json;
  readonly idempotencyKey?: string | undefined;
  readonly executeAtUs?: number | undefined;
  readonly ack?: Durability | undefined;
}

/** `POST /api/commands`. */
export type SubmitOutcome =
  | {
      readonly outcome: "accepted";
      readonly seq: number;
      readonly epoch: Epoch;
      readonly executeAtUs: number;
      readonly durability: Durability;
    }
  | { readonly outcome: "not-leader"; readonly leader: Label | null; readonly leaderUrl: string | null }
  | { readonly outcome: "fenced"; readonly epoch: Epoch }
  | { readonly outcome: "invalid-command"; readonly detail: string }
  | { readonly outcome: "busy"; readonly detail: string };

export type SnapshotOutcome =
  | { readonly outcome: "taken"; readonly snapshot: StateSnapshot }
  | { readonly outcome: "engine-not-ready"; readonly detail: string };

export type ApplySnapshotOutcome =
  | { readonly outcome: "applied"; readonly clock: VectorClock; readonly lastCommandSeq: number }
  | { readonly outcome: "invalid-snapshot"; readonly detail: string }
  | { readonly outcome: "lock-not-held"; readonly detail: string }
  | { readonly outcome: "stale-epoch"; readonly epoch: Epoch }
  | { readonly outcome: "witness-unreachable"; readonly detail: string }
  | { readonly outcome: "engine-not-ready"; readonly detail: string };

export interface ForceLeaderRequest {
  readonly mode: "graceful" | "immediate";
  readonly reason: string;
  readonly requestId: string | null;
  readonly expectedEpoch: Epoch | null;
  readonly acceptDualAir: boolean;
  readonly by: string;
}

/** The answer of `POST /api/peer/force-leader`, 200. */
export interface ForcedAnswer {
  readonly engineLabel: Label;
  readonly role: "leader";
  readonly epoch: Epoch;
  readonly previousEpoch: Epoch;
  readonly previousLeader: Label | null;
  readonly mode: "graceful" | "immediate";
  readonly tookMs: number;
  readonly requestId: string;
}

export type ForceLeaderOutcome =
  | { readonly outcome: "leads"; readonly answer: ForcedAnswer }
  | { readonly outcome: "already-leader"; readonly epoch: Epoch }
  | { readonly outcome: "epoch-mismatch"; readonly epoch: Epoch }
  | { readonly outcome: "no-quorum"; readonly detail: string };

export type HandoverOutcome =
  | { readonly outcome: "handed-over"; readonly leader: Label; readonly epoch: Epoch; readonly tookMs: number; readonly requestId: string }
  | { readonly outcome: "not-leader"; readonly leader: Label | null; readonly leaderUrl: string | null }
  | { readonly outcome: "no-valid-backup"; readonly detail: string };

export type ResolveChoice =
  | { readonly choice: "keep" }
  | { readonly choice: "reapply" }
  | { readonly choice: "value"; readonly value: Json };

export type ResolveOutcome =
  | { readonly outcome: "resolved"; readonly conflict: Conflict }
  | { readonly outcome: "not-found" }
  | { readonly outcome: "already-resolved"; readonly conflict: Conflict }
  | Exclude<SubmitOutcome, { readonly outcome: "accepted" }>;

/** What the coordinator tells while it runs. */
export type CoordinatorEvent =
  | { readonly type: "role"; readonly role: Role; readonly epoch: Epoch; readonly cause: LeadershipCause | null; readonly atUnixMs: number }
  | { readonly type: "alarm"; readonly alarm: Alarm; readonly raised: boolean }
  | { readonly type: "command"; readonly command: Command }
  | { readonly type: "executed"; readonly command: Command; readonly error: string | null; readonly lateMs: number; readonly atMonoMs: number }
  | { readonly type: "maintenance"; readonly maintenance: Maintenance }
  | { readonly type: "conflict"; readonly conflict: Conflict };

/** Counters since start, for `/metrics`; names without the prefix `changeover_`. */
export interface CoordinatorCounters {
  readonly heartbeatsSent: number;
  readonly heartbeatsReceived: number;
  readonly heartbeatsRefused: number;
  readonly commandsAccepted: number;
  readonly commandsExecuted: number;
  readonly commandsLate: number;
  readonly commandsFailed: number;
  readonly commandsFenced: number;
  readonly witnessSwaps: number;
  readonly witnessFailures: number;
  readonly roleChanges: number;
  readonly automaticFailovers: number;
  readonly splitBrains: number;
  readonly snapshotsApplied: number;
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
  /** Whether this engine is caught up and fit to take over (or leads). */
  ready(): boolean;
  peerHealth(): PeerHealthReport;
  syncHealth(): SyncHealthReport;
  state(): CoordinatorState;
  counters(): CoordinatorCounters;

  submit(input: CommandInput): Promise<SubmitOutcome>;
  commands(afterSeq: number, limit: number): { readonly commands: readonly Command[]; readonly hasMore: boolean };
  readEngine(path: string): Promise<EngineRead>;
  /** Now on the timeline of `executeAtUs`: the leader's unix µs as this engine knows it. */
  programmeTimeUs(): number;

  snapshot(): Promise<SnapshotOutcome>;
  /** `snapshot` is what a caller sent: its shape is checked here. */
  applySnapshot(lockId: LockId | null, snapshot: Json): Promise<ApplySnapshotOutcome>;
  acquireLock(request: { readonly holder: string | null; readonly ttlMs: number }): Promise<LockAcquire>;
  refreshLock(lockId: string): Promise<LockRefresh>;
  releaseLock(lockId: string): Promise<LockRelease>;
  readLock(): Promise<LockRead>;

  forceLeader(request: ForceLeaderRequest): Promise<ForceLeaderOutcome>;
  handover(request: { readonly reason: string; readonly by: string }): Promise<HandoverOutcome>;
  setMaintenance(request: { readonly on: boolean; readonly reason: string; readonly by: string }): Maintenance;
  leadership(limit: number): readonly LeadershipEntry[];
  conflicts(limit: number): readonly Conflict[];
  resolveConflict(id: string, choice: ResolveChoice, by: string): Promise<ResolveOutcome>;

  /** Notes that a calibration pong was sent to a browser, unix µs. */
  pongSent(atUnixUs: number): void;
  /** Calls `listener` for every event until the returned function is called. At most 64 listeners. */
  subscribe(listener: (event: CoordinatorEvent) => void): () => void;
}
