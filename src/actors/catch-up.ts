/**
 * A follower on its way to ready: the steps of the `catch-up` chart. Nothing is taken from anyone but the leader of the
 * accepted epoch [EP4], and a follower is ready only after the leader has compared logs with it, or began with its log.
 *
 * A follower that cannot apply what its leader sends does not try for ever: after `resyncAfter` failures it offers
 * nothing of its own log for comparison, so that the leader sends its whole state [SB6]. It does so only after the leader
 * has compared the real logs and found nothing of this engine's own in them: what diverges is reconciled first [SB3].
 */
import { fromPromise } from "xstate";
import { catchUpMachine } from "../../machines/catch-up.machine.ts";
import type { RequestId } from "../core/ids.ts";
import type {
  CatchUpPage,
  CatchUpPlan,
  CatchUpRequest,
  Heartbeat,
  PeerMessage,
  Replicate,
  SnapshotPiece,
  SyncState,
} from "../core/messages.ts";
import { backoffMs } from "../core/failure-detector.ts";
import type { TimerHandle } from "../ports/basics.ts";
import { raiseStoreAlarm } from "./alarms.ts";
import type { CommandLog } from "./command-log.ts";
import type { EpochBook } from "./epoch-book.ts";
import type { Executor } from "./executor.ts";
import type { Kit } from "./kit.ts";
import { startMachine } from "./start-machine.ts";
import type { Snapshots } from "./snapshots.ts";
import { IncomingTransfer, readTransfer } from "./transfers.ts";

export interface CatchUpDeps {
  readonly book: EpochBook;
  readonly log: CommandLog;
  readonly executor: Executor;
  readonly snapshots: Snapshots;
  send(message: PeerMessage): boolean;
  /** The leader was asked again: it gives up what was on its way. */
  onAsked(): void;
  /** This follower could take over now: worth telling at once. */
  onReady(): void;
}

/** A step that has not moved for so many heartbeats begins again. */
const PATIENCE_HEARTBEATS = 10;
/** Whole snapshots that did not help are asked for ever more seldom. */
const RESYNC_BACKOFF = { baseMs: 1_000, capMs: 30_000 };
/** Nothing was asked of a leader yet. */
const NOT_BEGUN: ReadonlySet<string> = new Set(["waiting", "backingOff", "handedOver"]);
/** How long the alarm `resynced` stands. */
const TOLD_FOR_MS = 600_000;

export class CatchUp {
  readonly #kit: Kit;
  readonly #deps: CatchUpDeps;
  readonly #machine;
  /** Pieces of a snapshot. */
  #incoming: IncomingTransfer | null = null;
  /** What was asked last, and the pages taken since. What belongs to another request is not taken. */
  #requestId: RequestId | null = null;
  #pages = 0;
  #told: TimerHandle | null = null;

  constructor(kit: Kit, deps: CatchUpDeps) {
    this.#kit = kit;
    this.#deps = deps;
    const { alarms, ports } = kit;
    const { clock, random } = ports;
    this.#machine = startMachine(
      kit,
      catchUpMachine.provide({
        actors: { restore: fromPromise<void, string>(({ input, signal }) => this.#restore(input, signal)) },
        delays: {
          patience: kit.failover.heartbeatMs * PATIENCE_HEARTBEATS,
          backoff: ({ context }) => backoffMs(Math.min(context.failures, 10), random.next(), RESYNC_BACKOFF),
        },
        actions: {
          askForPlan: ({ context }) => this.#ask(context.wantSnapshot, ports.store.logShape()),
          askForAll: () => this.#ask(true, []),
          tellReplaced: ({ context: { resyncReason } }) => {
            if (resyncReason === null) return;
            alarms.clear("store-inconsistent");
            this.tellResync(`this engine took the leader's whole state: ${resyncReason}`);
          },
          dropPieces: () => (this.#incoming = null),
          confirmAll: () => this.#confirmAndAcknowledge(),
          // In an entry action the chart's value is not yet the new one.
          becomeReady: () =>
            clock.soon(() => {
              if (this.#machine.getSnapshot().status === "active") deps.onReady();
            }),
        },
      }),
    );
  }

  get machineValue(): string {
    const { value } = this.#machine.getSnapshot();
    return typeof value === "object" ? "restoring" : value;
  }

  get sync(): SyncState {
    const state = this.machineValue;
    if (state === "ready" || state === "leading") return "ready";
    if (state === "reconciling") return state;
    return NOT_BEGUN.has(state) ? "starting" : "catching-up";
  }

  /** The store was opened with a clock above its content: a snapshot of the leader replaces it [SB6]. */
  foundFlaw(flaw: string): void {
    this.#kit.alarms.raise(
      "store-inconsistent",
      `found at the start and put right: ${flaw}; a leader's snapshot replaces it`,
    );
    this.#machine.send({ type: "FLAWED", flaw });
  }

  /** Compares logs with the leader again. */
  compare(wantSnapshot = false): void {
    this.#machine.send({ type: "COMPARE", wantSnapshot });
  }

  leading(): void {
    this.#machine.send({ type: "LEADING" });
  }

  /** The new leader was granted the role at the end of this log. */
  handedOver(): void {
    this.#machine.send({ type: "HANDED_OVER" });
  }

  leaderLost(): void {
    this.#machine.send({ type: "LEADER_LOST" });
  }

  stop(): void {
    if (this.#told !== null) this.#kit.ports.clock.clearTimeout(this.#told);
    this.#machine.stop();
  }

  /** The leader's heartbeat: whether its log and this one still fit. */
  hear({ log }: Heartbeat): void {
    const { position } = this.#deps.log;
    this.#machine.send({ type: "HEARD", fits: log.seq === position.seq && log.epoch === position.epoch });
  }

  /** Commands as they are accepted by the leader. */
  takeReplicate(message: Replicate): void {
    if (!this.#fromLeader(message.epoch) || this.machineValue !== "ready") return;
    this.#append(message, true);
  }

  takePlan({ requestId, epoch, by }: CatchUpPlan): void {
    if (requestId !== this.#requestId || !this.#fromLeader(epoch)) return;
    this.#machine.send({ type: "PLANNED", by });
  }

  takePage(page: CatchUpPage): void {
    if (page.requestId !== this.#requestId || !this.#fromLeader(page.epoch) || this.machineValue !== "replaying")
      return;
    if (!this.#append(page, false)) return;
    if (page.done) return this.#machine.send({ type: "FINISHED" });
    this.#deps.send({ type: "transfer-ack", requestId: page.requestId, index: this.#pages });
    this.#pages += 1;
    this.#machine.send({ type: "MOVED" });
  }

  /** A piece of a snapshot that needs no lock: nothing of this engine's own is lost by it. */
  takePiece(piece: SnapshotPiece): void {
    const isWanted =
      piece.requestId === this.#requestId && this.#machine.getSnapshot().matches({ restoring: "receiving" });
    if (!isWanted || !this.#fromLeader(piece.epoch)) return;
    this.#incoming ??= new IncomingTransfer(piece.requestId);
    const taken = this.#incoming.take(piece);
    if (taken.state === "broken") return this.#fail("a piece is missing", false);
    this.#deps.send({ type: "transfer-ack", requestId: piece.requestId, index: piece.index });
    this.#machine.send(taken.state === "more" ? { type: "MOVED" } : { type: "RECEIVED", text: taken.text });
  }

  /** The winner has reconciled, or given up: compare again. */
  reconciled(): void {
    this.#machine.send({ type: "FINISHED" });
  }

  async #restore(text: string, signal: AbortSignal): Promise<void> {
    const fail = (reason: string, counts = true): void => {
      if (!signal.aborted) this.#fail(reason, counts);
    };
    const transfer = await readTransfer(this.#kit, text);
    if (transfer === null) return fail("what came is no snapshot");
    const verified = await this.#deps.snapshots.verify(transfer.snapshot);
    if (typeof verified === "string") return fail(verified);
    if (signal.aborted) return;
    const result = await this.#deps.snapshots.install(verified, 0, () => (signal.aborted ? null : transfer));
    if (result.outcome === "overtaken" || signal.aborted) return;
    if (result.outcome === "installed") return void this.#deps.book.accept(transfer.snapshot.epoch);
    // Unless the store refuses, what is held is sound: a snapshot of the whole would not help either.
    fail(result.detail, result.outcome === "refused" || result.by === "store");
  }

  /** `counts`: what the leader sent could not be applied. The next heartbeat of the leader starts it again. */
  #fail(reason: string, counts: boolean): void {
    if (counts) this.#kit.ports.logger.warn({ reason }, "what the leader sent could not be applied");
    this.#machine.send({ type: "FAILED", reason, counts, most: this.#kit.failover.resyncAfter });
  }

  /** The alarm `resynced`, which goes by itself after a while. */
  tellResync(detail: string): void {
    const { clock } = this.#kit.ports;
    this.#kit.alarms.raise("resynced", detail);
    if (this.#told !== null) clock.clearTimeout(this.#told);
    this.#told = clock.setTimeout(() => this.#kit.alarms.clear("resynced"), TOLD_FOR_MS);
  }

  #ask(wantSnapshot: boolean, shape: CatchUpRequest["shape"]): void {
    const { book, log, executor } = this.#deps;
    const requestId = this.#kit.ports.ids.next("request");
    this.#requestId = requestId;
    this.#pages = 0;
    const known = { epoch: book.accepted, shape, clock: log.clock, lastExecutedSeq: executor.executedSeq };
    this.#deps.send({ type: "catch-up-request", requestId, wantSnapshot, ...known });
    this.#deps.onAsked();
  }

  /** Stores commands of the leader, says so and has them executed; false: they do not follow, or were not stored. */
  #append({ prev, commands }: Pick<Replicate, "prev" | "commands">, isLive: boolean): boolean {
    const { log, executor } = this.#deps;
    const { alarms, ports } = this.#kit;
    const end = log.position.seq;
    try {
      const outcome = log.append(prev, commands);
      if (outcome === "gap") {
        this.#fail(`commands from ${commands[0]?.seq ?? "?"} on do not follow ${end}`, !isLive);
        return false;
      }
      if (outcome === "appended") {
        alarms.clear("store-failed");
        const { failures, doubts } = this.#machine.getSnapshot().context;
        if (failures > 0 || doubts) this.#machine.send({ type: "APPLIED" });
      }
    } catch (error) {
      ports.logger.error({ err: error }, "replicated commands not stored");
      const why = raiseStoreAlarm(alarms, error, "replicated commands could not be stored");
      this.#fail(error instanceof Error ? error.message : String(error), why === "store-inconsistent");
      return false;
    }
    const fresh = commands.filter(({ seq }) => seq > end);
    executor.enqueue(fresh, isLive);
    this.#confirmAndAcknowledge();
    return true;
  }

  #confirmAndAcknowledge(): void {
    const throughSeq = this.#deps.log.position.seq;
    this.#deps.executor.confirm(throughSeq);
    this.#deps.send({ type: "replicated", epoch: this.#deps.book.accepted, throughSeq });
  }

  #fromLeader(epoch: number): boolean {
    if (this.#kit.rules.admitsEpoch(this.#deps.book.accepted, epoch)) return true;
    this.#deps.send({ type: "stale-epoch", highestEpoch: this.#deps.book.accepted });
    return false;
  }
}
