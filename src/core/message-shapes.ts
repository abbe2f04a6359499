/**
 * Purpose: what every field of every peer message must be, and within which bounds, as one table.
 * Keeps true: a message type or a field that is forgotten here does not compile.
 * Bounds of names and payloads are kept where they enter; those here only stop abuse, and are wider.
 */
import type { Command, CommandConflict, EpochRun, KeyedAnswer, LogPosition } from "./command.ts";
import type { StackMark } from "./control-event.ts";
import type {
  CommandEvent,
  Heartbeat,
  LeadershipOrigin,
  Maintenance,
  OriginBinding,
  PeerMessage,
  SnapshotPiece,
  SnapshotTransfer,
  StateSnapshot,
} from "./messages.ts";
import {
  type Check,
  exactly,
  flag,
  idOf,
  instant,
  json,
  listOf,
  matching,
  nullable,
  oneOf,
  shape,
  text,
  optional,
  vectorClock,
  whole,
} from "./shape.ts";

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
const requestId = text(1, 128);
const engineId = idOf("engine");
const hlc = text(0, 256);
const checksum = matching(/^[0-9a-f]{64}$/, "64 hexadecimal digits");
const label = oneOf("a", "b");
const cause = oneOf("cold-start", "silence", "death-proof", "handover", "forced", "unhealthy", "blind");

const position = shape<LogPosition>({ epoch, seq });
const runs = listOf(shape<EpochRun>({ epoch, from: seq, to: seq }), MAX_ITEMS);

const command = shape<Command>({
  seq: whole(1),
  epoch: whole(1),
  hlc,
  executeAtUs: instant,
  kind: name,
  payload: json,
  origin: engineId,
  originSeq: whole(1),
  idempotencyKey: nullable(name),
  clock: vectorClock,
});
const commands = listOf(command, MAX_ITEMS);

const binding = shape<OriginBinding>({ origin: text(1, 64), token: nullable(text(1, 256)), atUnixMs: instant });

const conflicts = listOf(
  shape<CommandConflict>({
    id: idOf("conflict"),
    kind: exactly("command"),
    divergent: command,
    standing: listOf(command, MAX_STANDING),
    divergentFrom: label,
    forkSeq: seq,
    winnerEpoch: epoch,
    outcome: oneOf("superseded", "reapplied", "open", "resolved"),
    reason: words,
    detectedAtUnixMs: instant,
    resolution: nullable(
      shape<NonNullable<CommandConflict["resolution"]>>({
        choice: oneOf("keep", "reapply", "value"),
        by: words,
        atUnixMs: instant,
      }),
    ),
  }),
  MAX_ITEMS,
);

/** What every message about a move of the role says. */
const move = { requestId, epoch, cause, by: words, reason: words };

type MessageType = PeerMessage["type"];
type MessageOf<T extends MessageType> = Extract<PeerMessage, { readonly type: T }>;
type FieldsOf<T extends MessageType> = { readonly [K in keyof Omit<MessageOf<T>, "type">]-?: Check };

const FIELDS: { readonly [T in MessageType]: FieldsOf<T> } = {
  heartbeat: {
    n: whole(1),
    engineId,
    incarnation: idOf("incarnation"),
    label,
    version: name,
    role: oneOf("follower", "candidate", "leader"),
    epoch,
    clock: vectorClock,
    witnessSeq: nullable(seq),
    log: position,
    acknowledged: position,
    lastExecutedSeq: seq,
    programSource: words,
    health: oneOf("ok", "degraded", "failed"),
    sync: oneOf("ready", "catching-up", "reconciling", "starting"),
    maintenance: nullable(shape<Maintenance>({ on: flag, stamp: words, by: words, reason: words })),
    leadership: nullable(
      shape<LeadershipOrigin>({ cause, by: words, reason: words, fromUnixMs: instant, tookMs: instant }),
    ),
    witnessReachable: nullable(flag),
    sentAtMonoMs: instant,
    sentAtUnixUs: instant,
    wallUnixMs: optional(instant),
    echo: nullable(
      shape<NonNullable<Heartbeat["echo"]>>({ n: whole(1), receivedAtMonoMs: instant, receivedAtUnixUs: instant }),
    ),
    vote: nullable(shape<NonNullable<Heartbeat["vote"]>>({ epoch, n: whole(1) })),
  },
  "vote-request": { requestId, epoch, log: position, acceptedEpoch: epoch, healthy: flag, forced: flag },
  "vote-answer": {
    requestId,
    epoch,
    granted: flag,
    reason: oneOf("granted", "leads", "campaigns", "better-claim", "promised", "stale-epoch"),
    highestEpoch: epoch,
  },
  "handover-offer": move,
  "handover-request": move,
  "handover-grant": { requestId, epoch, final: position, witnessSeq: nullable(seq) },
  "handover-refusal": {
    requestId,
    reason: oneOf("not-leader", "stale-epoch", "busy", "not-ready", "held"),
    highestEpoch: epoch,
  },
  replicate: { epoch, prev: position, commands },
  replicated: { epoch, throughSeq: seq },
  "stale-epoch": { highestEpoch: epoch },
  "catch-up-request": {
    requestId,
    epoch,
    shape: runs,
    clock: vectorClock,
    lastExecutedSeq: seq,
    wantSnapshot: flag,
  },
  "catch-up-plan": {
    requestId,
    epoch,
    by: oneOf("nothing", "log", "snapshot", "reconcile"),
    fromSeq: seq,
    toSeq: seq,
  },
  "catch-up-page": { requestId, epoch, prev: position, commands, done: flag },
  "snapshot-piece": {
    requestId,
    epoch,
    index: whole(0),
    last: flag,
    text: text(0, MAX_PIECE_CHARS),
    lock: nullable(shape<NonNullable<SnapshotPiece["lock"]>>({ lockId: idOf("lock"), fence: whole(0) })),
  },
  "transfer-ack": { requestId, index: whole(0) },
  "divergence-request": { requestId, epoch, forkSeq: seq, afterSeq: seq },
  "divergence-page": { requestId, epoch, commands, clock: vectorClock, done: flag },
  reconciled: {
    requestId,
    epoch,
    outcome: oneOf("applied", "lock-not-held", "stale-epoch", "invalid-snapshot", "failed"),
    checksum: nullable(checksum),
    clock: vectorClock,
    log: position,
  },
  checkpoint: { epoch, seq },
  "checkpoint-result": { epoch, seq, checksum },
  "conflict-update": { epoch, conflicts },
  "outbox-marks": {
    epoch,
    marks: listOf(shape<StackMark>({ stackId: name, version: seq, eventId: name, controlVersion: seq }), MAX_ITEMS),
  },
  "record-news": {
    ops: listOf(json, MAX_ITEMS),
    vector: vectorClock,
    heads: optional(json),
    bound: optional(listOf(binding, MAX_ITEMS)),
  },
  "sync-call": {
    requestId,
    call: oneOf("identity", "pull", "compare"),
    after: text(0, 160),
    limit: whole(1, MAX_ITEMS),
    maxBytes: whole(1),
    own: optional(flag),
    heads: optional(json),
  },
  "sync-answer": { requestId, value: json },
};

/** The check of each message, by its type. */
export const MESSAGE_CHECKS: ReadonlyMap<string, Check> = new Map(
  Object.entries<Readonly<Record<string, Check>>>(FIELDS).map(([type, fields]) => [
    type,
    shape<Record<string, unknown>>({ type: exactly(type), ...fields }),
  ]),
);

const commandEvent = shape<CommandEvent>({
  eventId: name,
  eventType: name,
  tenantId: name,
  stackId: name,
  version: seq,
  baseVersion: seq,
  payload: json,
});

/** The outer contract's StateSnapshot. Whether its checksum is that of its state is not looked at here. */
const checkStateSnapshot: Check = shape<StateSnapshot>({
  version: exactly(1),
  engineLabel: label,
  engineId,
  epoch,
  clock: vectorClock,
  hlc,
  lastCommandSeq: seq,
  lastExecutedSeq: seq,
  state: json,
  checksum,
});

/** What comes along with a snapshot from engine to engine. */
export const checkSnapshotTransfer: Check = shape<SnapshotTransfer>({
  snapshot: checkStateSnapshot,
  keepThroughSeq: seq,
  commands,
  conflicts,
  keys: listOf(
    shape<KeyedAnswer>({
      key: name,
      seq: whole(1),
      epoch: whole(1),
      executeAtUs: instant,
      atUnixMs: instant,
      digest: nullable(matching(/^[0-9a-f]{64}$/, "a sha256 in hexadecimal")),
    }),
    MAX_ITEMS,
  ),
  shape: runs,
  baseClock: optional(vectorClock),
  outbox: listOf(commandEvent, MAX_ITEMS),
});
