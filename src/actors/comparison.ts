/**
 * Notices that the two engines' states drift apart while they run: both take the checksum after the same
 * command, tell each other, and compare. A follower whose state differs is restored [EN10].
 */
import type { Checkpoint, CheckpointResult, PeerMessage } from "../core/messages.ts";
import type { TimerHandle } from "../ports/basics.ts";
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
  /** Whether the engine's state is the pair's as far as it knows [EN11]. */
  trusted(): boolean;
  /** This follower's state differs from the leader's [EN10]. */
  onDrift(): void;
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
    const { epoch, seq } = checkpoint;
    this.#own = null;
    this.#theirs = null;
    void this.#checksumAt(seq, epoch).then((checksum) => {
      if (checksum === null) return;
      this.#own = { seq, epoch, checksum };
      this.#deps.send({ type: "checkpoint-result", epoch, seq, checksum });
    });
  }

  takeResult(result: CheckpointResult): void {
    this.#theirs = result;
    this.#judge();
  }

  #begin(): void {
    const { seq } = this.#deps.log.position;
    // Before the first command each engine shows what it was set up to show.
    if (seq === 0) return;
    const epoch = this.#deps.book.accepted;
    this.#own = null;
    this.#theirs = null;
    if (!this.#deps.send({ type: "checkpoint", epoch, seq })) return;
    void this.#checksumAt(seq, epoch).then((checksum) => {
      if (checksum === null) return;
      this.#own = { seq, epoch, checksum };
      this.#deps.send({ type: "checkpoint-result", epoch, seq, checksum });
      this.#judge();
    });
  }

  #judge(): void {
    const own = this.#own;
    const theirs = this.#theirs;
    if (own === null || theirs === null || own.seq !== theirs.seq || own.epoch !== theirs.epoch) return;
    const drifted = own.checksum !== theirs.checksum;
    this.#kit.alarms.set("state-drift", drifted, `the engines' states differ after command ${own.seq}`);
    if (drifted && !this.#deps.leads()) this.#deps.onDrift();
  }

  /** The checksum of the state after exactly `seq`; null when that moment has passed. */
  async #checksumAt(seq: number, epoch: number): Promise<string | null> {
    const { executor } = this.#deps;
    try {
      await executor.reached(seq);
      if (executor.executedSeq !== seq) return null;
      const state = await this.#kit.ports.engine.snapshot();
      if (executor.executedSeq !== seq || !this.#deps.trusted()) return null;
      return await checksumOf(this.#kit.ports, { epoch, lastCommandSeq: seq, state });
    } catch (error) {
      this.#kit.ports.logger.warn({ err: error, seq }, "checksum not taken");
      return null;
    }
  }
}
