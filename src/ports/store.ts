/**
 * What an engine must remember across death: who it is, the epochs, the one log, conflicts, history.
 * Every method is synchronous and atomic; what a writing method did is durable (fsynced) when it returns,
 * `markExecuted` alone excepted [EP2]. A failed write changes nothing and throws `store_full` or `store_failed`.
 */
import type { Json } from "../core/canonical-json.ts";
import type { Command, Conflict, EpochRun, KeyedAnswer, LogPosition } from "../core/command.ts";
import type { ControlEvent } from "../core/control-event.ts";
import type { Epoch } from "../core/epoch.ts";
import type { EngineId, Label } from "../core/ids.ts";
import type { LeadershipCause, Maintenance } from "../core/messages.ts";
import type { VectorClock } from "../core/vector-clock.ts";
import type { Journal } from "./journal.ts";
import type { PinnedPeer } from "./peer-channel.ts";
import type { Replica } from "./replica.ts";

/** All that a start needs. */
export interface StoredState {
  readonly engineId: EngineId;
  readonly pinnedPeer: PinnedPeer | null;
  /** Highest epoch seen anywhere or minted here [EP1]. */
  readonly highestEpoch: Epoch;
  /** Epoch of the leader last followed or been [EP4]. */
  readonly acceptedEpoch: Epoch;
  readonly hlc: string;
  /** The highest command of each origin that the log holds or has held; never above it, at no instant [SB6]. */
  readonly clock: VectorClock;
  /** The highest number that this engine ever gave one of its own commands, also of those that do not stand. */
  readonly highestOwnSeq: number;
  /** What was wrong with the stored clock when the store was opened; it was put right. null: nothing [SB6]. */
  readonly flaw: string | null;
  readonly log: LogPosition;
  readonly lastExecutedSeq: number;
  readonly maintenance: Maintenance | null;
  readonly checkpoint: StoredCheckpoint | null;
  /** Highest fence of the reconcile lock under which this engine applied something [RL3]. */
  readonly lockFence: number;
}

/** The engine's state after exactly `position.seq`, from which a restart replays the log. */
export interface StoredCheckpoint {
  readonly position: LogPosition;
  readonly state: Json;
}

/**
 * The JSON text of a state on its way to the disk, piece by piece, so that one of many megabytes holds up no heartbeat.
 * Nothing of it counts until a checkpoint keeps it; what a crash leaves of it is gone at the next start.
 */
export interface StateDraft {
  /** Takes the next piece; no character is cut in two. Throws `store_full` and `store_failed`. */
  add(piece: string): void;
  /** Forgets it. Never throws; does nothing once it was kept. */
  discard(): void;
}

/** A checkpoint to be kept. The store takes the text as it came; it must be JSON. */
export interface CheckpointDraft {
  readonly position: LogPosition;
  /** Made by the same store, kept at most once. */
  readonly state: StateDraft;
}

/** What the log has reached, and the fence. */
export type Positions = Pick<StoredState, "log" | "clock" | "highestOwnSeq" | "hlc" | "lockFence">;

export interface LeadershipEntry {
  readonly epoch: Epoch;
  readonly leader: Label;
  readonly fromUnixMs: number;
  /** null while it lasts. */
  readonly toUnixMs: number | null;
  readonly cause: LeadershipCause;
  /** Who asked: a token's name, `control-plane`, or `automation`. */
  readonly by: string;
  readonly reason: string;
  readonly tookMs: number;
}

/** One request to move the role, kept so that a repeat gets the first answer, and as audit [HO4]. */
export interface RequestEntry {
  readonly requestId: string;
  readonly at: string;
  readonly by: string;
  readonly reason: string;
  readonly mode: string;
  /** The answer as it was given, JSON. */
  readonly answer: Json;
}

/** How a tail or a whole log is replaced after a split: in one transaction, or not at all [SB4]. */
export interface Adoption {
  /** The log is kept through this seq; everything after it goes. */
  readonly keepThroughSeq: number;
  /** The winner's commands after that, contiguous; they may also start above it when `base` is given. */
  readonly commands: readonly Command[];
  /** When the log before the commands is not held: its shape and end, taken from the winner's snapshot. */
  readonly base: { readonly shape: readonly EpochRun[]; readonly position: LogPosition } | null;
  readonly checkpoint: CheckpointDraft;
  readonly keys: readonly KeyedAnswer[];
  readonly conflicts: readonly Conflict[];
  /** Events of the outbox that the sender has yet to publish, of commands that do not come along. */
  readonly outbox: readonly ControlEvent[];
  /** The sender's clock right below `commands`: for a log that is not held so far down [SB6]. */
  readonly baseClock: VectorClock;
  readonly hlc: string;
  readonly acceptedEpoch: Epoch;
  /** Of the lock under which it is done; 0 when none was needed (plain catch-up by snapshot). */
  readonly lockFence: number;
}

export interface CommandPage {
  readonly commands: readonly Command[];
  readonly hasMore: boolean;
}

export interface Store {
  /** Records, and those this engine replicates with: the same file, the same log. */
  readonly replica: Replica;
  /** From now on `journal` takes part in every transaction that changes something it is told of; null: nobody does. */
  setJournal(journal: Journal | null): void;

  /** Reads everything, the checkpoint's state too: for a start. Makes the engine id on first use. */
  load(): StoredState;
  /** The same positions as in `load`, at no cost however large the state is. */
  positions(): Positions;
  /** null: nobody is pinned any longer. */
  pinPeer(peer: PinnedPeer | null): void;
  /** Keeps both; neither ever falls. */
  saveEpochs(epochs: { readonly highestEpoch: Epoch; readonly acceptedEpoch: Epoch }): void;
  /** Sets both, also to lower ones: only on the word of a person [EP6]. */
  resetEpochs(epochs: { readonly highestEpoch: Epoch; readonly acceptedEpoch: Epoch }): void;
  saveMaintenance(maintenance: Maintenance): void;

  /** Appends contiguous commands after the log's end: log, keys, clock and HLC in one transaction. */
  append(commands: readonly Command[]): void;
  /** Execution reached `seq`. Cheap; may be lost by a crash (execution is repeated from the checkpoint). */
  markExecuted(seq: number): void;
  /** Begins the text of a state for `saveCheckpoint` or `adopt`. Until it is kept, the old state takes room beside it. */
  draftState(): StateDraft;
  saveCheckpoint(checkpoint: CheckpointDraft): void;
  /** Commands with seq > afterSeq, oldest first, at most `limit` and about `maxBytes` of payload. */
  commandsAfter(afterSeq: number, limit: number, maxBytes?: number): CommandPage;
  /** The lowest seq whose command is still held; log.seq + 1 when none is. */
  firstHeldSeq(): number;
  /** The shape of the whole log, also of what is no longer held. Newest `limit` runs, oldest first. */
  logShape(limit?: number): readonly EpochRun[];
  /** The clock of the log's commands through `seq`, which must not lie below `firstHeldSeq() - 1`. */
  clockThrough(seq: number): VectorClock;
  findKey(key: string): KeyedAnswer | null;
  /** Newest first. */
  recentKeys(limit: number): readonly KeyedAnswer[];
  /** Drops commands up to and including `throughSeq` (never beyond the checkpoint) and keys older than `keysBeforeUnixMs` beyond the newest 10 000. */
  compact(throughSeq: number, keysBeforeUnixMs: number): void;
  adopt(adoption: Adoption): void;

  /** Keeps conflicts; those with a known id replace the old ones. The clock does not count what they hold [SB6]. */
  saveConflicts(conflicts: readonly Conflict[]): void;
  /** The open ones first, then newest first. */
  conflicts(limit: number): readonly Conflict[];
  findConflict(id: string): Conflict | null;

  /** Ends the entry that lasts, if there is one, and begins this; a known epoch only updates `toUnixMs`. */
  saveLeadership(entry: LeadershipEntry): void;
  endLeadership(epoch: Epoch, toUnixMs: number): void;
  /** Newest first. */
  leadership(limit: number): readonly LeadershipEntry[];
  /** The first answer to a request stands. */
  saveRequest(entry: RequestEntry): void;
  findRequest(requestId: string): RequestEntry | null;

  close(): void;
}
