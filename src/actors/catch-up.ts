/**
 * A follower on its way to ready. Binds `catch-up`. Nothing is taken from anyone but the leader of the accepted epoch
 * [EP4], and a follower is ready only after the leader has compared logs with it.
 *
 * A follower that cannot apply what its leader sends does not try for ever: after `resyncAfter` failures it offers
 * nothing of its own log for comparison, so that the leader sends its whole state [SB6]. It does so only after the leader
 * has compared the real logs and found nothing of this engine's own in them: what diverges is reconciled first [SB3].
 */
import { catchUpMachine } from "../../machines/catch-up.machine.ts";
import { assertNever } from "../core/errors.ts";
import type { RequestId } from "../core/ids.ts";
import type {
  CatchUpPage,
  CatchUpPlan,
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
  /** This follower could take over now: worth telling at once. */
  onReady(): void;
}

/** A step that has not moved for so many heartbeats begins again. */
const PATIENCE_HEARTBEATS = 10;
/** Whole snapshots that did not help are asked for ever more seldom. */
const RESYNC_BACKOFF = { baseMs: 1_000, capMs: 30_000 };
/** How long the alarm `resynced` stands. */
const TOLD_FOR_MS = 600_000;
/** Heartbeats in a row that may disagree with our log before it is compared: replication may be under way. */
const DISAGREEMENTS = 2;

export class CatchUp {
  readonly #kit: Kit;
  readonly #deps: CatchUpDeps;
  readonly #machine;
  #requestId: RequestId | null = null;
  #incoming: IncomingTransfer | null = null;
  #timer: TimerHandle | null = null;
  #disagreements = 0;
  #wantSnapshot = false;
  /** Failures in a row to apply what the leader sent, and the last reason. */
  #failures = 0;
  #resyncReason: string | null = null;
  /** What was asked for last is the leader's whole state. */
  #asksForAll = false;
  #resyncs = 0;
  #notBeforeMs = 0;
  #told: TimerHandle | null = null;
  #pagesTaken = 0;

  constructor(kit: Kit, deps: CatchUpDeps) {
    this.#kit = kit;
    this.#deps = deps;
    this.#machine = startMachine(
      kit,
      catchUpMachine.provide({
        actions: {
          askForPlan: () => this.#askForPlan(),
          becomeReady: () => this.#becomeReady(),
        },
      }),
    );
  }

  get machineValue(): string {
    return this.#machine.getSnapshot().value;
  }

  get sync(): SyncState {
    switch (this.#machine.getSnapshot().value) {
      case "waiting":
        return "starting";
      case "comparing":
      case "replaying":
      case "restoring":
        return "catching-up";
      case "reconciling":
        return "reconciling";
      case "ready":
      case "leading":
        return "ready";
    }
  }

  /** The store was opened with a clock above its content: a snapshot of the leader replaces it [SB6]. */
  foundFlaw(flaw: string): void {
    this.#kit.alarms.raise(
      "store-inconsistent",
      `found at the start and put right: ${flaw}; a leader's snapshot replaces it`,
    );
    this.#resyncReason = flaw;
  }

  /** Compares logs with the leader again. */
  compare(wantSnapshot = false): void {
    this.#wantSnapshot ||= wantSnapshot;
    this.#machine.send({ type: "COMPARE" });
  }

  leading(): void {
    this.#rest();
    this.#asksForAll = false;
    this.#machine.send({ type: "LEADING" });
  }

  leaderLost(): void {
    this.#rest();
    this.#asksForAll = false;
    this.#machine.send({ type: "LEADER_LOST" });
  }

  stop(): void {
    this.#rest();
    if (this.#told !== null) this.#kit.ports.clock.clearTimeout(this.#told);
    this.#machine.stop();
  }

  /** The leader's heartbeat: whether its log and this one still fit. */
  hear(heartbeat: Heartbeat): void {
    const state = this.#machine.getSnapshot().value;
    if (state === "waiting" && this.#kit.nowMs() < this.#notBeforeMs) return;
    if (state === "waiting" || state === "leading") return this.compare();
    if (state !== "ready") return;
    const { position } = this.#deps.log;
    const fits = heartbeat.log.seq === position.seq && heartbeat.log.epoch === position.epoch;
    this.#disagreements = fits ? 0 : this.#disagreements + 1;
    if (this.#disagreements >= DISAGREEMENTS) this.compare();
  }

  /** Commands as they are accepted by the leader. */
  takeReplicate(message: Replicate): void {
    if (!this.#fromLeader(message.epoch)) return;
    const state = this.#machine.getSnapshot().value;
    if (state !== "ready") return;
    const end = this.#deps.log.position.seq;
    const result = this.#append(message.prev, message.commands);
    if (result === "gap" || result === "failed") return this.compare();
    this.#disagreements = 0;
    const fresh = message.commands.filter((command) => command.seq > end);
    this.#deps.executor.enqueue(fresh, true);
    this.#confirmAndAcknowledge();
  }

  takePlan(plan: CatchUpPlan): void {
    if (plan.requestId !== this.#requestId || !this.#fromLeader(plan.epoch)) return;
    this.#wantSnapshot = false;
    this.#patience();
    // Nothing of this engine's own is in the log that was compared, so that all of it may be replaced.
    if (this.#resyncReason !== null && !this.#asksForAll && plan.by !== "reconcile") return this.#askForAll();
    switch (plan.by) {
      case "nothing":
        this.#machine.send({ type: "PLAN_NOTHING" });
        return this.#confirmAndAcknowledge();
      case "log":
        return this.#machine.send({ type: "PLAN_LOG" });
      case "snapshot":
        return this.#machine.send({ type: "PLAN_SNAPSHOT" });
      case "reconcile":
        return this.#machine.send({ type: "PLAN_RECONCILE" });
      default:
        assertNever(plan.by);
    }
  }

  takePage(page: CatchUpPage): void {
    if (page.requestId !== this.#requestId || !this.#fromLeader(page.epoch)) return;
    this.#patience();
    const end = this.#deps.log.position.seq;
    const result = this.#append(page.prev, page.commands);
    if (result === "gap") return this.#failed(`commands from ${page.commands[0]?.seq ?? "?"} on do not follow ${end}`);
    if (result === "failed") return this.#machine.send({ type: "FAILED", reason: "not stored" });
    this.#deps.executor.enqueue(
      page.commands.filter((command) => command.seq > end),
      false,
    );
    this.#confirmAndAcknowledge();
    if (page.done) this.#machine.send({ type: "FINISHED" });
    else this.#deps.send({ type: "transfer-ack", requestId: page.requestId, index: this.#pagesTaken });
    this.#pagesTaken += 1;
  }

  /** A piece of a snapshot that needs no lock: nothing of this engine's own is lost by it. */
  takePiece(piece: SnapshotPiece): void {
    if (piece.requestId !== this.#requestId || !this.#fromLeader(piece.epoch)) return;
    this.#patience();
    if (this.#incoming?.requestId !== piece.requestId) this.#incoming = new IncomingTransfer(piece.requestId);
    const taken = this.#incoming.take(piece);
    if (taken.state === "broken") return this.#machine.send({ type: "FAILED", reason: "a piece is missing" });
    this.#deps.send({ type: "transfer-ack", requestId: piece.requestId, index: piece.index });
    if (taken.state === "more") return;
    this.#incoming = null;
    void this.#restore(piece.requestId, taken.text);
  }

  /** The winner has reconciled, or given up: compare again. */
  reconciled(): void {
    this.#machine.send({ type: "FINISHED" });
  }

  async #restore(requestId: RequestId, text: string): Promise<void> {
    // The engine takes its own time: only a lost leader or another request ends this step.
    this.#rest();
    const isWanted = (): boolean => this.#requestId === requestId && this.machineValue === "restoring";
    const transfer = await readTransfer(this.#kit, text);
    if (!isWanted()) return;
    if (transfer === null) return this.#failed("what came is no snapshot");
    const verified = await this.#deps.snapshots.verify(transfer.snapshot);
    if (!isWanted()) return;
    if (typeof verified === "string") return this.#failed(verified);
    const result = await this.#deps.snapshots.install(verified, 0, () => (isWanted() ? transfer : null));
    if (result.outcome === "overtaken" || !isWanted()) return;
    if (result.outcome === "failed" && result.by !== "store") {
      // What is held is sound: a snapshot of the whole would not help either.
      return this.#machine.send({ type: "FAILED", reason: result.detail });
    }
    if (result.outcome !== "installed") return this.#failed(result.detail);
    this.#deps.book.accept(transfer.snapshot.epoch);
    this.#replaced();
    this.#machine.send({ type: "FINISHED" });
  }

  /** What the leader sent could not be applied. The next heartbeat of the leader starts it again. */
  #failed(reason: string): void {
    this.#countFailure(reason);
    this.#machine.send({ type: "FAILED", reason });
  }

  #countFailure(reason: string): void {
    this.#failures += 1;
    const { resyncAfter } = this.#kit.failover;
    this.#kit.ports.logger.warn({ reason, failures: this.#failures }, "what the leader sent could not be applied");
    if (this.#asksForAll) {
      this.#resyncs += 1;
      const waitMs = backoffMs(Math.min(this.#resyncs, 10), this.#kit.ports.random.next(), RESYNC_BACKOFF);
      this.#notBeforeMs = this.#kit.nowMs() + waitMs;
    }
    if (this.#failures >= resyncAfter) this.#resyncReason = reason;
  }

  #askForAll(): void {
    this.#asksForAll = true;
    this.#machine.send({ type: "COMPARE" });
  }

  /** The leader's state stands here now, and it was applied. */
  #replaced(): void {
    const reason = this.#resyncReason;
    const wasAll = this.#asksForAll;
    this.#applied();
    if (reason === null || !wasAll) return;
    this.#resyncReason = null;
    this.#kit.alarms.clear("store-inconsistent");
    this.tellResync(`this engine took the leader's whole state: ${reason}`);
  }

  /** The alarm `resynced`, which goes by itself after a while. */
  tellResync(detail: string): void {
    const { clock } = this.#kit.ports;
    this.#kit.alarms.raise("resynced", detail);
    if (this.#told !== null) clock.clearTimeout(this.#told);
    this.#told = clock.setTimeout(() => this.#kit.alarms.clear("resynced"), TOLD_FOR_MS);
  }

  #applied(): void {
    this.#failures = 0;
    this.#resyncs = 0;
    this.#notBeforeMs = 0;
    this.#asksForAll = false;
  }

  #askForPlan(): void {
    const requestId = this.#kit.ports.ids.next("request");
    this.#requestId = requestId;
    this.#incoming = null;
    this.#pagesTaken = 0;
    this.#disagreements = 0;
    this.#patience();
    this.#deps.send({
      type: "catch-up-request",
      requestId,
      epoch: this.#deps.book.accepted,
      shape: this.#asksForAll ? [] : this.#kit.ports.store.logShape(),
      clock: this.#deps.log.clock,
      lastExecutedSeq: this.#deps.executor.executedSeq,
      wantSnapshot: this.#wantSnapshot || this.#asksForAll,
    });
  }

  #append(prev: Replicate["prev"], commands: Replicate["commands"]): "appended" | "nothing-new" | "gap" | "failed" {
    try {
      const outcome = this.#deps.log.append(prev, commands);
      if (outcome === "appended") {
        this.#kit.alarms.clear("store-failed");
        this.#applied();
      }
      return outcome;
    } catch (error) {
      this.#kit.ports.logger.error({ err: error }, "replicated commands not stored");
      const why = raiseStoreAlarm(this.#kit.alarms, error, "replicated commands could not be stored");
      if (why === "store-inconsistent") this.#countFailure(error instanceof Error ? error.message : String(error));
      return "failed";
    }
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

  /** A step that stalls is given up; the next heartbeat of the leader begins again. */
  #patience(): void {
    const { clock } = this.#kit.ports;
    if (this.#timer !== null) clock.clearTimeout(this.#timer);
    const waitMs = this.#kit.failover.heartbeatMs * PATIENCE_HEARTBEATS;
    this.#timer = clock.setTimeout(() => {
      this.#timer = null;
      if (this.#machine.getSnapshot().value !== "ready") this.#machine.send({ type: "FAILED", reason: "no answer" });
    }, waitMs);
  }

  #becomeReady(): void {
    this.#rest();
    // In an entry action the chart's value is not yet the new one.
    this.#kit.ports.clock.soon(() => {
      if (this.#machine.getSnapshot().status === "active") this.#deps.onReady();
    });
  }

  #rest(): void {
    if (this.#timer !== null) this.#kit.ports.clock.clearTimeout(this.#timer);
    this.#timer = null;
    this.#incoming = null;
  }
}
