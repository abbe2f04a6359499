/**
 * Purpose: the one log: commands accepted as leader, or appended as follower.
 * Keeps true: what is answered `pair` is durable on both engines; a batch is one transaction (group commit) and one turn
 * of the loop; an idempotency key is one command; when the leadership ends, what is queued is refused and the fate of what
 * is stored is called unknown [HO6].
 */
import type { Command, Durability, KeyedAnswer, LogPosition } from "../core/command.ts";
import type { CommandInput, SubmitOutcome } from "../core/outcomes.ts";
import { extendClock, highestOwn, identityText } from "../core/log-rules.ts";
import { advanceClock, type VectorClock } from "../core/vector-clock.ts";
import type { StoredState } from "../ports/store.ts";
import { raiseStoreAlarm } from "./alarms.ts";
import { Answers, type AnswersDeps, type Waiting } from "./answers.ts";
import type { Kit } from "./kit.ts";

export interface CommandLogDeps extends AnswersDeps {
  /** The epoch that this engine leads in. */
  epoch(): number;
  programmeTimeUs(): number;
  /** Extra lead time for clocks that jitter, ms. */
  jitterMs(): number;
  /** A batch could not be stored: another engine should lead [EN7]. */
  onStoreFailed(): void;
  /** Commands were appended by this leader: they go to the peer and to execution. */
  onAccepted(prev: LogPosition, commands: readonly Command[]): void;
}

/** Commands of one transaction at most: what a turn of the loop takes. */
const MAX_BATCH = 256;
/** How far ahead a caller may schedule, ms: commands are executed in order, so one far ahead would hold up the rest. */
const MAX_AHEAD_MS = 10_000;

export class CommandLog {
  readonly #kit: Kit;
  readonly #deps: CommandLogDeps;
  #position: LogPosition = { epoch: 0, seq: 0 };
  /** The commands of each origin that the log holds [SB6]. */
  #clock: VectorClock = {};
  /** The highest number that a command of this engine ever had; the next one is above it. */
  #highestOwnSeq = 0;
  #lastExecuteAtUs = 0;
  #queue: Waiting[] = [];
  #committing = false;
  readonly #queuedKeys = new Map<string, Waiting[]>();
  readonly #answers: Answers;

  constructor(kit: Kit, deps: CommandLogDeps) {
    this.#kit = kit;
    this.#deps = deps;
    this.#answers = new Answers(kit, deps);
  }

  /** At the start, and whenever the store's log or conflicts have changed by another way than this one. */
  restore(stored: Pick<StoredState, "log" | "clock" | "highestOwnSeq" | "hlc">): void {
    this.#position = stored.log;
    this.#clock = stored.clock;
    this.#highestOwnSeq = stored.highestOwnSeq;
    this.#kit.stamps.learn(stored.hlc);
  }

  get position(): LogPosition {
    return this.#position;
  }

  get acknowledged(): LogPosition {
    return this.#answers.acknowledged;
  }

  get clock(): VectorClock {
    return this.#clock;
  }

  get hlc(): string {
    return this.#kit.stamps.last;
  }

  /** Through here the peer has said to hold everything. */
  get peerThroughSeq(): number {
    return this.#answers.peerThroughSeq;
  }

  get pending(): number {
    return this.#queue.length + this.#answers.count;
  }

  /** Accepts one command, or says why not. The caller has checked who leads. */
  submit(input: CommandInput): Promise<SubmitOutcome> {
    const ack = input.ack ?? this.#kit.options.commands.ack;
    const known = this.#repeated(input, ack);
    if (known !== null) return known;
    const refusal = this.#refusal(input);
    if (refusal !== null) return Promise.resolve(refusal);
    return new Promise((settle) => {
      const waiting = { input, ack, settle };
      this.#queue.push(waiting);
      if (input.idempotencyKey !== undefined) this.#queuedKeys.set(input.idempotencyKey, [waiting]);
      this.#commitSoon();
    });
  }

  /** Appends what the leader sent after `prev`. `gap`: it does not fit the end of the log. */
  append(prev: LogPosition, commands: readonly Command[]): "appended" | "nothing-new" | "gap" {
    const fresh = commands.filter((command) => command.seq > this.#position.seq);
    const first = fresh[0];
    if (first === undefined) return commands.length > 0 || prev.seq <= this.#position.seq ? "nothing-new" : "gap";
    const fits =
      first.seq === this.#position.seq + 1 && (prev.seq < this.#position.seq || prev.epoch === this.#position.epoch);
    if (!fits) return "gap";
    this.#kit.ports.store.append(fresh);
    this.#advance(fresh);
    return "appended";
  }

  /** The peer holds everything through `seq` durably. */
  peerHolds(seq: number): void {
    this.#answers.peerHolds(seq, this.#position);
  }

  /** Nobody will answer for the peer. */
  peerGone(): void {
    this.#answers.peerGone();
  }

  /** Resolves once every command that was queued has been answered; bounded by `ackTimeoutMs`. */
  async drained(): Promise<void> {
    this.#commitNext();
    while (this.#queue.length > 0) await new Promise<void>((resolve) => this.#kit.ports.clock.soon(resolve));
    return this.#answers.drained();
  }

  beginLeading(): void {
    this.#answers.beginLeading(this.#position);
  }

  /**
   * What became of the command with this key, on an engine that accepts none now; null: the key is not known here.
   * `standing`: as what this log's commands count; null: the log may still lose its end [HO6].
   */
  recall(input: CommandInput, standing: Durability | null): SubmitOutcome | null {
    const { idempotencyKey: key } = input;
    const known = key === undefined ? null : this.#kit.ports.store.findKey(key);
    if (known === null || this.#kit.rules.isRefusal(true)) return null;
    const { seq, epoch, executeAtUs } = known;
    if (!this.#isSame(input, this.#knownDigest(known))) {
      return standing === null ? null : { outcome: "idempotency-conflict", epoch, seq };
    }
    if (standing === null) return { outcome: "outcome-unknown", epoch, seq };
    return { outcome: "accepted", seq, epoch, executeAtUs, durability: standing };
  }

  /** The leadership ended: see `Answers`. */
  stopLeading(): void {
    this.#fence(this.#queue.splice(0));
    this.#queuedKeys.clear();
    this.#answers.leadershipEnded();
  }

  stop(): void {
    this.stopLeading();
  }

  #refusal(input: CommandInput): SubmitOutcome | null {
    const { maxPending } = this.#kit.options.commands;
    if (this.pending >= maxPending) {
      return { outcome: "busy", detail: `${this.pending} commands wait to be answered, at most ${maxPending} may` };
    }
    const aheadMs = ((input.executeAtUs ?? 0) - this.#deps.programmeTimeUs()) / 1_000;
    if (aheadMs > MAX_AHEAD_MS) {
      const detail = `executeAtUs is ${Math.round(aheadMs)} ms ahead, at most ${MAX_AHEAD_MS} ms are accepted`;
      return { outcome: "invalid-command", detail };
    }
    try {
      const why = this.#kit.ports.engine.validate(input.kind, input.payload);
      return why === null ? null : { outcome: "invalid-command", detail: why };
    } catch (error) {
      return { outcome: "engine-not-ready", detail: error instanceof Error ? error.message : String(error) };
    }
  }

  /** A key that is known gets the answer of its first command, which is waited for if it is still under way. */
  #repeated(input: CommandInput, ack: Durability): Promise<SubmitOutcome> | null {
    const key = input.idempotencyKey;
    if (key === undefined) return null;
    const queued = this.#queuedKeys.get(key);
    const [first] = queued ?? [];
    if (first !== undefined && !this.#isSame(input, this.#digestOf(first.input))) return conflictOver(null);
    if (queued !== undefined) return new Promise((settle) => queued.push({ input, ack, settle }));
    const known = this.#kit.ports.store.findKey(key);
    if (known === null) return null;
    if (!this.#isSame(input, this.#knownDigest(known))) return conflictOver(known);
    const { seq, epoch, executeAtUs } = known;
    const durability = seq <= this.#answers.peerThroughSeq ? "pair" : "local";
    return new Promise((settle) => {
      if (this.#answers.join(seq, { input, ack, settle })) return;
      settle({ outcome: "accepted", seq, epoch, executeAtUs, durability });
    });
  }

  /** `known`: null when nothing is known of the first command's content. */
  #isSame(input: CommandInput, known: string | null): boolean {
    return known === null || this.#kit.rules.isSameCommand(this.#digestOf(input), known);
  }

  #digestOf(command: Pick<Command, "kind" | "payload">): string {
    return this.#kit.ports.digest.sha256Of(identityText(command));
  }

  /** Keys of older versions have no digest: it is taken from the command, for as long as that is held. */
  #knownDigest({ key, seq, digest }: KeyedAnswer): string | null {
    if (digest !== null) return digest;
    const [command] = this.#kit.ports.store.commandsAfter(seq - 1, 1).commands;
    return command?.idempotencyKey === key ? this.#digestOf(command) : null;
  }

  /** One batch in each turn of the loop, so that a burst holds up no heartbeat. */
  #commitSoon(): void {
    if (this.#committing) return;
    this.#committing = true;
    this.#kit.ports.clock.soon(() => {
      this.#committing = false;
      this.#commitNext();
      if (this.#queue.length > 0) this.#commitSoon();
    });
  }

  #commitNext(): void {
    const batch = this.#queue.splice(0, MAX_BATCH);
    if (batch.length === 0) return;
    if (this.#deps.mayAct()) this.#commit(batch);
    else this.#fence(batch);
    for (const { input } of batch)
      if (input.idempotencyKey !== undefined) this.#queuedKeys.delete(input.idempotencyKey);
  }

  #commit(batch: readonly Waiting[]): void {
    const prev = this.#position;
    const commands = this.#toCommands(batch);
    try {
      this.#kit.ports.store.append(commands);
    } catch (error) {
      this.#kit.ports.logger.error({ err: error }, "commands not stored");
      raiseStoreAlarm(this.#kit.alarms, error, "commands could not be stored");
      const detail = error instanceof Error ? error.message : String(error);
      for (const one of this.#withRepeats(batch)) one.settle({ outcome: "store-failed", detail });
      this.#deps.onStoreFailed();
      return;
    }
    this.#kit.alarms.clear("store-failed");
    this.#advance(commands);
    this.#kit.counters.commandsAccepted += commands.length;
    commands.forEach((command, index) => {
      const waiting = this.#withRepeats(batch.slice(index, index + 1));
      this.#answers.await(command, waiting);
      this.#kit.emit({ type: "command", command });
    });
    this.#deps.onAccepted(prev, commands);
    this.#answers.tellTheHasty();
  }

  #toCommands(batch: readonly Waiting[]): Command[] {
    const { self, options, stamps } = this.#kit;
    const epoch = this.#deps.epoch();
    const leadMs = options.commands.leadTimeMs + Math.min(this.#deps.jitterMs(), options.commands.leadTimeMs);
    const earliestUs = this.#deps.programmeTimeUs() + Math.round(leadMs * 1_000);
    let { seq } = this.#position;
    let originSeq = this.#highestOwnSeq;
    let clock = this.#clock;
    return batch.map(({ input }) => {
      seq += 1;
      originSeq += 1;
      clock = advanceClock(clock, self.engineId, originSeq);
      this.#lastExecuteAtUs = this.#inOrder(input.executeAtUs ?? earliestUs, earliestUs);
      return {
        seq,
        epoch,
        hlc: stamps.next(),
        executeAtUs: this.#lastExecuteAtUs,
        kind: input.kind,
        payload: input.payload,
        origin: self.engineId,
        originSeq,
        idempotencyKey: input.idempotencyKey ?? null,
        clock,
      };
    });
  }

  /** Instants rise with the log, unless the last one was set by a clock far ahead of this one. */
  #inOrder(executeAtUs: number, earliestUs: number): number {
    const bounded = this.#lastExecuteAtUs <= earliestUs + MAX_AHEAD_MS * 1_000 ? this.#lastExecuteAtUs : 0;
    return Math.max(Math.round(executeAtUs), bounded);
  }

  #fence(waiting: readonly Waiting[]): void {
    this.#answers.fence(this.#withRepeats(waiting));
  }

  /** Those who wait, and those who repeated their keys meanwhile. */
  #withRepeats(waiting: readonly Waiting[]): Waiting[] {
    return waiting.flatMap((one) => {
      const repeats =
        one.input.idempotencyKey === undefined ? undefined : this.#queuedKeys.get(one.input.idempotencyKey);
      return repeats?.[0] === one ? repeats : [one];
    });
  }

  #advance(commands: readonly Command[]): void {
    for (const command of commands) {
      if (command.origin !== this.#kit.self.engineId) this.#kit.stamps.take(command.hlc);
    }
    const last = commands.at(-1);
    if (last === undefined) return;
    this.#clock = extendClock(this.#clock, commands);
    this.#highestOwnSeq = highestOwn(this.#highestOwnSeq, this.#kit.self.engineId, commands);
    this.#position = { epoch: last.epoch, seq: last.seq };
    this.#lastExecuteAtUs = last.executeAtUs;
  }
}

function conflictOver(known: KeyedAnswer | null): Promise<SubmitOutcome> {
  return Promise.resolve({
    outcome: "idempotency-conflict",
    epoch: known?.epoch ?? null,
    seq: known?.seq ?? null,
  });
}
