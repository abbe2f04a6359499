/**
 * The store port in memory, for simulated worlds and for tests of those who embed a coordinator. What is
 * durable lives on the `MemoryDisk`: a new store over the same disk sees what the dead one had made durable.
 * The same contract as the SQLite store; an append costs the same however long the log is.
 */
import type { Command, Conflict, KeyedAnswer } from "../core/command.ts";
import { ChangeoverError } from "../core/errors.ts";
import { laterHlc } from "../core/hlc.ts";
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
  StoredCheckpoint,
  StoredState,
} from "../ports/store.ts";
import { type DiskContent, emptyContent, type MemoryDisk, TextInMemory, textOf } from "./memory-disk.ts";
import { sha256Of } from "./basics.ts";
import { HISTORY_KEPT, KEYS_KEPT, newest, RUNS_KEPT } from "./store-bounds.ts";
import { MemoryReplica } from "./memory-replica.ts";

export class MemoryStore implements Store {
  readonly replica: Replica;
  readonly #disk: MemoryDisk;
  #journal: Journal | null = null;
  readonly #content: DiskContent;
  readonly #flaw: string | null;
  /** Ahead of the disk's until the next write, where the disk loses what is not synced. */
  #lastExecutedSeq: number;

  /** Opens `disk`. Throws `store_in_use` while another store has it open, `store_full` when a new one cannot begin. */
  constructor({ ids, disk }: { readonly ids: Ids; readonly disk: MemoryDisk }) {
    if (disk.content === null && disk.full) throw full();
    disk.claim(this);
    disk.content ??= emptyContent(ids.next("engine"));
    this.#disk = disk;
    this.#content = disk.content;
    this.#flaw = this.#checkClock();
    this.#lastExecutedSeq = disk.content.lastExecutedSeq;
    this.replica = new MemoryReplica({
      read: () => this.#read(),
      write: (changes) => this.#write(changes),
      conflicted: (conflicts) => this.#journal?.conflicted(conflicts),
    });
  }

  setJournal(journal: Journal | null): void {
    this.#journal = journal;
  }

  load(): StoredState {
    const content = this.#read();
    const { engineId, pinnedPeer, highestEpoch, acceptedEpoch, hlc, clock, highestOwnSeq } = content;
    const { shape, maintenance, lockFence, checkpoint } = content;
    return {
      ...{ engineId, pinnedPeer, highestEpoch, acceptedEpoch, hlc, clock, highestOwnSeq, maintenance, lockFence },
      flaw: this.#flaw,
      log: endOfShape(shape),
      lastExecutedSeq: this.#lastExecutedSeq,
      checkpoint: checkpoint && {
        position: checkpoint.position,
        state: JSON.parse(checkpoint.state) as StoredCheckpoint["state"],
      },
    };
  }

  positions(): Positions {
    const { shape, clock, highestOwnSeq, hlc, lockFence } = this.#read();
    return { log: endOfShape(shape), clock, highestOwnSeq, hlc, lockFence };
  }

  pinPeer(peer: PinnedPeer | null): void {
    this.#write({ pinnedPeer: peer });
  }

  saveEpochs(epochs: { readonly highestEpoch: number; readonly acceptedEpoch: number }): void {
    const content = this.#read();
    this.#write({
      highestEpoch: Math.max(content.highestEpoch, epochs.highestEpoch, epochs.acceptedEpoch),
      acceptedEpoch: Math.max(content.acceptedEpoch, epochs.acceptedEpoch),
    });
  }

  resetEpochs(epochs: { readonly highestEpoch: number; readonly acceptedEpoch: number }): void {
    this.#write({ ...epochs });
  }

  saveMaintenance(maintenance: Maintenance): void {
    this.#write({ maintenance });
  }

  append(commands: readonly Command[]): void {
    const content = this.#read();
    const keys = keyedAnswers(commands, sha256Of);
    const changes = {
      shape: extendShape(content.shape, commands),
      clock: extendClock(content.clock, commands),
      hlc: extendHlc(content.hlc, commands, content.engineId),
      highestOwnSeq: highestOwn(content.highestOwnSeq, content.engineId, commands),
    };
    this.#journaled((journal) => journal.appended(commands, endOfShape(content.shape)));
    this.#write(changes);
    for (const command of commands) content.commands.push(command);
    this.#rememberKeys(keys);
  }

  markExecuted(seq: number): void {
    const content = this.#read();
    this.#lastExecutedSeq = seq;
    if (!this.#disk.loseUnsynced) content.lastExecutedSeq = seq;
  }

  draftState(): StateDraft {
    return new TextInMemory();
  }

  saveCheckpoint({ position, state }: CheckpointDraft): void {
    const content = this.#read();
    requireReplayable(position.seq, content.firstHeldSeq, endOfShape(content.shape).seq);
    this.#write({ checkpoint: { position, state: textOf(state) } });
  }

  commandsAfter(afterSeq: number, limit: number, maxBytes = Infinity): CommandPage {
    const { commands, firstHeldSeq } = this.#read();
    const start = Math.max(0, afterSeq + 1 - firstHeldSeq);
    let end = Math.min(commands.length, start + limit);
    if (maxBytes !== Infinity) end = endWithin(commands, start, end, maxBytes);
    return { commands: commands.slice(start, end), hasMore: end < commands.length };
  }

  firstHeldSeq(): number {
    return this.#read().firstHeldSeq;
  }

  logShape(limit = RUNS_KEPT): ReturnType<Store["logShape"]> {
    return newest(this.#read().shape, limit);
  }

  clockThrough(seq: number): VectorClock {
    const { baseClock, commands, firstHeldSeq } = this.#read();
    return extendClock(baseClock, commands.slice(0, Math.max(0, seq + 1 - firstHeldSeq)));
  }

  findKey(key: string): KeyedAnswer | null {
    return this.#read().keys.get(key) ?? null;
  }

  recentKeys(limit: number): readonly KeyedAnswer[] {
    return newest([...this.#read().keys.values()], limit).toReversed();
  }

  compact(throughSeq: number, keysBeforeUnixMs: number): void {
    const { firstHeldSeq, commands, checkpoint, shape, keys, baseClock } = this.#read();
    const drop = Math.max(0, Math.min(throughSeq, checkpoint?.position.seq ?? 0) + 1 - firstHeldSeq);
    this.#write({
      commands: drop === 0 ? commands : commands.slice(drop),
      firstHeldSeq: firstHeldSeq + drop,
      baseClock: extendClock(baseClock, commands.slice(0, drop)),
      shape: newest(shape, RUNS_KEPT),
    });
    for (const answer of keys.values()) {
      if (keys.size <= KEYS_KEPT || answer.atUnixMs >= keysBeforeUnixMs) break;
      keys.delete(answer.key);
    }
  }

  adopt(adoption: Adoption): void {
    const content = this.#read();
    const { keepThroughSeq, base, commands, checkpoint, acceptedEpoch } = adoption;
    const shape = extendShape(rebaseShape(content.shape, keepThroughSeq, base), commands);
    const firstHeldSeq = rebaseFirstHeld(content.firstHeldSeq, keepThroughSeq, base);
    requireReplayable(checkpoint.position.seq, firstHeldSeq, endOfShape(shape).seq);
    const keys = [...adoption.keys, ...keyedAnswers(commands, sha256Of)];
    const kept = content.commands.slice(firstHeldSeq - content.firstHeldSeq, keepThroughSeq + 1 - content.firstHeldSeq);
    const rebased = rebaseClock(adoption, content, (seq) => this.clockThrough(seq));
    const clock = extendClock(rebased.clock, commands);
    const conflicts = this.#conflictsNow(adoption.conflicts);
    this.#journaled((journal) => {
      if (conflicts.length > 0) journal.conflicted(conflicts);
      journal.adopted(adoption, adoptedAt(content.shape, shape, adoption));
    });
    this.#write({
      ...{ shape, firstHeldSeq, clock, baseClock: rebased.baseClock },
      highestOwnSeq: Math.max(
        counterOf(clock, content.engineId),
        this.#highestOwnWith([...commands, ...divergentIn(adoption.conflicts)]),
      ),
      commands: [...(firstHeldSeq > keepThroughSeq ? [] : kept), ...commands],
      checkpoint: { position: checkpoint.position, state: textOf(checkpoint.state) },
      hlc: extendHlc(laterHlc(content.hlc, adoption.hlc), commands, content.engineId),
      acceptedEpoch: Math.max(content.acceptedEpoch, acceptedEpoch),
      highestEpoch: Math.max(content.highestEpoch, acceptedEpoch),
      lockFence: Math.max(content.lockFence, adoption.lockFence),
    });
    this.markExecuted(checkpoint.position.seq);
    content.lastExecutedSeq = checkpoint.position.seq;
    const standing = [...content.keys.values()].filter(({ seq }) => seq <= keepThroughSeq);
    content.keys.clear();
    this.#rememberKeys([...standing, ...keys].sort((left, right) => left.seq - right.seq));
    this.#keepConflicts(adoption.conflicts);
  }

  saveConflicts(conflicts: readonly Conflict[]): void {
    const news = this.#conflictsNow(conflicts);
    if (news.length > 0) this.#journaled((journal) => journal.conflicted(news));
    this.#write({ highestOwnSeq: this.#highestOwnWith(divergentIn(conflicts)) });
    this.#keepConflicts(conflicts);
  }

  conflicts(limit: number): readonly Conflict[] {
    const newestFirst = [...this.#read().conflicts.values()].reverse();
    const open = newestFirst.filter((conflict) => conflict.outcome === "open");
    const closed = newestFirst.filter((conflict) => conflict.outcome !== "open");
    return [...open, ...closed].slice(0, limit);
  }

  findConflict(id: string): Conflict | null {
    return this.#read().conflicts.get(id) ?? null;
  }

  saveLeadership(entry: LeadershipEntry): void {
    const { leadership } = this.#read();
    if (leadership.some(({ epoch }) => epoch === entry.epoch)) {
      this.#write({ leadership: withEnd(leadership, entry.epoch, entry.toUnixMs) });
      return;
    }
    const ended = leadership.map((known) =>
      known.toUnixMs === null && known.epoch < entry.epoch ? { ...known, toUnixMs: entry.fromUnixMs } : known,
    );
    const sorted = [...ended, entry].sort((left, right) => left.epoch - right.epoch);
    this.#journaled((journal) => journal.led(entry));
    this.#write({ leadership: newest(sorted, HISTORY_KEPT) });
  }

  endLeadership(epoch: number, toUnixMs: number): void {
    this.#write({ leadership: withEnd(this.#read().leadership, epoch, toUnixMs) });
  }

  leadership(limit: number): readonly LeadershipEntry[] {
    return newest(this.#read().leadership, limit).toReversed();
  }

  saveRequest(entry: RequestEntry): void {
    this.#write({});
    const { requests } = this.#content;
    if (!requests.has(entry.requestId)) requests.set(entry.requestId, entry);
    for (const oldest of requests.keys()) {
      if (requests.size <= HISTORY_KEPT) break;
      requests.delete(oldest);
    }
  }

  findRequest(requestId: string): RequestEntry | null {
    return this.#read().requests.get(requestId) ?? null;
  }

  close(): void {
    if (!this.#disk.isOwnedBy(this)) return;
    this.#content.lastExecutedSeq = this.#lastExecutedSeq;
    this.#disk.release(this);
  }

  #read(): DiskContent {
    if (!this.#disk.isOwnedBy(this)) throw new ChangeoverError("stopped", "the store is closed");
    return this.#content;
  }

  /** Replaces what `changes` names, together with what was not synced, or throws and changes nothing. */
  #write(changes: Partial<DiskContent>): void {
    const content = this.#read();
    if (this.#disk.full) throw full();
    Object.assign(content, changes);
    content.lastExecutedSeq = this.#lastExecutedSeq;
  }

  /** What the journal adds to a change that is about to be made; the change itself can then only fail together with it. */
  #journaled(work: (journal: Journal) => void): void {
    const journal = this.#journal;
    if (journal !== null) this.replica.transaction(() => work(journal));
  }

  /** Those whose outcome is news. */
  #conflictsNow(conflicts: readonly Conflict[]): readonly Conflict[] {
    return conflicts.filter(({ id, outcome }) => this.#content.conflicts.get(id)?.outcome !== outcome);
  }

  #keepConflicts(conflicts: readonly Conflict[]): void {
    for (const conflict of conflicts) this.#content.conflicts.set(conflict.id, conflict);
  }

  #highestOwnWith(commands: readonly Command[]): number {
    const { highestOwnSeq, engineId } = this.#read();
    return highestOwn(highestOwnSeq, engineId, commands);
  }

  /** The content is the truth: a clock above it is put right, and said [SB6]. */
  #checkClock(): string | null {
    const content = this.#content;
    const held = extendClock(content.baseClock, content.commands);
    const flaw = clockFlaw(content.clock, held);
    if (flaw === null) return null;
    const { engineId, clock, highestOwnSeq } = content;
    content.highestOwnSeq = Math.max(highestOwnSeq, counterOf(clock, engineId));
    content.clock = held;
    return flaw;
  }

  #rememberKeys(answers: readonly KeyedAnswer[]): void {
    const { keys } = this.#content;
    for (const answer of answers) {
      keys.delete(answer.key);
      keys.set(answer.key, answer);
    }
  }
}

function full(): ChangeoverError {
  return new ChangeoverError("store_full", "the memory disk is full", { retryable: true });
}

/** The end of a page of at least one command and about `maxBytes` of payload. */
function endWithin(commands: readonly Command[], start: number, end: number, maxBytes: number): number {
  let bytes = 0;
  for (let index = start; index < end; index += 1) {
    bytes += JSON.stringify(commands[index]?.payload).length;
    if (bytes >= maxBytes) return index + 1;
  }
  return end;
}

function withEnd(entries: readonly LeadershipEntry[], epoch: number, toUnixMs: number | null): LeadershipEntry[] {
  return entries.map((entry) => (entry.epoch === epoch ? { ...entry, toUnixMs } : entry));
}
