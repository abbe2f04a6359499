/**
 * What the two engines say to each other over the peer channel, subprotocol `changeover.v1`: one schema a message, and
 * the types that follow from them. `adapters/peer-messages.ts` compiles the schemas and refuses what does not fit.
 * That a message came from the pinned peer, unreplayed, is the peer channel's promise. The bounds here only stop abuse:
 * names and payloads have narrower ones where they enter.
 */
import { type Static, type TProperties, type TSchema, type TUnsafe, Type } from "typebox";
import type { Json } from "./canonical-json.ts";
import type { Command, CommandConflict, EpochRun, KeyedAnswer, LogPosition } from "./command.ts";
import type { ControlEvent, StackMark } from "./control-event.ts";
import type { Epoch } from "./epoch.ts";
import type { EngineId, Label, RequestId } from "./ids.ts";
import type { Op } from "./operation.ts";
import {
  boundedJson,
  idOf,
  instant,
  listOf,
  longText,
  nullable,
  oneOf,
  sha256Hex,
  strict,
  strictAs,
  text,
  vectorClock,
  whole,
} from "./schema.ts";
import type { VectorClock } from "./vector-clock.ts";

/** What an engine is in its pair. `mayAct` is not a role: it is computed at every effect. */
export type Role = Static<typeof role>;
const role = oneOf("follower", "candidate", "leader");

/** How the engine that renders the programme is. */
export type Health = Static<typeof health>;
const health = oneOf("ok", "degraded", "failed");

/** Whether an engine could take over now: `ready` = caught up with the leader as far as it can know. */
export type SyncState = Static<typeof sync>;
const sync = oneOf("ready", "catching-up", "reconciling", "starting");

/** Why a role moved; the words of `GET /api/leadership`. */
export type LeadershipCause = Static<typeof cause>;
const cause = oneOf("cold-start", "silence", "death-proof", "handover", "forced", "unhealthy", "blind");

/** An operator's hold on automation; the later stamp stands on both engines. */
export interface Maintenance {
  readonly on: boolean;
  readonly stamp: string;
  readonly by: string;
  readonly reason: string;
}

/** How and when a leadership began, told to the peer so that both keep the same history. */
export interface LeadershipOrigin {
  readonly cause: LeadershipCause;
  readonly by: string;
  readonly reason: string;
  readonly fromUnixMs: number;
  readonly tookMs: number;
}

/** An origin, and the token of role `spoke` that may write as it. `token` is null once a person released it. */
export interface OriginBinding {
  readonly origin: string;
  readonly token: string | null;
  readonly atUnixMs: number;
}

/** Items of any one list in a message. */
const MAX_ITEMS = 65_536;

/** Commands of the winner that one conflict shows; 16 are kept today. */
const MAX_STANDING = 64;

/** UTF-16 units of a piece of a snapshot. */
const MAX_PIECE_CHARS = 1_048_576;

const words = text(0, 4_096);
const name = text(1, 4_096);
const epoch = whole(0);
const seq = whole(0);
const requestId = Type.Unsafe<RequestId>(text(1, 128));
const engineId = idOf("engine");
const label = oneOf("a", "b");

const position = strictAs<LogPosition>({ epoch, seq });
const runs = listOf(strictAs<EpochRun>({ epoch, from: seq, to: seq }), MAX_ITEMS);

const command = strictAs<Command>({
  seq: whole(1),
  epoch: whole(1),
  hlc: text(0, 256),
  executeAtUs: instant,
  kind: name,
  payload: boundedJson,
  origin: engineId,
  originSeq: whole(1),
  idempotencyKey: nullable(name),
  clock: vectorClock,
});
const commands = listOf(command, MAX_ITEMS);

const conflict = strictAs<CommandConflict>({
  id: idOf("conflict"),
  kind: Type.Literal("command"),
  divergent: command,
  standing: listOf(command, MAX_STANDING),
  divergentFrom: label,
  forkSeq: seq,
  winnerEpoch: epoch,
  outcome: oneOf("superseded", "reapplied", "open", "resolved"),
  reason: words,
  detectedAtUnixMs: instant,
  resolution: nullable(
    strictAs<NonNullable<CommandConflict["resolution"]>>({
      choice: oneOf("keep", "reapply", "value"),
      by: words,
      atUnixMs: instant,
    }),
  ),
});

function message<const T extends string, P extends TProperties>(
  type: T,
  fields: P,
): TUnsafe<Readonly<Static<ReturnType<typeof strict<P>>>> & { readonly type: T }> {
  return Type.Unsafe(strict({ type: Type.Literal(type), ...fields }));
}

/** The pulse [HB1]: sent every `heartbeatMs` over every link. */
const heartbeat = message("heartbeat", {
  /** Counter of this incarnation, from 1, only rises [HB2]. */
  n: whole(1),
  engineId,
  incarnation: idOf("incarnation"),
  label,
  version: name,
  role,
  /** The accepted epoch: that of the leader which this engine leads as or follows. */
  epoch,
  clock: vectorClock,
  /** seq of the last witness rewrite that was sent [VT4]; null: it does not rewrite. */
  witnessSeq: nullable(seq),
  /** End of its log. */
  log: position,
  /** Clients have been answered through here. An engine that lacks some of it is behind [CP4]. */
  acknowledged: position,
  lastExecutedSeq: seq,
  programSource: words,
  health,
  sync,
  maintenance: nullable(strictAs<Maintenance>({ on: Type.Boolean(), stamp: words, by: words, reason: words })),
  /** How the sender came to lead; null: it does not. */
  leadership: nullable(
    strictAs<LeadershipOrigin>({ cause, by: words, reason: words, fromUnixMs: instant, tookMs: instant }),
  ),
  /** Whether it can reach the witness; null: none is configured. */
  witnessReachable: nullable(Type.Boolean()),
  sentAtMonoMs: instant,
  /** On the timeline of the sender, which its wall clock leads only slowly. */
  sentAtUnixUs: instant,
  /** The sender's wall clock; older versions leave it out. */
  wallUnixMs: Type.Optional(instant),
  /** The last heartbeat received, for round trip and clock offset; null before the first. */
  echo: nullable(strict({ n: whole(1), receivedAtMonoMs: instant, receivedAtUnixUs: instant })),
  /** A follower's vote for the leader's heartbeat `n` of `epoch` [VT2]. */
  vote: nullable(strict({ epoch, n: whole(1) })),
});

/** Asks for the peer's vote for a named epoch [CP7]. */
const voteRequest = message("vote-request", {
  requestId,
  epoch,
  log: position,
  /** The epoch that the asker had accepted before: part of its claim [CP4]. */
  acceptedEpoch: epoch,
  healthy: Type.Boolean(),
  /** A person asks: the better claim does not count. */
  forced: Type.Boolean(),
});

const voteAnswer = message("vote-answer", {
  requestId,
  epoch,
  granted: Type.Boolean(),
  reason: oneOf("granted", "leads", "campaigns", "better-claim", "promised", "stale-epoch"),
  /** The highest epoch the answerer has seen [EP4]. */
  highestEpoch: epoch,
});

/** What every message about a move of the role says. */
const move = { requestId, epoch, cause, by: words, reason: words };

/** The leader offers its role: on an operator's word, for an unhealthy engine, before a clean stop [HO5, DP3]. */
const handoverOffer = message("handover-offer", move);

/** The target asks for the role under the epoch that it minted [HO1]. */
const handoverRequest = message("handover-request", move);

/** The leader has stopped accepting, drained, and votes for the named epoch [HO1]. */
const handoverGrant = message("handover-grant", {
  requestId,
  epoch,
  final: position,
  /** The witness record as the leader last wrote it, so that the target swaps from exactly that. */
  witnessSeq: nullable(seq),
});

const handoverRefusal = message("handover-refusal", {
  requestId,
  reason: oneOf("not-leader", "stale-epoch", "busy", "not-ready", "held"),
  highestEpoch: epoch,
});

/** Commands on their way from leader to follower, after `prev` [EP4]. */
const replicate = message("replicate", { epoch, prev: position, commands });

/** The follower holds everything through `throughSeq` durably. */
const replicated = message("replicated", { epoch, throughSeq: seq });

/** Refuses something of a lower epoch and names the highest [EP4]. */
const staleEpoch = message("stale-epoch", { highestEpoch: epoch });

/** A follower asks the leader for what it lacks. */
const catchUpRequest = message("catch-up-request", {
  requestId,
  epoch,
  shape: runs,
  clock: vectorClock,
  lastExecutedSeq: seq,
  /** Ask for a snapshot whatever the log says: the engine's state is known to be wrong. */
  wantSnapshot: Type.Boolean(),
});

/** What the leader answers first: how the follower will catch up. */
const catchUpPlan = message("catch-up-plan", {
  requestId,
  epoch,
  by: oneOf("nothing", "log", "snapshot", "reconcile"),
  fromSeq: seq,
  toSeq: seq,
});

/** One page of the log. The next is sent once this one is acknowledged. */
const catchUpPage = message("catch-up-page", { requestId, epoch, prev: position, commands, done: Type.Boolean() });

/** One piece of a text too large for one frame (a snapshot). The next is sent once this one is acknowledged. */
const snapshotPiece = message("snapshot-piece", {
  requestId,
  epoch,
  index: whole(0),
  last: Type.Boolean(),
  text: longText(MAX_PIECE_CHARS),
  /** Present under reconciliation: the proof that the sender holds the lock [SB4]. */
  lock: nullable(strict({ lockId: idOf("lock"), fence: whole(0) })),
});

/** Flow control of pages and pieces: all through `index` have arrived, counted from 0. */
const transferAck = message("transfer-ack", { requestId, index: whole(0) });

/** The winner of a split asks the loser for its divergent commands [SB2]. */
const divergenceRequest = message("divergence-request", { requestId, epoch, forkSeq: seq, afterSeq: seq });

const divergencePage = message("divergence-page", {
  requestId,
  epoch,
  commands,
  clock: vectorClock,
  done: Type.Boolean(),
});

/** The loser says how applying the winner's snapshot went, with what the winner verifies [SB5]. */
const reconciled = message("reconciled", {
  requestId,
  epoch,
  outcome: oneOf("applied", "lock-not-held", "stale-epoch", "invalid-snapshot", "failed"),
  checksum: nullable(sha256Hex),
  clock: vectorClock,
  log: position,
});

/** Both engines take the checksum of their state after exactly `seq`, to notice drift while running. */
const checkpoint = message("checkpoint", { epoch, seq });

const checkpointResult = message("checkpoint-result", { epoch, seq, checksum: sha256Hex });

/** Conflicts as the leader knows them, so that both engines list the same. At most 100 a message. */
const conflictUpdate = message("conflict-update", { epoch, conflicts: listOf(conflict, MAX_ITEMS) });

/** Operations on records that have become durable at the sender, and all that it holds, so that a loss is noticed. */
const recordNews = message("record-news", {
  /** Intake looks at them one by one. */
  ops: Type.Unsafe<readonly Op[]>(listOf(boundedJson, MAX_ITEMS)),
  vector: vectorClock,
  /** Of each origin in `vector`, the digest of its history, where it is known; left out beside operations. */
  heads: Type.Optional(Type.Unsafe<Readonly<Record<string, string>>>(boundedJson)),
  /** Which origin is bound to which token of role `spoke`; only where there are any. */
  bound: Type.Optional(
    listOf(
      strictAs<OriginBinding>({ origin: text(1, 64), token: nullable(text(1, 256)), atUnixMs: instant }),
      MAX_ITEMS,
    ),
  ),
});

/** Through where the leader has published stacks of its outbox. */
const outboxMarks = message("outbox-marks", {
  epoch,
  marks: listOf(strictAs<StackMark>({ stackId: name, version: seq, eventId: name, controlVersion: seq }), MAX_ITEMS),
  /** The feed that the marks are of; left out where none is known. */
  feedId: Type.Optional(name),
});

/** Asks the other engine what `/sync` would be asked. */
const syncCall = message("sync-call", {
  requestId,
  call: oneOf("identity", "pull", "compare"),
  after: text(0, 160),
  limit: whole(1, MAX_ITEMS),
  maxBytes: whole(1),
  /** Of a pull: the caller's own operations too; left out: without them. */
  own: Type.Optional(Type.Boolean()),
  /** Of a comparison: the caller's digests. */
  heads: Type.Optional(
    Type.Unsafe<Readonly<Record<string, { readonly n: number; readonly head: string | null }>>>(boundedJson),
  ),
});

/** `value`: the body that `/sync` would answer. */
const syncAnswer = message("sync-answer", { requestId, value: boundedJson });

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

/** A request of the control plane made this epoch. The other engine gives the same answer when the request is repeated there [HO4]. */
const requestAnswered = message("request-answered", {
  answer: strictAs<ForcedAnswer>({
    engineLabel: label,
    role: Type.Literal("leader"),
    epoch,
    previousEpoch: epoch,
    previousLeader: nullable(label),
    mode: oneOf("graceful", "immediate"),
    tookMs: instant,
    requestId: text(1, 128),
  }),
  by: words,
  reason: words,
  at: words,
});

/** The answer is stored here too. */
const requestKept = message("request-kept", { requestId });

/** The schema of every message that may travel over the peer channel. */
export const MESSAGE_SCHEMAS = [
  heartbeat,
  voteRequest,
  voteAnswer,
  handoverOffer,
  handoverRequest,
  handoverGrant,
  handoverRefusal,
  replicate,
  replicated,
  staleEpoch,
  catchUpRequest,
  catchUpPlan,
  catchUpPage,
  snapshotPiece,
  transferAck,
  divergenceRequest,
  divergencePage,
  reconciled,
  checkpoint,
  checkpointResult,
  conflictUpdate,
  recordNews,
  outboxMarks,
  syncCall,
  syncAnswer,
  requestAnswered,
  requestKept,
] as const satisfies readonly TSchema[];

export type PeerMessage = Static<(typeof MESSAGE_SCHEMAS)[number]>;
type MessageOf<T extends PeerMessage["type"]> = Extract<PeerMessage, { readonly type: T }>;

export type Heartbeat = MessageOf<"heartbeat">;
export type VoteRequest = MessageOf<"vote-request">;
export type VoteAnswer = MessageOf<"vote-answer">;
export type HandoverOffer = MessageOf<"handover-offer">;
export type HandoverRequest = MessageOf<"handover-request">;
export type HandoverGrant = MessageOf<"handover-grant">;
export type HandoverRefusal = MessageOf<"handover-refusal">;
export type Replicate = MessageOf<"replicate">;
export type CatchUpRequest = MessageOf<"catch-up-request">;
export type CatchUpPlan = MessageOf<"catch-up-plan">;
export type CatchUpPage = MessageOf<"catch-up-page">;
export type SnapshotPiece = MessageOf<"snapshot-piece">;
export type TransferAck = MessageOf<"transfer-ack">;
export type DivergenceRequest = MessageOf<"divergence-request">;
export type DivergencePage = MessageOf<"divergence-page">;
export type Reconciled = MessageOf<"reconciled">;
export type Checkpoint = MessageOf<"checkpoint">;
export type CheckpointResult = MessageOf<"checkpoint-result">;
export type RecordNews = MessageOf<"record-news">;
export type SyncCall = MessageOf<"sync-call">;
export type RequestAnswered = MessageOf<"request-answered">;
export type SyncAnswerMessage = MessageOf<"sync-answer">;

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
