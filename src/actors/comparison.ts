/**
 * Purpose: notices that the two engines' states drift apart while they run: both take the checksum after the same
 * command, and the leader compares.
 */
import type { Checkpoint, CheckpointResult, PeerMessage } from "../core/messages.ts";
import type { TimerHandle } from "../ports/clock.ts";
import { checksumOf } from "./checksum.ts";
import type { CommandLog } from "./command-log.ts";
import type { EpochBook } from "./epoch-book.ts";
import type { Executor } from "./executor.ts";
import type { Kit } from "./kit.ts";

export interface ComparisonDeps {
  readonly book: EpochBook;
  readonly log: CommandLog;
  readonly executor: Executor;
  leads(): boolean;
  peerReady(): boolean;
  send(message: PeerMessage): boolean;
}

export class Comparison {
  readonly #kit: Kit;
  readonly #deps: ComparisonDeps;
  #timer: TimerHandle | null = null;
  #own: { seq: number; epoch: number; checksum: string } | null = null;
  #theirs: CheckpointResult | null = null;

  constructor(kit: Kit, deps: ComparisonDeps) {
    this.#kit = kit;
    this.#deps = deps;
  }

  start(): void {
    this.#timer = this.#kit.ports.clock.setTimeout(() => {
      this.start();
      if (this.#deps.leads() && this.#deps.peerReady()) this.#begin();
    }, this.#kit.options.commands.compareEveryMs);
  }

  stop(): void {
    if (this.#timer !== null) this.#kit.ports.clock.clearTimeout(this.#timer);
    this.#timer = null;
  }

  take(checkpoint: Checkpoint): void {
    if (checkpoint.epoch !== this.#deps.book.accepted) return;
    void this.#checksumAt(checkpoint.seq).then((checksum) => {
      if (checksum === null) return;
      const { epoch, seq } = checkpoint;
      this.#deps.send({ type: "checkpoint-result", epoch, seq, checksum });
    });
  }

  takeResult(result: CheckpointResult): void {
    this.#theirs = result;
    this.#judge();
  }

  #begin(): void {
    const { seq } = this.#deps.log.position;
    const epoch = this.#deps.book.accepted;
    this.#own = null;
    this.#theirs = null;
    if (!this.#deps.send({ type: "checkpoint", epoch, seq })) return;
    void this.#checksumAt(seq).then((checksum) => {
      if (checksum === null) return;
      this.#own = { seq, epoch, checksum };
      this.#judge();
    });
  }

  #judge(): void {
    const own = this.#own;
    const theirs = this.#theirs;
    if (own === null || theirs === null || own.seq !== theirs.seq || own.epoch !== theirs.epoch) return;
    const drifted = own.checksum !== theirs.checksum;
    this.#kit.alarms.set("state-drift", drifted, `the engines' states differ after command ${own.seq}`);
  }

  /** The checksum of the state after exactly `seq`; null when that moment has passed. */
  async #checksumAt(seq: number): Promise<string | null> {
    const { executor, book } = this.#deps;
    try {
      await executor.reached(seq);
      if (executor.executedSeq !== seq) return null;
      const state = await this.#kit.ports.engine.snapshot();
      if (executor.executedSeq !== seq) return null;
      return await checksumOf(this.#kit.ports, { epoch: book.accepted, lastCommandSeq: seq, state });
    } catch (error) {
      this.#kit.ports.logger.warn({ err: error, seq }, "checksum not taken");
      return null;
    }
  }
}
