/**
 * Executes the log on the engine: in order, exactly once, at the instant that both engines agreed on.
 * Keeps true: a follower executes only what a leader has confirmed to be in its log; a leader asks `mayAct` before each
 * effect [VT5]; a command that fails in the engine never stops the log.
 */
import type { Command } from "../core/command.ts";
import { epochAt } from "../core/fork.ts";
import type { Role } from "../core/messages.ts";
import { jsonPieces } from "../json/pieces.ts";
import type { TimerHandle } from "../ports/basics.ts";
import type { ExecuteOutcome } from "../ports/engine.ts";
import type { StateDraft } from "../ports/store.ts";
import { inTurns } from "./checksum.ts";
import { NoAnswer } from "./engine-guard.ts";
import type { Kit } from "./kit.ts";
import { Pauses } from "./pauses.ts";
import type { ProgrammeClock } from "./programme-clock.ts";

export interface ExecutorDeps {
  readonly programmeClock: ProgrammeClock;
  role(): Role;
  mayAct(): boolean;
  logEndSeq(): number;
  /** Through here the peer has said, in this leadership, to hold everything. */
  peerThroughSeq(): number;
  /** Whether the engine's state is the pair's: no other is stored [EN11]. */
  trusted?(): boolean;
  /** The engine gave no answer to this command [EN3]. */
  onGaveUp?(seq: number, error: string): void;
}

/** Commands read from the store at a time. */
const PAGE = 1_000;
/** Of their payloads, about. */
const PAGE_BYTES = 8_388_608;
/** How long one turn of the loop executes, ms: a whole burst may be due at once, and heartbeats must not wait for it. */
const TURN_MS = 20;
/** Longest wait for a command's instant, ms: somewhat more than how far ahead a leader lets one be scheduled. */
const MAX_WAIT_MS = 11_000;
/** Commands kept in memory ahead of execution; beyond it they are read back from the store. */
const MAX_QUEUED = 20_000;
/** Commands beyond `keep` that are kept because the peer may not have them: what one reconciliation takes. */
const MOST_UNSHARED = 100_000;
/** Calls for one state that may stay without an answer. Each gives the engine twice the time of the one before. */
export const MOST_STATE_CALLS = 5;

export class Executor {
  readonly #kit: Kit;
  readonly #deps: ExecutorDeps;
  #queue: Command[] = [];
  #executedSeq = 0;
  #confirmedSeq = 0;
  /** Through here the peer has, or had, everything. */
  #sharedSeq = 0;
  /** Through here the leader that was heard last has executed its log. */
  #leaderExecutedSeq = 0;
  #lastCheckpointSeq = 0;
  /** How often the state was replaced: a checkpoint of an earlier one is void. */
  #resets = 0;
  /** When commands that came at their time are due, monotonic ms, as it was at their arrival: a stepped clock moves none. */
  readonly #dueMs = new Map<number, number>();
  #timer: TimerHandle | null = null;
  #running: Promise<void> | null = null;
  #suspended = 0;
  /** The store may be closed already. */
  #stopped = false;
  readonly #pauses: Pauses;
  /** Ends when the last one that asked for a hold has released it. */
  #held: Promise<void> = Promise.resolve();
  #waiting: { seq: number; resolve: () => void }[] = [];
  lastError = "";

  constructor(kit: Kit, deps: ExecutorDeps) {
    this.#kit = kit;
    this.#deps = deps;
    this.#pauses = new Pauses(kit.ports);
  }

  get executedSeq(): number {
    return this.#executedSeq;
  }

  /** How often the state was replaced. */
  get resets(): number {
    return this.#resets;
  }

  /** Through here a leader has confirmed the log. */
  get confirmedSeq(): number {
    return this.#confirmedSeq;
  }

  /** Starts again behind `seq`: after a restore of the engine's state. */
  resetTo(seq: number): void {
    this.#executedSeq = seq;
    this.#lastCheckpointSeq = seq;
    this.#resets += 1;
    this.#confirmedSeq = Math.min(this.#confirmedSeq, seq);
    this.#sharedSeq = Math.min(this.#sharedSeq, seq);
    this.#queue = [];
    this.#dueMs.clear();
    this.#settleWaiting();
  }

  /** The leader has these commands in its log too, through `seq`. */
  confirm(seq: number): void {
    this.#sharedSeq = Math.max(this.#sharedSeq, seq);
    this.goOnThrough(seq);
  }

  /** These commands were confirmed or executed before, and are to be executed again; who else has them is not said. */
  goOnThrough(seq: number): void {
    if (seq <= this.#confirmedSeq) return;
    this.#confirmedSeq = seq;
    this.kick();
  }

  /**
   * The leader has executed its log through `seq`, so the instants of those commands are past, whatever our clocks say. The
   * instants of commands that are read again are told by clocks that may have been put right since.
   */
  leaderExecuted(seq: number): void {
    this.#leaderExecutedSeq = seq;
    if (this.#executedSeq < seq) this.kick();
  }

  /** What is not yet executed must be confirmed again: this engine no longer leads. */
  doubt(): void {
    this.#confirmedSeq = this.#executedSeq;
  }

  /** Takes commands that were just appended. `live`: they came at their time, so that lateness means something. */
  enqueue(commands: readonly Command[], live: boolean): void {
    const last = this.#queue.at(-1)?.seq ?? this.#executedSeq;
    const first = commands[0];
    if (first !== undefined && first.seq === last + 1 && this.#queue.length + commands.length <= MAX_QUEUED) {
      for (const command of commands) this.#queue.push(command);
    }
    if (live) this.#noteLive(commands);
    this.kick();
  }

  /** A command that comes after its instant is late; how much, is known once it is executed. */
  #noteLive(commands: readonly Command[]): void {
    const now = this.#kit.ports.clock.monoMs();
    for (const { seq, executeAtUs, origin } of commands) {
      const dueMs = this.#deps.programmeClock.toMonoMs(executeAtUs, origin);
      if (this.#dueMs.size < MAX_QUEUED) this.#dueMs.set(seq, dueMs);
      if (now > dueMs) this.#kit.counters.commandsLate += 1;
    }
  }

  /**
   * When a command is due; at once, where the leader has executed it. One further ahead than any leader accepts was stamped
   * by a clock that does not hold here.
   */
  #dueAtMs({ seq, executeAtUs, origin }: Command, now: number): number {
    const dueMs = this.#dueMs.get(seq) ?? this.#deps.programmeClock.toMonoMs(executeAtUs, origin);
    const isPast = seq <= this.#leaderExecutedSeq || dueMs > now + MAX_WAIT_MS;
    return isPast ? Math.min(now, dueMs) : dueMs;
  }

  /** Resolves once `seq` has been executed. */
  reached(seq: number): Promise<void> {
    if (this.#executedSeq >= seq) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ seq, resolve }));
  }

  /** Looks whether something is due now. */
  kick(): void {
    if (this.#running === null && this.#suspended === 0) this.#continue();
  }

  /**
   * Waits until nothing is being executed and holds it there until `release` is called. One at a time: a state that is
   * read while another one is being put in place would belong to no position of the log.
   */
  async hold(): Promise<() => void> {
    this.#suspended += 1;
    this.#disarm();
    const before = this.#held;
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    this.#held = before.then(() => held);
    await before;
    await this.#running;
    let released = false;
    return () => {
      if (released) return;
      released = true;
      this.#suspended -= 1;
      release();
      this.kick();
    };
  }

  /** Executes nothing until the returned function is called. Unlike `hold` it waits for nothing and excludes nobody. */
  suspend(): () => void {
    this.#suspended += 1;
    this.#disarm();
    let resumed = false;
    return () => {
      if (resumed) return;
      resumed = true;
      this.#suspended -= 1;
      this.kick();
    };
  }

  stop(): void {
    this.#stopped = true;
    this.#suspended += 1;
    this.#disarm();
    this.#pauses.close();
    for (const waiter of this.#waiting.splice(0)) waiter.resolve();
  }

  /** Executes what is due, as much as fits one turn; an engine that answers later makes this wait. */
  #continue(): void {
    const untilMs = this.#kit.ports.clock.monoMs() + TURN_MS;
    let ran = false;
    for (let head = this.#head(); head !== null && this.#allowed(head); head = this.#head()) {
      const now = this.#kit.ports.clock.monoMs();
      const dueMs = this.#dueAtMs(head, now);
      if (now < dueMs || now >= untilMs) {
        this.#arm(Math.max(now, dueMs));
        break;
      }
      ran = true;
      this.#queue.shift();
      const outcome = this.#execute(head);
      if (outcome instanceof Promise) {
        const command = head;
        this.#running = outcome.then((result) => {
          this.#running = null;
          this.#done(command, dueMs, result);
          this.kick();
        });
        break;
      }
      this.#done(head, dueMs, outcome);
    }
    if (ran && !this.#stopped) this.#kit.ports.store.markExecuted(this.#executedSeq);
  }

  #head(): Command | null {
    if (this.#suspended > 0) return null;
    while (this.#queue[0] !== undefined && this.#queue[0].seq <= this.#executedSeq) this.#queue.shift();
    if (this.#queue.length === 0 && this.#executedSeq < this.#deps.logEndSeq()) {
      this.#queue = [...this.#kit.ports.store.commandsAfter(this.#executedSeq, PAGE, PAGE_BYTES).commands];
    }
    const head = this.#queue[0];
    return head !== undefined && this.#kit.rules.isNextToExecute(this.#executedSeq, head.seq) ? head : null;
  }

  #allowed(command: Command): boolean {
    return command.seq <= this.#confirmedSeq || (this.#deps.role() === "leader" && this.#deps.mayAct());
  }

  #execute(command: Command): ExecuteOutcome | Promise<ExecuteOutcome> {
    const failed = (error: unknown): ExecuteOutcome => ({
      ok: false,
      error: error instanceof Error ? error.message : String(error),
    });
    try {
      const outcome = this.#kit.ports.engine.execute(command);
      return outcome instanceof Promise ? outcome.catch(failed) : outcome;
    } catch (error) {
      return failed(error);
    }
  }

  #done(command: Command, dueMs: number, outcome: ExecuteOutcome): void {
    const { counters, alarms, options } = this.#kit;
    const atMonoMs = this.#kit.ports.clock.monoMs();
    const lateMs = Math.max(0, atMonoMs - dueMs);
    this.#executedSeq = command.seq;
    counters.commandsExecuted += 1;
    const error = outcome.ok ? null : outcome.error;
    if (error !== null) {
      counters.commandsFailed += 1;
      this.lastError = error;
    }
    if (this.#dueMs.delete(command.seq)) {
      if (lateMs > options.commands.lateAlarmMs) {
        alarms.raise("commands-late", `a command was executed ${Math.round(lateMs)} ms after its instant`);
      } else alarms.clear("commands-late");
    }
    this.#kit.emit({ type: "executed", command, error, lateMs, atMonoMs });
    this.#settleWaiting();
    if (!outcome.ok && outcome.gaveUp === true) this.#deps.onGaveUp?.(command.seq, outcome.error);
    if (command.seq - this.#lastCheckpointSeq >= options.commands.checkpointEvery) void this.checkpoint();
  }

  /**
   * After a call for the state that got no answer: commands that have waited are executed, for as long as they had to.
   * False: there is nothing to wait for any more.
   */
  catchBreath({ withinMs }: NoAnswer): Promise<boolean> {
    return this.#pauses.wait(withinMs);
  }

  /** Stores the engine's state, from which a restart goes on. */
  async checkpoint(calls = 1): Promise<void> {
    const { store, engine, logger, clock } = this.#kit.ports;
    const lastSeq = this.#lastCheckpointSeq;
    let unanswered: NoAnswer | null = null;
    if (this.#executedSeq === this.#lastCheckpointSeq || this.#deps.trusted?.() === false) return;
    const release = await this.hold();
    const seq = this.#executedSeq;
    const resets = this.#resets;
    this.#lastCheckpointSeq = seq;
    let state: StateDraft | null = null;
    try {
      const draft = (state = store.draftState());
      await inTurns(clock, jsonPieces(await engine.snapshot()), (piece) => draft.add(piece));
      if (resets !== this.#resets || this.#deps.trusted?.() === false) return;
      const epoch = epochAt(store.logShape(), seq) ?? 0;
      store.saveCheckpoint({ position: { epoch, seq }, state });
      store.compact(this.#compactThroughSeq(seq), clock.unixMs() - KEYS_KEPT_MS);
    } catch (error) {
      if (error instanceof NoAnswer && calls < MOST_STATE_CALLS) unanswered = error;
      else logger.warn({ err: error, seq }, "checkpoint not stored");
    } finally {
      state?.discard();
      release();
    }
    if (unanswered === null || !(await this.catchBreath(unanswered)) || resets !== this.#resets) return;
    this.#lastCheckpointSeq = lastSeq;
    await this.checkpoint(calls + 1);
  }

  /** What the peer may not hold is kept: after a partition it becomes a conflict, which nobody else could tell [SB3]. */
  #compactThroughSeq(seq: number): number {
    const beyondKeep = seq - this.#kit.options.commands.keep;
    this.#noteShared();
    return Math.max(Math.min(beyondKeep, this.#sharedSeq), beyondKeep - MOST_UNSHARED);
  }

  #noteShared(): void {
    this.#sharedSeq = Math.max(this.#sharedSeq, this.#deps.peerThroughSeq());
  }

  #settleWaiting(): void {
    const reached = this.#waiting.filter((waiter) => waiter.seq <= this.#executedSeq);
    if (reached.length === 0) return;
    this.#waiting = this.#waiting.filter((waiter) => waiter.seq > this.#executedSeq);
    for (const waiter of reached) waiter.resolve();
  }

  #arm(dueMs: number): void {
    this.#disarm();
    this.#timer = this.#kit.ports.clock.callAt(() => {
      this.#timer = null;
      this.kick();
    }, dueMs);
  }

  #disarm(): void {
    if (this.#timer !== null) this.#kit.ports.clock.clearTimeout(this.#timer);
    this.#timer = null;
  }
}

/** How long an idempotency key is remembered at least, ms. */
const KEYS_KEPT_MS = 600_000;
