/**
 * The loser's side of recovery: tells its divergent commands, then takes the winner's state under the lock. Nothing is
 * applied without proof that the winner holds the lock, of an epoch not lower than this engine's, and with a matching
 * checksum; otherwise its state stays byte for byte what it was [SB4].
 */
import { assertNever } from "../core/errors.ts";
import type {
  CatchUpRequest,
  DivergenceRequest,
  PeerMessage,
  Reconciled,
  SnapshotPiece,
  SnapshotTransfer,
} from "../core/messages.ts";
import { raiseGone } from "./alarms.ts";
import type { CommandLog } from "./command-log.ts";
import type { EpochBook } from "./epoch-book.ts";
import type { Kit } from "./kit.ts";
import { LockProof } from "./lock-proof.ts";
import type { Snapshots } from "./snapshots.ts";
import { IncomingTransfer, readTransfer } from "./transfers.ts";

export interface LoserDeps {
  readonly book: EpochBook;
  readonly log: CommandLog;
  readonly snapshots: Snapshots;
  follows(): boolean;
  send(message: PeerMessage): boolean;
  /** The winner's state was applied, or refused: compare logs again. */
  onEnded(): void;
  /** Nothing was kept of what this store held: people must hear of it [SB6]. */
  onResynced(why: string): void;
}

const PAGE_COMMANDS = 500;
const PAGE_BYTES = 262_144;

export class Loser {
  readonly #kit: Kit;
  readonly #deps: LoserDeps;
  #incoming: IncomingTransfer | null = null;
  #applying = false;
  #proof: LockProof | null = null;
  /** A newer state of the winner, complete, which came while an older one was being applied. */
  #next: { readonly piece: SnapshotPiece; readonly text: string } | null = null;
  /** States in a row that could not be stored beside what is held here. */
  #failures = 0;

  constructor(kit: Kit, deps: LoserDeps) {
    this.#kit = kit;
    this.#deps = deps;
  }

  takeRequest(request: DivergenceRequest): void {
    if (!this.#deps.follows() || !this.#admits(request.epoch)) return;
    const { store } = this.#kit.ports;
    const { requestId, forkSeq, afterSeq } = request;
    const page = store.commandsAfter(afterSeq, PAGE_COMMANDS, PAGE_BYTES);
    const heldFromSeq = store.firstHeldSeq();
    if (heldFromSeq > forkSeq + 1) raiseGone(this.#kit.alarms, "this engine", forkSeq + 1, heldFromSeq - 1);
    this.#deps.send({
      type: "divergence-page",
      requestId,
      epoch: this.#deps.book.accepted,
      commands: page.commands,
      clock: this.#deps.log.clock,
      done: !page.hasMore,
    });
  }

  /** The winner may let go of the lock: its link broke, or this engine asked it again. */
  doubtLock(): void {
    this.#proof?.doubt();
  }

  takePiece(piece: SnapshotPiece): void {
    if (piece.lock === null || !this.#deps.follows() || !this.#admits(piece.epoch)) return;
    if (this.#incoming?.requestId !== piece.requestId) this.#incoming = new IncomingTransfer(piece.requestId);
    const taken = this.#incoming.take(piece);
    if (taken.state === "broken") {
      this.#incoming = null;
      return;
    }
    this.#deps.send({ type: "transfer-ack", requestId: piece.requestId, index: piece.index });
    if (taken.state === "more") return;
    this.#incoming = null;
    if (this.#applying) this.#next = { piece, text: taken.text };
    else this.#begin(piece, taken.text);
  }

  #begin(piece: SnapshotPiece, text: string): void {
    this.#applying = true;
    void this.#apply(piece, text)
      .catch((error: unknown) => {
        this.#kit.ports.logger.error({ err: error }, "the winner's state could not be judged");
        this.#answer(piece.requestId, "failed", null);
      })
      .finally(() => {
        this.#applying = false;
        this.#proof?.end();
        this.#proof = null;
        const next = this.#next;
        this.#next = null;
        if (next !== null && this.#deps.follows()) this.#begin(next.piece, next.text);
      });
  }

  async #apply(piece: SnapshotPiece, text: string): Promise<void> {
    const transfer = await readTransfer(this.#kit, text);
    if (transfer === null) return this.#answer(piece.requestId, "invalid-snapshot", null);
    const { snapshot } = transfer;
    const { lock } = piece;
    const { failover } = this.#kit;
    const proof = lock === null ? null : (this.#proof = new LockProof(this.#kit, lock, "winner"));
    await proof?.ask();
    if (lock === null || proof?.counts !== true) return this.#answer(piece.requestId, "lock-not-held", null);
    proof.keep();
    const mayAdopt = (): boolean => this.#deps.follows() && snapshot.epoch >= this.#deps.book.accepted;
    if (!mayAdopt()) return this.#answer(piece.requestId, "stale-epoch", null);
    const transferNow = (): SnapshotTransfer | null => (mayAdopt() && proof.counts ? transfer : null);
    const verified = await this.#deps.snapshots.verify(snapshot);
    if (typeof verified === "string") return this.#answer(piece.requestId, "invalid-snapshot", null);
    const whole = this.#failures >= failover.resyncAfter;
    const result = await this.#deps.snapshots.install(verified, lock.fence, transferNow, { whole });
    switch (result.outcome) {
      case "installed":
        if (whole) this.#deps.onResynced("the winner's state replaced all that this store held");
        this.#failures = 0;
        return this.#answer(piece.requestId, "applied", result.checksum);
      case "overtaken":
        return this.#answer(piece.requestId, mayAdopt() ? "lock-not-held" : "stale-epoch", null);
      case "refused":
        return this.#answer(piece.requestId, "invalid-snapshot", null);
      case "failed":
        if (result.by === "store") this.#failures += 1;
        return this.#answer(piece.requestId, "failed", null);
      default:
        assertNever(result);
    }
  }

  #admits(epoch: number): boolean {
    if (this.#kit.rules.admitsEpoch(this.#deps.book.accepted, epoch)) return true;
    this.#deps.send({ type: "stale-epoch", highestEpoch: this.#deps.book.accepted });
    return false;
  }

  #answer(requestId: CatchUpRequest["requestId"], outcome: Reconciled["outcome"], checksum: string | null): void {
    const { book, log } = this.#deps;
    this.#deps.send({
      type: "reconciled",
      requestId,
      epoch: book.accepted,
      outcome,
      checksum,
      clock: log.clock,
      log: log.position,
    });
    this.#deps.onEnded();
  }
}
