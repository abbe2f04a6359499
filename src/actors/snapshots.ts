/**
 * Purpose: the engine's state taken and put in place, together with the log position that belongs to it.
 * Keeps true: a snapshot is one moment; an installation is whole or does not happen [SB4]; its checksum is checked first.
 */
import { PROGRAMME } from "../core/control-event.ts";
import { ChangeoverError } from "../core/errors.ts";
import { cutShape, epochAt } from "../core/fork.ts";
import type { Json } from "../core/canonical-json.ts";
import type { Command } from "../core/command.ts";
import type { CommandEvent, SnapshotTransfer, StateSnapshot } from "../core/messages.ts";
import { extendClock, rebaseFirstHeld } from "../core/log-rules.ts";
import { counterOf, type VectorClock } from "../core/vector-clock.ts";
import type { StateDraft } from "../ports/store.ts";
import { isOfDisk } from "./alarms.ts";
import { checksumOf, inTurns, sameState } from "./checksum.ts";
import { commandConflicts } from "./conflict-book.ts";
import type { CommandLog } from "./command-log.ts";
import type { EpochBook } from "./epoch-book.ts";
import { NoAnswer } from "./engine-guard.ts";
import { MOST_STATE_CALLS, type Executor } from "./executor.ts";
import type { Kit } from "./kit.ts";

export interface SnapshotDeps {
  readonly book: EpochBook;
  readonly log: CommandLog;
  readonly executor: Executor;
  leads(): boolean;
  /** Whether the engine's state is the pair's [EN11]. */
  trusted(): boolean;
  /** A state was put in place; `same`: the engine gives it back unchanged. */
  onInstalled(same: boolean): void;
  /** The engine did not answer to a restore: nobody knows which state it has [EN11]. */
  onUnknown(why: string): void;
}

/** Commands, keys and conflicts that may come along with a snapshot, at most. */
const MAX_COMMANDS = 20_000;
const MAX_EVENT_BYTES = 16 * 1_048_576;
export const KEYS_CARRIED = 10_000;
const CONFLICTS_CARRIED = 1_000;

/** A snapshot that is what its checksum says. */
export interface Verified {
  readonly snapshot: StateSnapshot;
  /** The text of its state, as it was hashed. */
  readonly stateText: readonly string[];
}

export type InstallResult =
  | { readonly outcome: "installed"; readonly checksum: string }
  /** It was no longer to be put in place when all was ready for it. */
  | { readonly outcome: "overtaken" }
  /** The engine does not take it for a state of its own. */
  | { readonly outcome: "refused"; readonly detail: string }
  /** `disk`: it refuses writes, for now. `store`: what came does not fit what is held. */
  | { readonly outcome: "failed"; readonly by: "engine" | "store" | "disk"; readonly detail: string };

export class Snapshots {
  readonly #kit: Kit;
  readonly #deps: SnapshotDeps;

  constructor(kit: Kit, deps: SnapshotDeps) {
    this.#kit = kit;
    this.#deps = deps;
  }

  /**
   * The state at one moment. Rejects when the engine cannot give it. A call without an answer is made again: in between
   * the commands that have waited are executed, for as long as they had to wait.
   */
  async take(): Promise<Verified> {
    return untilAnswered(
      () => this.#takeOnce(),
      (lost) => this.#deps.executor.catchBreath(lost),
    );
  }

  async #takeOnce(): Promise<Verified> {
    const { log, executor, book } = this.#deps;
    const release = await executor.hold();
    let moment: Omit<StateSnapshot, "version" | "engineLabel" | "engineId" | "checksum">;
    try {
      const state = await this.#kit.ports.engine.snapshot();
      if (!this.#deps.trusted()) {
        throw new ChangeoverError("engine_not_ready", "the engine is being restored", { retryable: true });
      }
      moment = {
        epoch: book.accepted,
        clock: log.clock,
        hlc: log.hlc,
        lastCommandSeq: log.position.seq,
        lastExecutedSeq: executor.executedSeq,
        state,
      };
    } finally {
      release();
    }
    const { engineId } = this.#kit.self;
    const stateText: string[] = [];
    const checksum = await checksumOf(this.#kit.ports, moment, (piece) => stateText.push(piece));
    const snapshot = { version: 1, engineLabel: this.#kit.options.label, engineId, ...moment, checksum } as const;
    return { snapshot, stateText };
  }

  /** The state and all that a follower needs to go on from it, when both logs agree through `forkSeq`. */
  async takeTransfer(forkSeq: number): Promise<SnapshotTransfer> {
    return this.transferOf((await this.take()).snapshot, forkSeq);
  }

  /** `snapshot`, just taken, and what belongs to it. */
  transferOf(snapshot: StateSnapshot, forkSeq: number): SnapshotTransfer {
    const { store } = this.#kit.ports;
    const { lastCommandSeq, lastExecutedSeq } = snapshot;
    const whole = store.firstHeldSeq() <= forkSeq + 1 && lastCommandSeq - forkSeq <= MAX_COMMANDS;
    const keepThroughSeq = whole ? Math.min(forkSeq, lastCommandSeq) : 0;
    const afterSeq = whole ? keepThroughSeq : lastExecutedSeq;
    return {
      snapshot,
      keepThroughSeq,
      commands: store.commandsAfter(afterSeq, MAX_COMMANDS).commands.filter(({ seq }) => seq <= lastCommandSeq),
      // Oldest first: kept in this order, they are listed there as here.
      conflicts: commandConflicts(store, CONFLICTS_CARRIED).toReversed(),
      keys: store.recentKeys(KEYS_CARRIED),
      shape: cutShape(store.logShape(), lastCommandSeq),
      baseClock: store.clockThrough(afterSeq),
      outbox: whole ? [] : this.#unpublished(lastExecutedSeq),
    };
  }

  /** Whether a snapshot is what its checksum says; what is wrong with it when it is not. */
  async verify(snapshot: StateSnapshot): Promise<Verified | string> {
    const stateText: string[] = [];
    try {
      const checksum = await checksumOf(this.#kit.ports, snapshot, (piece) => stateText.push(piece));
      if (checksum === snapshot.checksum) return { snapshot, stateText };
      return `its checksum is ${checksum}, it says ${snapshot.checksum}`;
    } catch (error) {
      return `it cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  /**
   * Replaces log end and state by the sender's. Nothing has changed unless the answer is `installed`. `transferNow` is
   * asked in the very step of the replacement, for the world may have changed while the engine was waited for: our
   * log may have grown; null: it may not be done any more. `whole`: nothing of our log is kept, whatever it shares
   * with the sender's. `isLeaders`: the sender is the leader, which has in its log what it sends; a caller's snapshot says
   * nothing about what the peer has.
   */
  async install(
    { snapshot, stateText }: Verified,
    lockFence: number,
    transferNow: () => Omit<SnapshotTransfer, "snapshot"> | null,
    { whole = false, isLeaders = true }: { readonly whole?: boolean; readonly isLeaders?: boolean } = {},
  ): Promise<InstallResult> {
    const { store, clock } = this.#kit.ports;
    const release = await this.#deps.executor.hold();
    let draft: StateDraft | null = null;
    let by: "engine" | "store" = "store";
    try {
      const state = (draft = store.draftState());
      await inTurns(clock, stateText, (piece) => state.add(piece));
      by = "engine";
      const replaced = await this.#replace(snapshot, () => {
        by = "store";
        const transfer = transferNow();
        if (transfer !== null) this.#adopt(keeping({ ...transfer, snapshot }, whole), { state, lockFence, isLeaders });
        return transfer !== null;
      });
      if (!replaced) return { outcome: "overtaken" };
      this.#kit.counters.snapshotsApplied += 1;
      const checksum = await this.#checksumNow(snapshot);
      this.#deps.onInstalled(checksum === snapshot.checksum);
      return { outcome: "installed", checksum };
    } catch (error) {
      this.#kit.ports.logger.error({ err: error }, "snapshot not installed");
      const isRefused = error instanceof ChangeoverError && error.code === "invalid_value";
      const detail = error instanceof Error ? error.message : String(error);
      if (isRefused) return { outcome: "refused", detail };
      return { outcome: "failed", by: by === "store" && isOfDisk(error) ? "disk" : by, detail };
    } finally {
      draft?.discard();
      release();
    }
  }

  /** The engine first: it may refuse the state, and then the log must still be the one that belongs to its own [SB4]. */
  async #replace(snapshot: StateSnapshot, adopt: () => boolean): Promise<boolean> {
    const before = await this.#stateNow();
    await this.#restore(snapshot.state);
    let adopted = false;
    try {
      adopted = adopt();
    } finally {
      if (!adopted) await this.#restore(before);
    }
    return adopted;
  }

  /** The state while nothing is executed. What waits meanwhile waits for this, so a lost call is made again at once. */
  #stateNow(): Promise<Json> {
    return untilAnswered(
      () => this.#kit.ports.engine.snapshot(),
      () => true,
    );
  }

  async #restore(state: Json): Promise<void> {
    try {
      await this.#kit.ports.engine.restore(state);
    } catch (error) {
      if (error instanceof NoAnswer) this.#deps.onUnknown(error.message);
      throw error;
    }
  }

  #adopt(
    transfer: SnapshotTransfer,
    { state, lockFence, isLeaders }: { state: StateDraft; lockFence: number; isLeaders: boolean },
  ): void {
    const { snapshot, shape, keepThroughSeq } = transfer;
    const { stamps } = this.#kit;
    const { store } = this.#kit.ports;
    const { log, executor } = this.#deps;
    const seq = snapshot.lastExecutedSeq;
    const position = { epoch: epochAt(shape, seq) ?? 0, seq };
    const base =
      keepThroughSeq === 0 && transfer.commands[0]?.seq !== 1 ? { shape: cutShape(shape, seq), position } : null;
    const heldFromSeq = rebaseFirstHeld(store.firstHeldSeq(), keepThroughSeq, base);
    if (seq + 1 < heldFromSeq) {
      const detail = `the snapshot ends at command ${seq}, commands are held from ${heldFromSeq} on; take a newer one`;
      throw new ChangeoverError("invalid_value", detail);
    }
    store.adopt({
      keepThroughSeq,
      commands: transfer.commands,
      base,
      checkpoint: { position, state },
      keys: transfer.keys,
      conflicts: transfer.conflicts,
      outbox: transfer.outbox,
      baseClock: transfer.baseClock ?? clockBelow(snapshot.clock, transfer.commands),
      hlc: stamps.admits(snapshot.hlc) ? snapshot.hlc : stamps.last,
      acceptedEpoch: snapshot.epoch,
      lockFence,
    });
    // What the leader had confirmed of the kept log stays confirmed: it is only executed again.
    const confirmedSeq = Math.max(snapshot.lastCommandSeq, Math.min(executor.confirmedSeq, keepThroughSeq));
    const doneSeq = Math.max(executor.executedSeq, executor.confirmedSeq);
    log.restore(store.positions());
    executor.resetTo(seq);
    // A leader executes only by its vote what it had not executed yet [VT5], a follower only what a leader has confirmed.
    if (!isLeaders || this.#deps.leads()) executor.goOnThrough(Math.min(doneSeq, log.position.seq));
    else executor.confirm(Math.min(confirmedSeq, log.position.seq));
  }

  /** Events of commands that the receiver never gets, so that it can publish them when it leads. */
  #unpublished(throughVersion: number): readonly CommandEvent[] {
    const { outbox } = this.#kit.ports.store.replica;
    const bounds = { limit: MAX_COMMANDS, maxBytes: MAX_EVENT_BYTES, throughVersion };
    return outbox.waiting(PROGRAMME, bounds).map(({ event }) => event);
  }

  /** Of what the engine holds after the restore, not of what was sent [SB5]; the same state has the same checksum. */
  async #checksumNow({ epoch, lastCommandSeq, state, checksum }: StateSnapshot): Promise<string> {
    const { ports } = this.#kit;
    const held = await this.#stateNow();
    if (await sameState(ports.clock, held, state)) return checksum;
    return checksumOf(ports, { epoch, lastCommandSeq, state: held });
  }
}

/** `transfer`, or the same on a log that begins with the state that it carries. */
function keeping(transfer: SnapshotTransfer, whole: boolean): SnapshotTransfer {
  if (!whole) return transfer;
  const { commands, snapshot, baseClock = clockBelow(snapshot.clock, commands) } = transfer;
  const below = commands.filter(({ seq }) => seq <= snapshot.lastExecutedSeq);
  return {
    ...transfer,
    keepThroughSeq: 0,
    commands: commands.slice(below.length),
    baseClock: extendClock(baseClock, below),
  };
}

/** The sender's clock below its commands, where it does not say: an older version. */
function clockBelow(clock: VectorClock, commands: readonly Command[]): VectorClock {
  const below: Record<string, number> = { ...clock };
  for (const { origin, originSeq } of commands) below[origin] = Math.min(counterOf(below, origin), originSeq - 1);
  return Object.fromEntries(Object.entries(below).filter(([, seq]) => seq > 0));
}

/** Makes a call again that got no answer, so many times at most. `goesOn`: false where there is nothing to wait for any more. */
async function untilAnswered<Answer>(
  call: () => Promise<Answer> | Answer,
  goesOn: (lost: NoAnswer) => Promise<boolean> | boolean,
): Promise<Answer> {
  for (let calls = 1; ; calls += 1) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof NoAnswer) || calls >= MOST_STATE_CALLS || !(await goesOn(error))) throw error;
    }
  }
}
