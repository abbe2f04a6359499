/**
 * The store port on one SQLite file, `changeover.db`, owned by this process alone: write-ahead log, synced at
 * every commit [EP2].
 * One transaction a call. What is kept in memory beside the file (the log's shape, clock and stamp, so that
 * no call scans the log) changes only after the transaction has been committed.
 */
import { open } from "node:fs/promises";
import type { Database } from "better-sqlite3";
import type { Command, Conflict, KeyedAnswer } from "../core/command.ts";
import { ChangeoverError } from "../core/errors.ts";
import type { LogShape } from "../core/fork.ts";
import { laterHlc } from "../core/hlc.ts";
import type { EngineId } from "../core/ids.ts";
import {
  adoptedAt,
  clockFlaw,
  divergentIn,
  endOfShape,
  extendClock,
  extendHlc,
  extendShape,
  highestOwn,
  keyedAnswers,
  rebaseClock,
  rebaseFirstHeld,
  rebaseShape,
  requireReplayable,
} from "../core/log-rules.ts";
import type { Maintenance } from "../core/messages.ts";
import { counterOf, type VectorClock } from "../core/vector-clock.ts";
import type { Ids } from "../ports/basics.ts";
import type { Journal } from "../ports/journal.ts";
import type { PinnedPeer } from "../ports/peer-channel.ts";
import type { Replica } from "../ports/replica.ts";
import type {
  Adoption,
  CheckpointDraft,
  CommandPage,
  LeadershipEntry,
  Positions,
  RequestEntry,
  StateDraft,
  Store,
  StoredState,
} from "../ports/store.ts";
import { sha256Of } from "./basics.ts";
import { CheckpointTable } from "./sqlite-store/checkpoint-table.ts";
import { CommandTable } from "./sqlite-store/command-table.ts";
import { explained, storeError } from "./sqlite-store/errors.ts";
import { ConflictTable, LeadershipTable, RequestTable, KeyTable } from "./sqlite-store/history-tables.ts";
import { type Access, SqliteReplica } from "./sqlite-store/replica.ts";
import { openStoreFile, openStoreIn } from "./sqlite-store/open.ts";
import type { StoreFileInit } from "./sqlite-store/open.ts";
import { createStateRow, type StateRow, StateTable } from "./sqlite-store/state-row.ts";
import { HISTORY_KEPT, KEYS_KEPT, newest, RUNS_KEPT } from "./store-bounds.ts";

/** Where the key of the pinned peer is kept, `<engineId> <key>`: a row that older versions leave alone. */
const PINNED_KEY = "pair:key";

/** Of a copy: what one turn of the loop takes, and after how much the disk is waited for. */
const PAGES_AT_ONCE = 64;
const PAGES_BETWEEN_SYNCS = 1_024;

/** Where the store is and how large it may grow. */
export type SqliteStoreInit = StoreFileInit | { readonly inMemory: Database };

/** What the log has reached. */
interface Reached {
  readonly shape: LogShape;
  readonly clock: VectorClock;
  /** The clock of the commands below `firstHeldSeq`. */
  readonly baseClock: VectorClock;
  readonly highestOwnSeq: number;
  readonly firstHeldSeq: number;
  readonly checkpointSeq: number;
  readonly lockFence: number;
}

export class SqliteStore implements Store {
  readonly #db: Database;
  readonly #file: string;
  readonly #inTransaction: (work: () => void) => void;
  readonly #state: StateTable;
  readonly #checkpoint: CheckpointTable;
  readonly #commands: CommandTable;
  readonly #keys: KeyTable;
  readonly #conflicts: ConflictTable;
  readonly #leadership: LeadershipTable;
  readonly #requests: RequestTable;
  readonly replica: Replica;
  readonly #engineId: EngineId;
  readonly #flaw: string | null;
  #journal: Journal | null = null;
  #reached: Reached;
  /** Goes to the file with the next transaction: marking costs nothing and cannot fail. */
  #lastExecutedSeq: number;
  #storedExecutedSeq: number;
  /** Whether a transaction is under way. Kept here: the driver is asked at no statement of a page. */
  #writing = false;

  /**
   * Opens the folder's store, or makes it. Throws `data_folder_unusable`, `store_in_use`, `store_corrupt`,
   * `corrupt_clock`, `store_too_new`, `store_full` and `store_failed`; the file is then left as it was.
   */
  constructor({ ids }: { readonly ids: Ids }, init: SqliteStoreInit) {
    const fill = (fresh: Database): void => createStateRow(fresh, ids.next("engine"));
    const db = "inMemory" in init ? openStoreIn(init.inMemory, fill) : openStoreFile(init, fill);
    this.#db = db;
    this.#file = db.name;
    this.#inTransaction = db.transaction((work: () => void) => work());
    this.#state = new StateTable(db);
    this.#checkpoint = new CheckpointTable(db);
    this.#commands = new CommandTable(db);
    this.#keys = new KeyTable(db);
    this.#conflicts = new ConflictTable(db);
    this.#leadership = new LeadershipTable(db);
    this.#requests = new RequestTable(db);
    try {
      const state = explained(db.name, () => this.#state.read());
      explained(db.name, () => this.#checkpoint.begin());
      this.#engineId = state.engineId;
      this.#lastExecutedSeq = this.#storedExecutedSeq = state.lastExecutedSeq;
      this.#reached = explained(db.name, () => this.#readReached(state));
      this.#flaw = this.#checkContent(state);
      this.replica = explained(db.name, () => new SqliteReplica(this.#access()));
    } catch (error) {
      db.close();
      throw error;
    }
  }

  setJournal(journal: Journal | null): void {
    this.#journal = journal;
  }

  load(): StoredState {
    const { pinnedId, baseClock: _baseClock, ...state } = this.#read(() => this.#state.read());
    return {
      ...state,
      pinnedPeer: pinnedId === null ? null : { engineId: pinnedId, key: this.#pinnedKey(pinnedId) },
      checkpoint: this.#read(() => this.#checkpoint.read()),
      flaw: this.#flaw,
      lastExecutedSeq: this.#lastExecutedSeq,
      log: endOfShape(this.#reached.shape),
    };
  }

  positions(): Positions {
    this.#requireOpen();
    const { shape, clock, highestOwnSeq, lockFence } = this.#reached;
    // Records move the stamp too, without the log.
    return { log: endOfShape(shape), clock, highestOwnSeq, hlc: this.replica.hlc(), lockFence };
  }

  pinPeer(peer: PinnedPeer | null): void {
    this.#write(() => {
      this.#state.pinPeer(peer?.engineId ?? null);
      if (peer === null || peer.key === null) this.replica.peerState.delete(PINNED_KEY);
      else this.replica.peerState.set(PINNED_KEY, `${peer.engineId} ${peer.key}`);
    });
  }

  saveEpochs(epochs: { readonly highestEpoch: number; readonly acceptedEpoch: number }): void {
    this.#write(() => this.#state.raiseEpochs(epochs.highestEpoch, epochs.acceptedEpoch));
  }

  resetEpochs(epochs: { readonly highestEpoch: number; readonly acceptedEpoch: number }): void {
    this.#write(() => this.#state.setEpochs(epochs.highestEpoch, epochs.acceptedEpoch));
  }

  saveMaintenance(maintenance: Maintenance): void {
    this.#write(() => this.#state.saveMaintenance(maintenance));
  }

  append(commands: readonly Command[]): void {
    const before = this.#reached;
    const shape = extendShape(before.shape, commands);
    const clock = extendClock(before.clock, commands);
    const hlc = extendHlc(this.replica.hlc(), commands, this.#engineId);
    const keys = keyedAnswers(commands, sha256Of);
    const highestOwnSeq = highestOwn(before.highestOwnSeq, this.#engineId, commands);
    this.#write(() => {
      this.#commands.insert(commands);
      this.#commands.saveRuns(shape, endOfShape(before.shape).seq);
      this.#keys.save(keys);
      this.#state.saveReached(clock, before.baseClock, hlc);
      this.#state.raiseOwn(highestOwnSeq);
      this.#journal?.appended(commands, endOfShape(before.shape));
    });
    this.#reached = { ...before, shape, clock, highestOwnSeq };
  }

  markExecuted(seq: number): void {
    this.#requireOpen();
    this.#lastExecutedSeq = seq;
  }

  draftState(): StateDraft {
    this.#requireOpen();
    return this.#checkpoint.draft();
  }

  saveCheckpoint(checkpoint: CheckpointDraft): void {
    const { seq } = checkpoint.position;
    requireReplayable(seq, this.#reached.firstHeldSeq, endOfShape(this.#reached.shape).seq);
    this.#write(() => this.#checkpoint.save(checkpoint));
    this.#checkpoint.kept(checkpoint);
    this.#reached = { ...this.#reached, checkpointSeq: seq };
  }

  commandsAfter(afterSeq: number, limit: number, maxBytes = Infinity): CommandPage {
    const commands = this.#read(() => this.#commands.after(afterSeq, limit, maxBytes));
    const end = endOfShape(this.#reached.shape).seq;
    const reached = commands.at(-1)?.seq ?? Math.max(afterSeq, this.#reached.firstHeldSeq - 1);
    return { commands, hasMore: reached < end };
  }

  firstHeldSeq(): number {
    this.#requireOpen();
    return this.#reached.firstHeldSeq;
  }

  logShape(limit = RUNS_KEPT): LogShape {
    this.#requireOpen();
    return newest(this.#reached.shape, limit);
  }

  clockThrough(seq: number): VectorClock {
    return this.#read(() => this.#commands.clockThrough(seq, this.#reached.baseClock));
  }

  findKey(key: string): KeyedAnswer | null {
    return this.#read(() => this.#keys.find(key));
  }

  recentKeys(limit: number): readonly KeyedAnswer[] {
    return this.#read(() => this.#keys.newest(limit));
  }

  compact(throughSeq: number, keysBeforeUnixMs: number): void {
    const before = this.#reached;
    const dropped = Math.min(throughSeq, before.checkpointSeq);
    let { baseClock } = before;
    const shape = newest(before.shape, RUNS_KEPT);
    this.#write(() => {
      baseClock = this.#commands.clockThrough(dropped, baseClock);
      this.#commands.dropThrough(dropped);
      this.#state.saveReached(before.clock, baseClock, this.replica.hlc());
      this.#keys.dropOld(KEYS_KEPT, keysBeforeUnixMs);
      if (shape.length < before.shape.length) this.#commands.replaceRuns(shape);
    });
    this.#reached = { ...before, shape, baseClock, firstHeldSeq: Math.max(before.firstHeldSeq, dropped + 1) };
  }

  adopt(adoption: Adoption): void {
    const before = this.#reached;
    const { keepThroughSeq, base, commands, checkpoint } = adoption;
    const shape = extendShape(rebaseShape(before.shape, keepThroughSeq, base), commands);
    const firstHeldSeq = rebaseFirstHeld(before.firstHeldSeq, keepThroughSeq, base);
    const checkpointSeq = checkpoint.position.seq;
    requireReplayable(checkpointSeq, firstHeldSeq, endOfShape(shape).seq);
    const { baseClock, clock: below } = rebaseClock(adoption, before, (seq) => this.clockThrough(seq));
    const clock = extendClock(below, commands);
    const own = [...commands, ...divergentIn(adoption.conflicts)];
    // A restored engine gets its later commands back within the state: then only the clock names them [RP2].
    const known = Math.max(before.highestOwnSeq, counterOf(clock, this.#engineId));
    const highestOwnSeq = highestOwn(known, this.#engineId, own);
    const hlc = extendHlc(laterHlc(this.replica.hlc(), adoption.hlc), commands, this.#engineId);
    const keys = [...adoption.keys, ...keyedAnswers(commands, sha256Of)];
    this.#write(() => {
      this.#commands.dropAfter(firstHeldSeq > keepThroughSeq ? 0 : keepThroughSeq);
      this.#commands.insert(commands);
      this.#commands.replaceRuns(shape);
      this.#keys.dropAfter(keepThroughSeq);
      this.#keys.save(keys);
      this.#state.saveReached(clock, baseClock, hlc);
      this.#state.raiseOwn(highestOwnSeq);
      this.#checkpoint.save(checkpoint);
      this.#state.raiseEpochs(0, adoption.acceptedEpoch);
      this.#state.raiseFence(adoption.lockFence);
      this.#saveConflicts(adoption.conflicts);
      this.#journal?.adopted(adoption, adoptedAt(before.shape, shape, adoption));
    }, checkpointSeq);
    this.#checkpoint.kept(checkpoint);
    const lockFence = Math.max(before.lockFence, adoption.lockFence);
    this.#reached = { shape, clock, baseClock, highestOwnSeq, firstHeldSeq, checkpointSeq, lockFence };
  }

  saveConflicts(conflicts: readonly Conflict[]): void {
    const before = this.#reached;
    const highestOwnSeq = highestOwn(before.highestOwnSeq, this.#engineId, divergentIn(conflicts));
    this.#write(() => {
      this.#saveConflicts(conflicts);
      this.#state.raiseOwn(highestOwnSeq);
    });
    this.#reached = { ...before, highestOwnSeq };
  }

  /** Own commands get numbers at least `count` above the last one: those between may have been given to commands that are lost. */
  skipOwnNumbers(count: number): void {
    const before = this.#reached;
    const highestOwnSeq = before.highestOwnSeq + count;
    this.#write(() => this.#state.raiseOwn(highestOwnSeq));
    this.#reached = { ...before, highestOwnSeq };
  }

  conflicts(limit: number): readonly Conflict[] {
    return this.#read(() => this.#conflicts.openFirst(limit));
  }

  findConflict(id: string): Conflict | null {
    return this.#read(() => this.#conflicts.find(id));
  }

  saveLeadership(entry: LeadershipEntry): void {
    this.#write(() => {
      if (this.#leadership.save(entry, HISTORY_KEPT)) this.#journal?.led(entry);
    });
  }

  endLeadership(epoch: number, toUnixMs: number): void {
    this.#write(() => this.#leadership.end(epoch, toUnixMs));
  }

  leadership(limit: number): readonly LeadershipEntry[] {
    return this.#read(() => this.#leadership.newest(limit));
  }

  saveRequest(entry: RequestEntry): void {
    this.#write(() => this.#requests.save(entry, HISTORY_KEPT));
  }

  findRequest(requestId: string): RequestEntry | null {
    return this.#read(() => this.#requests.find(requestId));
  }

  /**
   * Copies the whole store to a new file while it is in use. What is written meanwhile is in the copy. The copy goes to the
   * disk bit by bit, beside the main loop: SQLite's own sync at the end would stop an engine for as long as it takes.
   */
  async backup(file: string): Promise<void> {
    const copy = await open(file, "wx", 0o600);
    let pages = 0;
    let syncing = false;
    try {
      await this.#db.backup(file, {
        progress: ({ totalPages, remainingPages }) => {
          const done = totalPages - remainingPages;
          if (!syncing && done - pages >= PAGES_BETWEEN_SYNCS) {
            pages = done;
            syncing = true;
            void copy.datasync().then(
              () => (syncing = false),
              () => (syncing = false),
            );
          }
          // None while the disk is behind.
          return syncing ? 0 : PAGES_AT_ONCE;
        },
      });
      await copy.datasync();
    } catch (error) {
      throw storeError(error, file);
    } finally {
      await copy.close();
    }
  }

  close(): void {
    if (!this.#db.open) return;
    try {
      this.#write(() => undefined);
    } catch {
      // How far execution had come may be lost; execution is then repeated from the checkpoint.
    } finally {
      this.#db.close();
    }
  }

  #readReached(state: StateRow): Reached {
    const shape = this.#commands.shape();
    const firstHeldSeq = this.#commands.firstSeq() ?? endOfShape(shape).seq + 1;
    const baseClock = state.baseClock ?? (firstHeldSeq === 1 ? {} : this.#commands.clockBelow(state.clock));
    return {
      ...{ shape, baseClock, firstHeldSeq, lockFence: state.lockFence },
      clock: this.#commands.clockOf(state.clock, baseClock),
      highestOwnSeq: Math.max(state.highestOwnSeq, counterOf(state.clock, state.engineId)),
      checkpointSeq: this.#checkpoint.position()?.seq ?? 0,
    };
  }

  /** The content is the truth: a clock above it is put right and said, so that a snapshot replaces the store [SB6]. */
  #checkContent(state: StateRow): string | null {
    const { shape, clock, baseClock, firstHeldSeq, highestOwnSeq } = this.#reached;
    const flaw = clockFlaw(state.clock, clock);
    const expected = endOfShape(shape).seq + 1 - firstHeldSeq;
    const held = explained(this.#file, () => this.#commands.count());
    if (flaw === null && state.baseClock !== null && held === expected) return null;
    this.#write(() => {
      this.#state.saveReached(clock, baseClock, state.hlc);
      this.#state.raiseOwn(highestOwnSeq);
    });
    return (
      flaw ?? (held === expected ? null : `the log holds ${held} commands from ${firstHeldSeq} on, not ${expected}`)
    );
  }

  #access(): Access {
    return {
      db: this.#db,
      conflicts: this.#conflicts,
      read: (work) => this.#read(work),
      write: (work) => (this.#writing ? work() : this.#write(work)),
      saveConflicts: (conflicts) => this.#saveConflicts(conflicts),
    };
  }

  #saveConflicts(conflicts: readonly Conflict[]): void {
    const journal = this.#journal;
    const news = journal && conflicts.filter(({ id, outcome }) => this.#conflicts.find(id)?.outcome !== outcome);
    this.#conflicts.save(conflicts);
    if (news !== null && news.length > 0) journal?.conflicted(news);
  }

  #requireOpen(): void {
    if (!this.#writing && !this.#db.open) throw new ChangeoverError("stopped", "the store is closed");
  }

  #read<Result>(work: () => Result): Result {
    this.#requireOpen();
    return explained(this.#file, work);
  }

  /** The key counts only together with the id it was pinned with. */
  #pinnedKey(engineId: EngineId): string | null {
    const [id, key] = this.replica.peerState.get(PINNED_KEY)?.split(" ") ?? [];
    return id === engineId ? (key ?? null) : null;
  }

  /** One transaction, durable when it returns, or nothing. Takes along that execution has come to `executedSeq`. */
  #write(work: () => void, executedSeq: number = this.#lastExecutedSeq): void {
    this.#requireOpen();
    const outer = this.#writing;
    try {
      this.#writing = true;
      explained(this.#file, () =>
        this.#inTransaction(() => {
          work();
          if (executedSeq !== this.#storedExecutedSeq) this.#state.saveExecuted(executedSeq);
        }),
      );
    } finally {
      this.#writing = outer;
    }
    this.#lastExecutedSeq = this.#storedExecutedSeq = executedSeq;
  }
}
