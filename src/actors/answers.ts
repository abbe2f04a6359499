/**
 * Who waits to be told how far a command is safe, and when they are told.
 * Keeps true: `pair` is said only for what the follower holds durably; an engine that may no longer act confirms
 * nothing, and calls the fate of what it has stored unknown, never refused [HO6]; what clients have been told is known
 * as one position [CP4].
 */
import type { Command, Durability, LogPosition } from "../core/command.ts";
import type { CommandInput, SubmitOutcome } from "../core/outcomes.ts";
import type { TimerHandle } from "../ports/basics.ts";
import type { Kit } from "./kit.ts";

/** One caller. */
export interface Waiting {
  readonly input: CommandInput;
  readonly ack: Durability;
  readonly settle: (outcome: SubmitOutcome) => void;
}

interface Unanswered {
  readonly command: Command;
  readonly waiting: Waiting[];
  readonly sinceMs: number;
}

export interface AnswersDeps {
  mayAct(): boolean;
  highestEpoch(): number;
  /** Whether the peer can be expected to answer for a command. */
  peerFollows(): boolean;
  /** Callers have been answered a little further. */
  onAnswered?(): void;
}

export class Answers {
  readonly #kit: Kit;
  readonly #deps: AnswersDeps;
  #unanswered: Unanswered[] = [];
  #acknowledged: LogPosition = { epoch: 0, seq: 0 };
  #timer: TimerHandle | null = null;
  /** The peer has let one time-out pass: it is not waited for until it is in time again. */
  #peerLags = false;
  /** While the peer lags: once it says within a time-out that it holds this one, it is in time. */
  #trial: { readonly seq: number; readonly sinceMs: number } | null = null;
  #peerThroughSeq = 0;
  #draining: (() => void)[] = [];

  constructor(kit: Kit, deps: AnswersDeps) {
    this.#kit = kit;
    this.#deps = deps;
  }

  /** Through here clients have been told, in this life of the engine, that their commands stand. */
  get acknowledged(): LogPosition {
    return this.#acknowledged;
  }

  /** Through here the peer has said to hold everything. */
  get peerThroughSeq(): number {
    return this.#peerThroughSeq;
  }

  get count(): number {
    return this.#unanswered.length;
  }

  /** A new leadership: nothing is known of what the peer holds. */
  beginLeading(position: LogPosition): void {
    this.#acknowledged = position;
    this.#peerThroughSeq = 0;
    this.#peerLags = false;
    this.#trial = null;
  }

  await(command: Command, waiting: Waiting[]): void {
    this.#unanswered.push({ command, waiting, sinceMs: this.#kit.nowMs() });
  }

  /** Joins a caller to those who wait for `seq`; false: nobody waits for it. */
  join(seq: number, caller: Waiting): boolean {
    const found = this.#unanswered.find((one) => one.command.seq === seq);
    found?.waiting.push(caller);
    return found !== undefined;
  }

  /** Tells those who need not wait for the peer, and bounds the patience of the rest. */
  tellTheHasty(): void {
    const last = this.#unanswered.at(-1);
    if (this.#peerLags && last !== undefined) this.#trial ??= { seq: last.command.seq, sinceMs: last.sinceMs };
    if (!this.#deps.peerFollows() || this.#peerLags) return this.peerGone();
    for (const one of this.#unanswered) {
      const hasty = one.waiting.filter((caller) => caller.ack === "local");
      for (const caller of hasty) one.waiting.splice(one.waiting.indexOf(caller), 1);
      tell(hasty, one.command, "local");
    }
    this.#arm();
  }

  /** The peer holds everything through `seq` durably; `end` is the end of the log. */
  peerHolds(seq: number, end: LogPosition): void {
    this.#peerThroughSeq = Math.max(this.#peerThroughSeq, seq);
    this.#peerLags &&= this.#peerThroughSeq < end.seq && !this.#passedTrial();
    const held = this.#take((one) => this.#kit.rules.heldByPair(this.#peerThroughSeq, one.command.seq));
    for (const one of held) this.#answer(one, "pair");
    this.#acknowledge({ epoch: end.epoch, seq: Math.min(this.#peerThroughSeq, end.seq) });
  }

  /** Under a steady load a peer never holds the very last command: that it holds one in time is enough. */
  #passedTrial(): boolean {
    if (this.#trial === null || this.#peerThroughSeq < this.#trial.seq) return false;
    const tookMs = this.#kit.nowMs() - this.#trial.sinceMs;
    this.#trial = null;
    return tookMs < this.#kit.options.commands.ackTimeoutMs;
  }

  /** Nobody will answer for the peer: what waits is answered as `local`. */
  peerGone(): void {
    for (const one of this.#unanswered.splice(0)) this.#answer(one, "local");
  }

  /** Resolves once everyone has been answered; bounded by `ackTimeoutMs`. */
  drained(): Promise<void> {
    if (this.#unanswered.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#draining.push(resolve));
  }

  /** The leadership ended: nobody who waits can be told that a command stands, nor that it does not. */
  leadershipEnded(): void {
    for (const one of this.#unanswered.splice(0)) this.#endWithout(one);
    this.#settleDraining();
    if (this.#timer !== null) this.#kit.ports.clock.clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** Refuses commands that were never stored. */
  fence(callers: readonly Waiting[]): void {
    this.#kit.counters.commandsFenced += callers.length;
    for (const caller of callers) caller.settle({ outcome: "fenced", epoch: this.#deps.highestEpoch() });
  }

  /** Answers callers whose command is stored, but may not stand once the next leader has compared logs. */
  #endWithout({ command: { epoch, seq }, waiting }: Unanswered): void {
    if (this.#kit.rules.isRefusal(true)) return this.fence(waiting);
    this.#kit.counters.commandsUnknown += waiting.length;
    for (const caller of waiting) caller.settle({ outcome: "outcome-unknown", epoch, seq });
  }

  #arm(): void {
    const oldest = this.#unanswered[0];
    if (oldest === undefined || this.#timer !== null) return;
    const dueMs = oldest.sinceMs + this.#kit.options.commands.ackTimeoutMs;
    this.#timer = this.#kit.ports.clock.setTimeout(() => this.#timedOut(), Math.max(0, dueMs - this.#kit.nowMs()));
  }

  #timedOut(): void {
    this.#timer = null;
    const dueMs = this.#kit.nowMs() - this.#kit.options.commands.ackTimeoutMs;
    const overdue = this.#take((one) => one.sinceMs <= dueMs);
    this.#peerLags ||= overdue.length > 0;
    for (const one of overdue) this.#answer(one, "local");
    this.#arm();
  }

  /** Takes from the front for as long as `due` says so. */
  #take(due: (one: Unanswered) => boolean): Unanswered[] {
    const end = this.#unanswered.findIndex((one) => !due(one));
    return this.#unanswered.splice(0, end === -1 ? this.#unanswered.length : end);
  }

  #answer(one: Unanswered, durability: Durability): void {
    if (this.#deps.mayAct()) {
      this.#acknowledge({ epoch: one.command.epoch, seq: one.command.seq });
      tell(one.waiting, one.command, durability);
    } else this.#endWithout(one);
    if (this.#unanswered.length === 0) this.#settleDraining();
  }

  #acknowledge(position: LogPosition): void {
    if (position.seq <= this.#acknowledged.seq) return;
    this.#acknowledged = position;
    this.#deps.onAnswered?.();
  }

  #settleDraining(): void {
    for (const resolve of this.#draining.splice(0)) resolve();
  }
}

function tell(callers: readonly Waiting[], command: Command, durability: Durability): void {
  const { seq, epoch, executeAtUs } = command;
  for (const caller of callers) caller.settle({ outcome: "accepted", seq, epoch, executeAtUs, durability });
}
