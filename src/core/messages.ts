/**
 * Purpose: what the two engines say to each other over the peer channel, subprotocol `changeover.v1`. A message is data;
 * that it came from the pinned peer, unreplayed, is the peer channel's promise.
 */
import type { Json } from "./canonical-json.ts";
import type { Command, CommandConflict, EpochRun, KeyedAnswer, LogPosition } from "./command.ts";
import type { ControlEvent, StackMark } from "./control-event.ts";
import type { Epoch } from "./epoch.ts";
import type { EngineId, IncarnationId, Label, LockId, RequestId } from "./ids.ts";
import type { Op } from "./operation.ts";
import type { VectorClock } from "./vector-clock.ts";

/** What an engine is in its pair. `mayAct` is not a role: it is computed at every effect. */
export type Role = "follower" | "candidate" | "leader";

/** How the engine that renders the programme is. */
export type Health = "ok" | "degraded" | "failed";

/** Whether an engine could take over now: `ready` = caught up with the leader as far as it can know. */
export type SyncState = "ready" | "catching-up" | "reconciling" | "starting";

/** An operator's hold on automation; the later stamp stands on both engines. */
export interface Maintenance {
  readonly on: boolean;
  readonly stamp: string;
  readonly by: string;
  readonly reason: string;
}

/** The pulse [HB1]: sent every `heartbeatMs` over every link. */
export interface Heartbeat {
  readonly type: "heartbeat";
  /** Counter of this incarnation, from 1, only rises [HB2]. */
  readonly n: number;
  readonly engineId: EngineId;
  readonly incarnation: IncarnationId;
  readonly label: Label;
  readonly version: string;
  readonly role: Role;
  /** The accepted epoch: that of the leader which this engine leads as or follows. */
  readonly epoch: Epoch;
  readonly clock: VectorClock;
  /** seq of the last witness rewrite that was sent [VT4]; `null` when it does not rewrite. */
  readonly witnessSeq: number | null;
  /** End of its log. */
  readonly log: LogPosition;
  /** Through here a client has been answered: whoever lacks some of it is behind [CP4]. */
  readonly acknowledged: LogPosition;
  readonly lastExecutedSeq: number;
  readonly programSource: string;
  readonly health: Health;
  readonly sync: SyncState;
  readonly maintenance: Maintenance | null;
  /** How the sender came to lead; `null` when it does not. */
  readonly leadership: LeadershipOrigin | null;
  /** Whether it can reach the witness; `null` when none is configured. */
  readonly witnessReachable: boolean | null;
  readonly sentAtMonoMs: number;
  /** On the timeline of the sender, which its wall clock leads only slowly. */
  readonly sentAtUnixUs: number;
  /** The sender's wall clock; older versions leave it out. */
  readonly wallUnixMs?: number;
  /** The last heartbeat received, for round trip and clock offset; `null` before the first. */
  readonly echo: { readonly n: number; readonly receivedAtMonoMs: number; readonly receivedAtUnixUs: number } | null;
  /** A follower's vote for the leader's heartbeat `n` of `epoch` [VT2]. */
  readonly vote: { readonly epoch: Epoch; readonly n: number } | null;
}

/** Asks for the peer's vote for a named epoch [CP7]. */
export interface VoteRequest {
  readonly type: "vote-request";
  readonly requestId: RequestId;
  readonly epoch: Epoch;
  readonly log: LogPosition;
  /** The epoch that the asker had accepted before: part of its claim [CP4]. */
  readonly acceptedEpoch: Epoch;
  readonly healthy: boolean;
  /** A person asks: the better claim does not count. */
  readonly forced: boolean;
}

export interface VoteAnswer {
  readonly type: "vote-answer";
  readonly requestId: RequestId;
  readonly epoch: Epoch;
  readonly granted: boolean;
  readonly reason: "granted" | "leads" | "campaigns" | "better-claim" | "promised" | "stale-epoch";
  /** The highest epoch the answerer has seen [EP4]. */
  readonly highestEpoch: Epoch;
}

/** Why a role moved; the words of `GET /api/leadership`. */
export type LeadershipCause = "cold-start" | "silence" | "death-proof" | "handover" | "forced" | "unhealthy" | "blind";

/** How and when a leadership began, told to the peer so that both keep the same history. */
export interface LeadershipOrigin {
  readonly cause: LeadershipCause;
  readonly by: string;
  readonly reason: string;
  readonly fromUnixMs: number;
  readonly tookMs: number;
}

/** The leader offers its role: on an operator's word, for an unhealthy engine, before a clean stop [HO5, DP3]. */
export interface HandoverOffer {
  readonly type: "handover-offer";
  readonly requestId: RequestId;
  readonly epoch: Epoch;
  readonly cause: LeadershipCause;
  readonly by: string;
  readonly reason: string;
}

/** The target asks for the role under the epoch that it minted [HO1]. */
export interface HandoverRequest {
  readonly type: "handover-request";
  readonly requestId: RequestId;
  readonly epoch: Epoch;
  readonly cause: LeadershipCause;
  readonly by: string;
  readonly reason: string;
}

/** The leader has stopped accepting, drained, and votes for the named epoch [HO1]. */
export interface HandoverGrant {
  readonly type: "handover-grant";
  readonly requestId: RequestId;
  readonly epoch: Epoch;
  readonly final: LogPosition;
  /** The witness record as the leader last wrote it, so that the target swaps from exactly that. */
  readonly witnessSeq: number | null;
}

export interface HandoverRefusal {
  readonly type: "handover-refusal";
  readonly requestId: RequestId;
  readonly reason: "not-leader" | "stale-epoch" | "busy" | "not-ready" | "held";
  readonly highestEpoch: Epoch;
}

/** Commands on their way from leader to follower, after `prev` [EP4]. */
export interface Replicate {
  readonly type: "replicate";
  readonly epoch: Epoch;
  readonly prev: LogPosition;
  readonly commands: readonly Command[];
}

/** The follower holds everything through `throughSeq` durably. */
export interface Replicated {
  readonly type: "replicated";
  readonly epoch: Epoch;
  readonly throughSeq: number;
}

/** Refuses something of a lower epoch and names the highest [EP4]. */
export interface StaleEpoch {
  readonly type: "stale-epoch";
  readonly highestEpoch: Epoch;
}

/** A follower asks the leader for what it lacks. */
export interface CatchUpRequest {
  readonly type: "catch-up-request";
  readonly requestId: RequestId;
  readonly epoch: Epoch;
  readonly shape: readonly EpochRun[];
  readonly clock: VectorClock;
  readonly lastExecutedSeq: number;
  /** Ask for a snapshot whatever the log says: the engine's state is known to be wrong. */
  readonly wantSnapshot: boolean;
}

/** What the leader answers first: how the follower will catch up. */
export interface CatchUpPlan {
  readonly type: "catch-up-plan";
  readonly requestId: RequestId;
  readonly epoch: Epoch;
  readonly by: "nothing" | "log" | "snapshot" | "reconcile";
  readonly fromSeq: number;
  readonly toSeq: number;
}

/** One page of the log. The next is sent once this one is acknowledged. */
export interface CatchUpPage {
  readonly type: "catch-up-page";
  readonly requestId: RequestId;
  readonly epoch: Epoch;
  readonly prev: LogPosition;
  readonly commands: readonly Command[];
  readonly done: boolean;
}

/** One piece of a text too large for one frame (a snapshot). The next is sent once this one is acknowledged. */
export interface SnapshotPiece {
  readonly type: "snapshot-piece";
  readonly requestId: RequestId;
  readonly epoch: Epoch;
  readonly index: number;
  readonly last: boolean;
  readonly text: string;
  /** Present under reconciliation: the proof that the sender holds the lock [SB4]. */
  readonly lock: { readonly lockId: LockId; readonly fence: number } | null;
}

/** Flow control of pages and pieces: all through `index` have been taken, counted from 0. */
export interface TransferAck {
  readonly type: "transfer-ack";
  readonly requestId: RequestId;
  readonly index: number;
}

/** The winner of a split asks the loser for its divergent commands [SB2]. */
export interface DivergenceRequest {
  readonly type: "divergence-request";
  readonly requestId: RequestId;
  readonly epoch: Epoch;
  readonly forkSeq: number;
  readonly afterSeq: number;
}

export interface DivergencePage {
  readonly type: "divergence-page";
  readonly requestId: RequestId;
  readonly epoch: Epoch;
  readonly commands: readonly Command[];
  readonly clock: VectorClock;
  readonly done: boolean;
}

/** The loser says how applying the winner's snapshot went, with what the winner verifies [SB5]. */
export interface Reconciled {
  readonly type: "reconciled";
  readonly requestId: RequestId;
  readonly epoch: Epoch;
  readonly outcome: "applied" | "lock-not-held" | "stale-epoch" | "invalid-snapshot" | "failed";
  readonly checksum: string | null;
  readonly clock: VectorClock;
  readonly log: LogPosition;
}

/** Both engines take the checksum of their state after exactly `seq`, to notice drift while running. */
export interface Checkpoint {
  readonly type: "checkpoint";
  readonly epoch: Epoch;
  readonly seq: number;
}

export interface CheckpointResult {
  readonly type: "checkpoint-result";
  readonly epoch: Epoch;
  readonly seq: number;
  readonly checksum: string;
}

/** Conflicts as the leader knows them, so that both engines list the same. At most 100 a message. */
export interface ConflictUpdate {
  readonly type: "conflict-update";
  readonly epoch: Epoch;
  readonly conflicts: readonly CommandConflict[];
}

/** Operations on records that have become durable at the sender, and all that it holds, so that a loss is noticed. */
export interface RecordNews {
  readonly type: "record-news";
  /** Looked at one by one where they are taken in. */
  readonly ops: readonly Op[];
  readonly vector: VectorClock;
  /** Of each origin in `vector`, the digest of its history, where it is known; left out beside operations. */
  readonly heads?: Readonly<Record<string, string>>;
  /** Which origin is bound to which token of role `spoke`; only where there are any. */
  readonly bound?: readonly OriginBinding[];
}

/** An origin, and the token of role `spoke` that may write as it. `token` is null once a person released it. */
export interface OriginBinding {
  readonly origin: string;
  readonly token: string | null;
  readonly atUnixMs: number;
}

/** Through where the leader has published stacks of its outbox. */
export interface OutboxMarks {
  readonly type: "outbox-marks";
  readonly epoch: Epoch;
  readonly marks: readonly StackMark[];
}

/** Asks the other engine what `/sync` would be asked. */
export interface SyncCall {
  readonly type: "sync-call";
  readonly requestId: RequestId;
  readonly call: "identity" | "pull" | "compare";
  readonly after: string;
  readonly limit: number;
  readonly maxBytes: number;
  /** Of a pull: the caller's own operations too; left out: without them. */
  readonly own?: boolean;
  /** Of a comparison: the caller's digests. */
  readonly heads?: Readonly<Record<string, { readonly n: number; readonly head: string | null }>>;
}

export interface SyncAnswerMessage {
  readonly type: "sync-answer";
  readonly requestId: RequestId;
  /** The body that `/sync` would answer. */
  readonly value: Json;
}

/** Everything that may travel over the peer channel. */
export type PeerMessage =
  | Heartbeat
  | VoteRequest
  | VoteAnswer
  | HandoverOffer
  | HandoverRequest
  | HandoverGrant
  | HandoverRefusal
  | Replicate
  | Replicated
  | StaleEpoch
  | CatchUpRequest
  | CatchUpPlan
  | CatchUpPage
  | SnapshotPiece
  | TransferAck
  | DivergenceRequest
  | DivergencePage
  | Reconciled
  | Checkpoint
  | CheckpointResult
  | ConflictUpdate
  | RecordNews
  | OutboxMarks
  | SyncCall
  | SyncAnswerMessage;

/** What is transferred as text in `snapshot-piece`s: the state and all that must come along with it. */
export interface SnapshotTransfer {
  readonly snapshot: StateSnapshot;
  /** The receiver's log is kept through here: both agree up to it; 0: nothing of it is kept. */
  readonly keepThroughSeq: number;
  /** The sender's commands after that, oldest first, as far as they are held; also those not yet executed in the state. */
  readonly commands: readonly Command[];
  readonly conflicts: readonly CommandConflict[];
  readonly keys: readonly KeyedAnswer[];
  /** The shape of the sender's log up to `snapshot.lastCommandSeq`, so that later forks can still be found. */
  readonly shape: readonly EpochRun[];
  /** The sender's clock right below `commands` [SB6]; older versions do not say it. */
  readonly baseClock?: VectorClock;
  /** Events of commands that do not come along, which the sender has yet to publish. */
  readonly outbox: readonly CommandEvent[];
}

/** An event of the programme: it speaks of no artifact. */
export type CommandEvent = Omit<ControlEvent, "artifactRef" | "checksum">;

/** The outer contract's StateSnapshot (`GET /api/sync/state-snapshot`). */
export interface StateSnapshot {
  readonly version: 1;
  readonly engineLabel: Label;
  readonly engineId: EngineId;
  readonly epoch: Epoch;
  readonly clock: VectorClock;
  readonly hlc: string;
  readonly lastCommandSeq: number;
  readonly lastExecutedSeq: number;
  readonly state: Json;
  /** sha256 (hex) of the RFC 8785 form of `{epoch, lastCommandSeq, state}`. */
  readonly checksum: string;
}
