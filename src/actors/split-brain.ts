/**
 * Purpose: the winner's way back from two leaders to one state [SB2]. Binds `split-brain`.
 * Keeps true: divergent commands are kept as conflicts before anything of the loser is replaced [SB3]; each step begins
 * anew after an interruption and ends in the same result [SB5]; nothing is done without a usable lock [I14].
 */
import { splitBrainMachine } from "../../machines/split-brain.machine.ts";
import { backoffMs } from "../core/backoff.ts";
import type { Command } from "../core/command.ts";
import type { CatchUpRequest, DivergencePage, PeerMessage, Reconciled, TransferAck } from "../core/messages.ts";
import type { SubmitOutcome } from "../core/outcomes.ts";
import { compareClocks, type VectorClock } from "../core/vector-clock.ts";
import type { TimerHandle } from "../ports/clock.ts";
import type { CommandLog } from "./command-log.ts";
import { refused, toConflicts } from "./conflict-book.ts";
import type { EpochBook } from "./epoch-book.ts";
import type { Kit } from "./kit.ts";
import { startMachine } from "./start-machine.ts";
import type { ReconcileLock } from "./reconcile-lock.ts";
import type { Snapshots } from "./snapshots.ts";
import { OutgoingTransfer } from "./transfers.ts";

export interface SplitBrainDeps {
  readonly book: EpochBook;
  readonly log: CommandLog;
  readonly lock: ReconcileLock;
  readonly snapshots: Snapshots;
  leads(): boolean;
  /** Through here the peer has told its clients, in this life, that their commands stand. */
  peerToldSeq(): number;
  send(message: PeerMessage): boolean;
  submit(command: Command, key: string): Promise<SubmitOutcome>;
}

interface Case {
  readonly forkSeq: number;
  readonly request: CatchUpRequest;
  divergent: Command[];
  loserClock: VectorClock;
  sentChecksum: string;
}

/** Divergent commands that one reconciliation holds; more are left to a person. */
const MAX_DIVERGENT = 100_000;
const MAX_ATTEMPTS = 20;
/** Short, since a follower is not ready before it is over: everything that was away must be found back soon [SB7]. */
const BACKOFF = { baseMs: 200, capMs: 1_000 };
const LEAST_WAIT_MS = 50;
/** A step of the loser that takes longer than so many heartbeats is begun anew. */
const PATIENCE_HEARTBEATS = 50;

export class SplitBrain {
  readonly #kit: Kit;
  readonly #deps: SplitBrainDeps;
  readonly #machine;
  #case: Case | null = null;
  #attempts = 0;
  #notBeforeMs = 0;
  #timer: TimerHandle | null = null;
  /** What the follower asked last; begun again after an interruption, without waiting to be asked. */
  #asked: { readonly forkSeq: number; readonly request: CatchUpRequest } | null = null;
  #retry: TimerHandle | null = null;
  #outgoing: OutgoingTransfer | null = null;

  constructor(kit: Kit, deps: SplitBrainDeps) {
    this.#kit = kit;
    this.#deps = deps;
    this.#machine = startMachine(
      kit,
      splitBrainMachine.provide({
        actions: {
          lock: () => void this.#lock(),
          compare: () => this.#compare(""),
          resolve: () => void this.#resolve(),
          verify: () => void this.#verify(),
          finish: () => this.#finish(),
          callPerson: () => this.#callPerson(),
        },
      }),
    );
  }

  get machineValue(): string {
    return this.#machine.getSnapshot().value;
  }

  get active(): boolean {
    return !["united", "resolved", "needsPerson"].includes(this.machineValue);
  }

  /** A follower has commands of its own behind `forkSeq`. */
  begin(forkSeq: number, request: CatchUpRequest): void {
    this.#kit.alarms.raise("split-brain", `both engines led; the logs part after command ${forkSeq}`);
    this.#asked = { forkSeq, request };
    if (this.active || this.#kit.nowMs() < this.#notBeforeMs) return;
    this.#cancelRetry();
    if (this.#attempts === 0) this.#kit.counters.splitBrains += 1;
    this.#case = { forkSeq, request, divergent: [], loserClock: request.clock, sentChecksum: "" };
    this.#machine.send({ type: "DIVERGED", forkSeq });
  }

  /** The follower has nothing of its own any more: it is over, also where its last answer was lost [SB5]. */
  agreed(): void {
    if (!this.#kit.alarms.stands("split-brain")) return;
    this.#cancelRetry();
    this.#machine.send({ type: "AGREED" });
    this.#finish();
  }

  /** This engine no longer leads. */
  demoted(): void {
    this.#quit();
    this.#cancelRetry();
    this.#attempts = 0;
    this.#machine.send({ type: "DEMOTED" });
    this.#kit.alarms.clear("split-brain");
  }

  /** The link to the loser is gone: it asks again when it is back. */
  linkLost(): void {
    this.#asked = null;
    this.#cancelRetry();
    this.interrupted("the peer is gone");
  }

  /** A step failed. `blameless`: for want of somebody else, so that it is tried for as long as that lasts. */
  interrupted(reason: string, blameless = false): void {
    if (!this.active) return;
    this.#quit();
    if (!blameless || this.#attempts === 0) this.#attempts += 1;
    const waitMs = backoffMs(Math.min(this.#attempts, 10), this.#kit.ports.random.next(), BACKOFF);
    this.#notBeforeMs = this.#kit.nowMs() + Math.max(LEAST_WAIT_MS, waitMs);
    if (this.#attempts < MAX_ATTEMPTS) this.#machine.send({ type: "INTERRUPTED", reason });
    else this.#machine.send({ type: "GAVE_UP", reason });
    this.#kit.ports.logger.warn({ reason, attempts: this.#attempts }, "reconciliation interrupted");
    this.#tryAgainLater();
  }

  /** Begins again with what the follower asked last, as soon as that is allowed. */
  #tryAgainLater(): void {
    const asked = this.#asked;
    if (asked === null || !this.#deps.leads()) return;
    this.#cancelRetry();
    this.#retry = this.#kit.ports.clock.setTimeout(
      () => {
        this.#retry = null;
        if (this.#asked === asked && this.#deps.leads() && this.machineValue !== "needsPerson") {
          this.begin(asked.forkSeq, asked.request);
        }
      },
      Math.max(0, this.#notBeforeMs - this.#kit.nowMs()) + 1,
    );
  }

  #cancelRetry(): void {
    if (this.#retry !== null) this.#kit.ports.clock.clearTimeout(this.#retry);
    this.#retry = null;
  }

  stop(): void {
    this.#quit();
    this.#cancelRetry();
    this.#machine.stop();
  }

  takeDivergence(page: DivergencePage): void {
    const current = this.#case;
    if (current === null || page.requestId !== current.request.requestId || this.machineValue !== "comparing") return;
    if (current.divergent.length + page.commands.length > MAX_DIVERGENT) {
      return this.interrupted(`more than ${MAX_DIVERGENT} commands diverge`);
    }
    if (!page.done && page.commands.length === 0) return this.interrupted("a page without commands is not the last");
    current.divergent.push(...page.commands);
    current.loserClock = page.clock;
    this.#patience();
    if (page.done) this.#machine.send({ type: "COMPARED" });
    else this.#compare("next");
  }

  takeAck(ack: TransferAck): void {
    if (ack.requestId === this.#case?.request.requestId) {
      this.#patience();
      this.#outgoing?.acknowledge(ack.index);
    }
  }

  takeReconciled(answer: Reconciled): void {
    const current = this.#case;
    if (current === null || answer.requestId !== current.request.requestId || this.machineValue !== "verifying") return;
    // The loser could not prove the lock: the witness did not answer it, or has lost the lock.
    if (answer.outcome !== "applied") return this.interrupted(answer.outcome, answer.outcome === "lock-not-held");
    const equal = answer.checksum === current.sentChecksum;
    const covered = ["equal", "before"].includes(compareClocks(answer.clock, this.#deps.log.clock));
    if (equal && covered) this.#machine.send({ type: "VERIFIED" });
    else this.interrupted(equal ? "the clocks differ" : "the checksums differ");
  }

  async #lock(): Promise<void> {
    const result = await this.#deps.lock.acquire(() => this.interrupted("the lock was lost", true));
    if (this.machineValue !== "locking") return this.#deps.lock.release();
    if (result.outcome === "acquired") this.#machine.send({ type: "LOCKED" });
    else this.interrupted(result.reason, true);
  }

  #compare(step: "" | "next"): void {
    const current = this.#case;
    if (current === null) return;
    if (step === "") current.divergent = [];
    this.#patience();
    this.#deps.send({
      type: "divergence-request",
      requestId: current.request.requestId,
      epoch: this.#deps.book.accepted,
      forkSeq: current.forkSeq,
      afterSeq: current.divergent.at(-1)?.seq ?? current.forkSeq,
    });
  }

  /** Keeps what will not stand, then lets stand again what may [SB2, SB3]. */
  async #resolve(): Promise<void> {
    const current = this.#case;
    if (current === null) return;
    try {
      await this.#settle(current);
    } catch (error) {
      return this.interrupted(error instanceof Error ? error.message : String(error));
    }
    // Not the machine's value: this may run within its very transition, when it still says `comparing`.
    if (this.#case === current) this.#machine.send({ type: "RESOLVED" });
  }

  /** Whether this engine has nothing of its own since the fork: then nothing is in dispute [SB2]. */
  #isDominated({ forkSeq, loserClock }: Case): boolean {
    const { log } = this.#deps;
    return log.position.seq === forkSeq && compareClocks(log.clock, loserClock) === "before";
  }

  async #settle(current: Case): Promise<void> {
    const { store } = this.#kit.ports;
    const undisputedThroughSeq = this.#isDominated(current) ? this.#deps.peerToldSeq() : 0;
    const conflicts = toConflicts(this.#kit, {
      ...current,
      undisputedThroughSeq,
      winnerEpoch: this.#deps.book.accepted,
    });
    store.saveConflicts(conflicts);
    for (const conflict of conflicts) this.#kit.emit({ type: "conflict", conflict });
    for (const conflict of conflicts.filter((one) => one.outcome === "reapplied")) {
      const { idempotencyKey, origin, originSeq } = conflict.divergent;
      // Under its own key: whoever sent it may have asked again here, or may yet.
      const answer = await this.#deps.submit(conflict.divergent, idempotencyKey ?? `reapply:${origin}:${originSeq}`);
      if (this.#case !== current) return;
      if (answer.outcome === "accepted") continue;
      // The key makes it safe to ask again, so only a lasting refusal settles the conflict.
      if (answer.outcome !== "invalid-command" && answer.outcome !== "idempotency-conflict")
        throw new Error(`applied again, the leader answered ${answer.outcome}`);
      store.saveConflicts([refused(conflict, answer.outcome)]);
    }
  }

  /** Sends the own state under the lock; the loser answers with what it then holds. */
  async #verify(): Promise<void> {
    const current = this.#case;
    if (current === null) return;
    this.#patience();
    try {
      const transfer = await this.#deps.snapshots.takeTransfer(current.forkSeq);
      const lock = this.#deps.lock.usable;
      if (this.machineValue !== "verifying" || this.#case !== current) return;
      if (lock === null || !this.#deps.leads()) return this.interrupted("the lock may have lapsed");
      current.sentChecksum = transfer.snapshot.checksum;
      const sending = { requestId: current.request.requestId, epoch: this.#deps.book.accepted, lock };
      this.#outgoing = new OutgoingTransfer(this.#kit, sending, transfer as never, (message) =>
        this.#deps.send(message),
      );
      this.#outgoing.start();
    } catch (error) {
      this.interrupted(error instanceof Error ? error.message : String(error));
    }
  }

  #finish(): void {
    this.#quit();
    this.#asked = null;
    this.#attempts = 0;
    this.#kit.alarms.clear("split-brain");
    const open = this.#kit.ports.store.conflicts(1_000).filter((conflict) => conflict.outcome === "open").length;
    this.#kit.alarms.set("conflicts-open", open > 0, `${open} conflicts wait for a person`);
  }

  #callPerson(): void {
    this.#quit();
    this.#kit.alarms.raise("split-brain", `recovery failed ${this.#attempts} times; the engines differ`);
  }

  #quit(): void {
    this.#case = null;
    this.#outgoing?.end(false);
    this.#outgoing = null;
    if (this.#timer !== null) this.#kit.ports.clock.clearTimeout(this.#timer);
    this.#timer = null;
    this.#deps.lock.release();
  }

  #patience(): void {
    if (this.#timer !== null) this.#kit.ports.clock.clearTimeout(this.#timer);
    const waitMs = this.#kit.failover.heartbeatMs * PATIENCE_HEARTBEATS;
    this.#timer = this.#kit.ports.clock.setTimeout(() => this.interrupted("the other engine does not answer"), waitMs);
  }
}
