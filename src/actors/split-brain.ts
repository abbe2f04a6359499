/**
 * The winner's way back from two leaders to one state [SB2]: the steps of the `split-brain` chart. Divergent commands are
 * saved as conflicts before anything of the loser is replaced [SB3]. Each step starts again after an interruption and ends
 * in the same result [SB5], and nothing is done without a usable lock [I14].
 */
import { fromPromise, type Actor } from "xstate";
import { splitBrainMachine, type Divergence, type SplitBrainContext } from "../../machines/split-brain.machine.ts";
import { backoffMs } from "../core/failure-detector.ts";
import type { Command } from "../core/command.ts";
import { endOfShape } from "../core/log-rules.ts";
import type { CatchUpRequest, DivergencePage, PeerMessage, Reconciled, TransferAck } from "../core/messages.ts";
import type { SubmitOutcome } from "../core/outcomes.ts";
import { compareClocks } from "../core/vector-clock.ts";
import { raiseGone } from "./alarms.ts";
import type { CommandLog } from "./command-log.ts";
import { refused, toConflicts } from "./conflict-book.ts";
import type { EpochBook } from "./epoch-book.ts";
import type { Kit } from "./kit.ts";
import { Interruption, Replies } from "./replies.ts";
import { leafOf, startMachine } from "./start-machine.ts";
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

/** What one try works on. */
interface Case {
  readonly forkSeq: number;
  readonly request: CatchUpRequest;
}

/** Divergent commands that one reconciliation holds; more are left to a person. */
const MAX_DIVERGENT = 100_000;
/** Short, since a follower is not ready before it is over: everything that was away must be found back soon [SB7]. */
const BACKOFF = { baseMs: 200, capMs: 1_000 };
const LEAST_WAIT_MS = 50;
/** A step of the loser that takes longer than so many heartbeats is begun again. */
const PATIENCE_HEARTBEATS = 50;

export class SplitBrain {
  readonly #kit: Kit;
  readonly #deps: SplitBrainDeps;
  readonly #machine: Actor<typeof splitBrainMachine>;
  /** Where the running step waits for the other engine; what belongs to another request is not for it. */
  #pages: {
    readonly requestId: string;
    readonly replies: Replies<DivergencePage>;
    afterSeq: number;
    ask(): void;
  } | null = null;
  #answers: {
    readonly requestId: string;
    readonly replies: Replies<Reconciled>;
    readonly outgoing: OutgoingTransfer;
  } | null = null;

  constructor(kit: Kit, deps: SplitBrainDeps) {
    this.#kit = kit;
    this.#deps = deps;
    const { alarms, ports } = kit;
    this.#machine = startMachine(
      kit,
      splitBrainMachine.provide({
        actors: {
          lock: fromPromise(() => this.#lock()),
          compare: fromPromise(({ signal }) => this.#compare(this.#case, signal)),
          resolve: fromPromise(({ signal }) => this.#resolve(this.#case, signal)),
          verify: fromPromise(({ signal }) => this.#verify(this.#case, signal)),
        },
        delays: { backoff: ({ context }) => backoffOf(context, ports.random.next()) },
        actions: {
          raise: ({ context }) => {
            kit.counters.splitBrains += 1;
            alarms.raise("split-brain", `both engines led; the logs part after command ${context.forkSeq}`);
          },
          tellInterruption: ({ context: { attempts }, event }) => {
            const reason = "error" in event ? errorText(event.error) : "the lock was lost";
            ports.logger.warn({ reason, attempts }, "reconciliation interrupted");
          },
          releaseLock: () => deps.lock.release(),
          clear: () => alarms.clear("split-brain"),
          finish: () => this.#finish(),
          callPerson: ({ context }) =>
            alarms.raise("split-brain", `recovery failed ${context.attempts} times; the engines differ`),
        },
      }),
    );
  }

  get machineValue(): string {
    return leafOf(this.#machine);
  }

  /** A follower has commands of its own behind `forkSeq`. */
  begin(forkSeq: number, request: CatchUpRequest): void {
    this.#machine.send({ type: "DIVERGED", forkSeq, request });
    // A follower that asks again while its commands are awaited: the request or the page was lost on a link that broke.
    this.#pages?.ask();
    // Whoever asks under a new id has given up what was on its way under the old one, and will not answer it.
    if (this.#answers !== null && this.#answers.requestId !== request.requestId)
      this.#answers.replies.giveUp("the follower asked again", true);
  }

  /** The follower has nothing of its own any more: it is over, also where its last answer was lost [SB5]. */
  agreed(): void {
    this.#machine.send({ type: "AGREED" });
  }

  /** This engine no longer leads. */
  demoted(): void {
    this.#machine.send({ type: "DEMOTED" });
  }

  /** The link to the loser is gone: it asks again when it is back. */
  linkLost(): void {
    this.#machine.send({ type: "LINK_LOST" });
  }

  lockLost(): void {
    this.#machine.send({ type: "LOCK_LOST" });
  }

  stop(): void {
    this.#machine.stop();
  }

  onDivergence(page: DivergencePage): void {
    if (page.requestId !== this.#pages?.requestId) return;
    // A page that was asked for twice comes twice.
    const [first] = page.commands;
    if (first === undefined || first.seq > this.#pages.afterSeq) this.#pages.replies.deliver(page);
  }

  onAck(ack: TransferAck): void {
    if (ack.requestId !== this.#answers?.requestId) return;
    this.#answers.replies.signOfLife();
    this.#answers.outgoing.acknowledge(ack.index);
  }

  onReconciled(answer: Reconciled): void {
    if (answer.requestId === this.#answers?.requestId) this.#answers.replies.deliver(answer);
  }

  get #case(): Case & { readonly divergence: Divergence } {
    const { forkSeq, request, divergence } = this.#machine.getSnapshot().context;
    if (request === null) throw new Error("broken invariant: a recovery has a request");
    return { forkSeq, request, divergence: divergence ?? { divergent: [], loserClock: request.clock } };
  }

  async #lock(): Promise<void> {
    const result = await this.#deps.lock.acquire();
    if (result.outcome !== "acquired") throw new Interruption(result.reason, true);
  }

  /** All commands that the loser has behind the fork. */
  async #compare({ forkSeq, request }: Case, signal: AbortSignal): Promise<Divergence> {
    const { requestId } = request;
    const replies = this.#repliesFor<DivergencePage>(signal);
    const ask = (): void => {
      const epoch = this.#deps.book.accepted;
      this.#deps.send({ type: "divergence-request", requestId, epoch, forkSeq, afterSeq: pages.afterSeq });
    };
    const pages = { requestId, replies, afterSeq: forkSeq, ask };
    this.#pages = pages;
    const divergent: Command[] = [];
    try {
      for (;;) {
        pages.afterSeq = divergent.at(-1)?.seq ?? forkSeq;
        const answer = replies.next();
        ask();
        const page = await answer;
        if (divergent.length + page.commands.length > MAX_DIVERGENT)
          throw new Interruption(`more than ${MAX_DIVERGENT} commands diverge`);
        if (!page.done && page.commands.length === 0) throw new Interruption("a page without commands is not the last");
        divergent.push(...page.commands);
        if (!page.done) continue;
        this.#tellGone(forkSeq, divergent[0]?.seq ?? endOfShape(request.shape).seq + 1);
        return { divergent, loserClock: page.clock };
      }
    } finally {
      if (this.#pages === pages) this.#pages = null;
    }
  }

  /** What the loser no longer holds cannot be kept as a conflict; a person hears of it at least [SB3]. */
  #tellGone(forkSeq: number, firstToldSeq: number): void {
    if (firstToldSeq > forkSeq + 1) raiseGone(this.#kit.alarms, "the other engine", forkSeq + 1, firstToldSeq - 1);
  }

  /** Whether this engine has nothing of its own since the fork: then nothing is in dispute [SB2]. */
  #isDominated({ forkSeq }: Case, { loserClock }: Divergence): boolean {
    const { log } = this.#deps;
    return log.position.seq === forkSeq && compareClocks(log.clock, loserClock) === "before";
  }

  /** Saves what diverges as conflicts, then applies again what the policy allows [SB2, SB3]. */
  async #resolve(current: Case & { readonly divergence: Divergence }, signal: AbortSignal): Promise<void> {
    const { store } = this.#kit.ports;
    const { divergence } = current;
    const undisputedThroughSeq = this.#isDominated(current, divergence) ? this.#deps.peerToldSeq() : 0;
    const conflicts = toConflicts(this.#kit, {
      forkSeq: current.forkSeq,
      ...divergence,
      undisputedThroughSeq,
      winnerEpoch: this.#deps.book.accepted,
    });
    store.saveConflicts(conflicts);
    for (const conflict of conflicts) this.#kit.emit({ type: "conflict", conflict });
    for (const conflict of conflicts.filter((one) => one.outcome === "reapplied")) {
      const { idempotencyKey, origin, originSeq } = conflict.divergent;
      // Under its own key: its sender may have asked again here, or still may.
      const answer = await this.#deps.submit(conflict.divergent, idempotencyKey ?? `reapply:${origin}:${originSeq}`);
      if (signal.aborted) return;
      if (answer.outcome === "accepted") continue;
      // The key makes it safe to ask again, so only a lasting refusal settles the conflict.
      if (answer.outcome !== "invalid-command" && answer.outcome !== "idempotency-conflict")
        throw new Error(`applied again, the leader answered ${answer.outcome}`);
      store.saveConflicts([refused(conflict, answer.outcome)]);
    }
  }

  /** Sends this engine's state under the lock; the loser answers with what it then holds [SB5]. */
  async #verify({ forkSeq }: Case, signal: AbortSignal): Promise<void> {
    const transfer = await this.#deps.snapshots.takeTransfer(forkSeq);
    if (signal.aborted) return;
    // The follower may have asked again while the state was taken.
    const { requestId } = this.#case.request;
    if (this.#case.forkSeq !== forkSeq) throw new Interruption("the follower asked again", true);
    const lock = this.#deps.lock.usable;
    if (lock === null || !this.#deps.leads()) throw new Interruption("the lock may have lapsed");
    const sending = { requestId, epoch: this.#deps.book.accepted, lock };
    const send = (message: PeerMessage): boolean => this.#deps.send(message);
    const outgoing = new OutgoingTransfer(this.#kit, sending, transfer as never, send);
    const replies = this.#repliesFor<Reconciled>(signal);
    this.#answers = { requestId, replies, outgoing };
    try {
      const answer = replies.next();
      outgoing.start();
      const { outcome, checksum, clock } = await answer;
      // The loser could not prove the lock: the witness did not answer it, or has lost the lock.
      if (outcome !== "applied") throw new Interruption(outcome, outcome === "lock-not-held");
      if (checksum !== transfer.snapshot.checksum) throw new Interruption("the checksums differ");
      if (!["equal", "before"].includes(compareClocks(clock, this.#deps.log.clock)))
        throw new Interruption("the clocks differ");
    } finally {
      outgoing.end(false);
    }
  }

  #repliesFor<Message>(signal: AbortSignal): Replies<Message> {
    const patienceMs = this.#kit.failover.heartbeatMs * PATIENCE_HEARTBEATS;
    return new Replies<Message>(this.#kit.ports.clock, patienceMs, signal);
  }

  #finish(): void {
    this.#kit.alarms.clear("split-brain");
    const open = this.#kit.ports.store.conflicts(1_000).filter((conflict) => conflict.outcome === "open").length;
    this.#kit.alarms.set("conflicts-open", open > 0, `${open} conflicts wait for a person`);
  }
}

function backoffOf({ attempts }: SplitBrainContext, chance: number): number {
  return Math.max(LEAST_WAIT_MS, backoffMs(Math.min(attempts, 10), chance, BACKOFF));
}

function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
