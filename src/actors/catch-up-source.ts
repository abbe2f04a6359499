/**
 * Purpose: the leader's side of a follower's catch-up: compares logs, then sends pages or a snapshot.
 * Keeps true: what the follower has of its own is never overwritten here; that is the business of `split-brain`.
 */
import { epochAt, findFork } from "../core/fork.ts";
import type { CatchUpRequest, PeerMessage, StateSnapshot, TransferAck } from "../core/messages.ts";
import type { CommandLog } from "./command-log.ts";
import type { EpochBook } from "./epoch-book.ts";
import type { Executor } from "./executor.ts";
import type { Kit } from "./kit.ts";
import type { Snapshots } from "./snapshots.ts";
import { OutgoingTransfer } from "./transfers.ts";

export interface CatchUpSourceDeps {
  readonly book: EpochBook;
  readonly log: CommandLog;
  readonly snapshots: Snapshots;
  readonly executor: Pick<Executor, "resets">;
  leads(): boolean;
  send(message: PeerMessage): boolean;
  /** The follower has commands of its own behind the fork [SB2]. */
  onDivergence(forkSeq: number, request: CatchUpRequest): void;
  /** It has none. */
  onAgreement(): void;
}

const PAGE_COMMANDS = 512;
const PAGE_BYTES = 131_072;
/** Pages under way at most: one is read while the other is stored, and a heartbeat waits behind no more than both. */
const PAGE_WINDOW = 2;

interface Paging {
  readonly request: CatchUpRequest;
  afterSeq: number;
  sent: number;
  acknowledged: number;
}

export class CatchUpSource {
  readonly #kit: Kit;
  readonly #deps: CatchUpSourceDeps;
  #paging: Paging | null = null;
  #outgoing: { requestId: string; transfer: OutgoingTransfer } | null = null;
  /** Who waits for the state that is being taken: a follower that asks again waits for the same one. */
  #wanted: { readonly request: CatchUpRequest; readonly forkSeq: number } | null = null;
  #isTaking = false;

  constructor(kit: Kit, deps: CatchUpSourceDeps) {
    this.#kit = kit;
    this.#deps = deps;
  }

  stop(): void {
    this.#paging = null;
    this.#wanted = null;
    this.#outgoing?.transfer.end(false);
    this.#outgoing = null;
  }

  takeRequest(request: CatchUpRequest): void {
    this.stop();
    if (!this.#deps.leads()) return;
    if (!this.#kit.rules.admitsEpoch(this.#deps.book.accepted, request.epoch)) {
      this.#deps.send({ type: "stale-epoch", highestEpoch: this.#deps.book.accepted });
      return;
    }
    const { store } = this.#kit.ports;
    const end = this.#deps.log.position.seq;
    const forkSeq = findFork(store.logShape(), request.shape);
    const theirEnd = request.shape.at(-1)?.to ?? 0;
    if (theirEnd > forkSeq) {
      this.#plan(request, "reconcile", forkSeq, end);
      this.#deps.onDivergence(forkSeq, request);
      return;
    }
    this.#deps.onAgreement();
    if (request.wantSnapshot || (forkSeq < end && store.firstHeldSeq() > forkSeq + 1)) {
      this.#plan(request, "snapshot", forkSeq, end);
      this.#wanted = { request, forkSeq };
      if (this.#isTaking) return;
      this.#isTaking = true;
      void this.#sendSnapshot()
        .catch((error: unknown) => {
          // The follower asks again once it has waited in vain.
          this.#kit.ports.logger.warn({ err: error }, "no snapshot for the follower");
        })
        .finally(() => (this.#isTaking = false));
    } else if (forkSeq < end) {
      this.#plan(request, "log", forkSeq, end);
      this.#paging = { request, afterSeq: forkSeq, sent: 0, acknowledged: 0 };
      this.#sendPages();
    } else {
      this.#plan(request, "nothing", forkSeq, end);
    }
  }

  takeAck(ack: TransferAck): void {
    const paging = this.#paging;
    if (paging?.request.requestId === ack.requestId) {
      paging.acknowledged = Math.min(paging.sent, Math.max(paging.acknowledged, ack.index + 1));
      this.#sendPages();
    }
    if (this.#outgoing?.requestId === ack.requestId) this.#outgoing.transfer.acknowledge(ack.index);
  }

  #plan(request: CatchUpRequest, by: "nothing" | "log" | "snapshot" | "reconcile", forkSeq: number, end: number): void {
    const { requestId } = request;
    const epoch = this.#deps.book.accepted;
    this.#deps.send({ type: "catch-up-plan", requestId, epoch, by, fromSeq: forkSeq + 1, toSeq: end });
  }

  /** Sends as many pages as may be under way. */
  #sendPages(): void {
    const paging = this.#paging;
    while (paging !== null && this.#paging === paging && paging.sent - paging.acknowledged < PAGE_WINDOW) {
      if (!this.#deps.leads() || !this.#sendPage(paging)) return;
    }
  }

  /** Whether the page is on its way. */
  #sendPage(paging: Paging): boolean {
    const { store } = this.#kit.ports;
    const page = store.commandsAfter(paging.afterSeq, PAGE_COMMANDS, PAGE_BYTES);
    const prev = { epoch: epochAt(store.logShape(), paging.afterSeq) ?? 0, seq: paging.afterSeq };
    const { requestId } = paging.request;
    const epoch = this.#deps.book.accepted;
    const done = !page.hasMore;
    if (!this.#deps.send({ type: "catch-up-page", requestId, epoch, prev, commands: page.commands, done }))
      return false;
    paging.sent += 1;
    paging.afterSeq = page.commands.at(-1)?.seq ?? paging.afterSeq;
    if (done) this.#paging = null;
    return true;
  }

  async #sendSnapshot(): Promise<void> {
    const { snapshots, executor, book } = this.#deps;
    let resets: number;
    let snapshot: StateSnapshot;
    do {
      resets = executor.resets;
      ({ snapshot } = await snapshots.take());
      if (this.#wanted === null || !this.#deps.leads()) return;
      // It may be of an earlier leadership than the one that was asked last, or of a state that was replaced.
    } while (resets !== executor.resets || snapshot.epoch !== book.accepted);
    const wanted = this.#wanted;
    this.#wanted = null;
    const { requestId } = wanted.request;
    const transfer = snapshots.transferOf(snapshot, wanted.forkSeq);
    const sending = { requestId, epoch: this.#deps.book.accepted, lock: null };
    const outgoing = new OutgoingTransfer(this.#kit, sending, transfer as never, (message) => this.#deps.send(message));
    this.#outgoing = { requestId, transfer: outgoing };
    outgoing.start();
  }
}
