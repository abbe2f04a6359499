/**
 * One holding of the reconcile lock, kept fresh while recovery works: the steps and delays of the `reconcile-lock` chart.
 * It counts its own end from the send time and stops using the lock before the witness lets it lapse [RL2].
 *
 * The lock bears the label and the epoch of the leader that reconciles. So the next leader can tell that it is left over
 * from one that is dead or was replaced, and breaks it instead of waiting for its end [SB7]. A lock that a tool or a
 * person has acquired bears another name and is never broken.
 */
import { fromPromise, waitFor, type Actor } from "xstate";
import {
  reconcileLockMachine,
  type LockAttempt,
  type LockRefreshed,
  type ReconcileLockContext,
} from "../../machines/reconcile-lock.machine.ts";
import { type Epoch, holderName, parseHolder } from "../core/epoch.ts";
import type { LockId } from "../core/ids.ts";
import type { FailoverSettings } from "../core/settings.ts";
import type { LockAcquire } from "../ports/witness.ts";
import type { Kit } from "./kit.ts";
import { startMachine } from "./start-machine.ts";

export type HeldLock = NonNullable<ReconcileLockContext["lock"]>;

export type AcquireResult =
  | { readonly outcome: "acquired"; readonly lock: HeldLock }
  | { readonly outcome: "not-acquired"; readonly reason: string };

/** Refreshed at least so many times within one TTL. */
const REFRESHES_PER_TTL = 3;
export interface ReconcileLockDeps {
  /** The epoch that this engine leads in. */
  readonly book: { readonly accepted: Epoch };
  /** Whether the peer is proven dead [DP1]. */
  readonly monitor: { readonly state: string };
  /** The lock was held and may be used no longer. */
  onLost(): void;
}

/**
 * Our monotonic instant up to which a lock may be relied on that the witness, asked at `sentAtMs`, said to last
 * `lastsMs`: before the witness lets it lapse, drift included [RL2].
 */
export function lockEndsAtMs(
  settings: Pick<FailoverSettings, "maxClockDriftPpm" | "quiesceMs">,
  sentAtMs: number,
  lastsMs: number,
): number {
  return sentAtMs + lastsMs * (1 - (2 * settings.maxClockDriftPpm) / 1e6) - settings.quiesceMs;
}

export class ReconcileLock {
  readonly #kit: Kit;
  readonly #deps: ReconcileLockDeps;
  readonly #machine: Actor<typeof reconcileLockMachine>;

  constructor(kit: Kit, deps: ReconcileLockDeps) {
    this.#kit = kit;
    this.#deps = deps;
    const { heartbeatMs, reconcileLockMs } = kit.failover;
    this.#machine = startMachine(
      kit,
      reconcileLockMachine.provide({
        actors: {
          acquire: fromPromise(({ signal }) => this.#acquire(signal)),
          refresh: fromPromise(() => this.#refresh()),
        },
        delays: {
          refreshDelay: Math.min(heartbeatMs, reconcileLockMs / REFRESHES_PER_TTL),
          untilMargin: ({ context }) => Math.max(0, context.usableUntilMs - kit.nowMs()),
        },
        actions: {
          release: ({ context: { lock } }) => void (lock === null || kit.ports.witness.releaseLock(lock.lockId)),
          lockLost: () => deps.onLost(),
        },
      }),
    );
  }

  get machineValue(): string {
    const { value } = this.#machine.getSnapshot();
    return typeof value === "string" ? value : "held";
  }

  /** The lock while it may be used; null once it may have lapsed. */
  get usable(): HeldLock | null {
    const { lock, usableUntilMs } = this.#machine.getSnapshot().context;
    return this.#kit.nowMs() < usableUntilMs ? lock : null;
  }

  /** Ms that the lock may still be used. */
  get usableForMs(): number {
    return Math.max(0, this.#machine.getSnapshot().context.usableUntilMs - this.#kit.nowMs());
  }

  async acquire(): Promise<AcquireResult> {
    this.#machine.send({ type: "ACQUIRE" });
    const { context } = await waitFor(this.#machine, (snapshot) => !snapshot.matches("acquiring"));
    const { lock, reason } = context;
    return lock === null ? { outcome: "not-acquired", reason } : { outcome: "acquired", lock };
  }

  release(): void {
    this.#machine.send({ type: "RELEASE" });
  }

  stop(): void {
    this.release();
    this.#machine.stop();
  }

  /** What is acquired although nobody waits for it any more, or too late, is given back. */
  async #acquire(signal: AbortSignal): Promise<LockAttempt> {
    const { witness, ids } = this.#kit.ports;
    const lockId = ids.next("lock");
    let { answer, sentAtMs } = await this.#ask(lockId);
    if (answer.outcome === "held" && !signal.aborted && (await this.#breaks(answer)) && !signal.aborted)
      ({ answer, sentAtMs } = await this.#ask(lockId));
    if (answer.outcome === "held") return { outcome: "not-acquired", reason: `held by ${answer.holder}` };
    if (answer.outcome === "unreachable") {
      // Without an answer it may stand all the same: better given back than left to its TTL.
      void witness.releaseLock(lockId);
      return { outcome: "not-acquired", reason: answer.reason };
    }
    const usableUntilMs = this.#usableUntilMs(sentAtMs);
    if (!signal.aborted && this.#kit.nowMs() < usableUntilMs) {
      return { outcome: "acquired", lockId, fence: answer.fence, usableUntilMs };
    }
    await witness.releaseLock(lockId);
    return { outcome: "not-acquired", reason: "the answer came too late to be useful" };
  }

  async #ask(lockId: LockId): Promise<{ answer: LockAcquire; sentAtMs: number }> {
    const { options, failover, ports } = this.#kit;
    const holder = holderName(options.label, this.#deps.book.accepted);
    const sentAtMs = this.#kit.nowMs();
    return { answer: await ports.witness.acquireLock({ lockId, holder, ttlMs: failover.reconcileLockMs }), sentAtMs };
  }

  /** Ends the lock of an engine that can have no more use for it; whether it is gone now [SB7]. */
  async #breaks(standing: { readonly holder: string; readonly fence: number }): Promise<boolean> {
    const { ports, options, rules } = this.#kit;
    const { label } = options;
    const holder = parseHolder(standing.holder);
    const { book, monitor } = this.#deps;
    const view = { holder, label, epoch: book.accepted, peerDead: monitor.state === "dead" };
    if (!rules.mayBreakLock(view)) return false;
    const answer = await ports.witness.breakLock(standing);
    ports.logger.info(
      { holder: standing.holder, fence: standing.fence, outcome: answer.outcome },
      "reconcile lock broken",
    );
    return answer.outcome === "released" || answer.outcome === "expired";
  }

  async #refresh(): Promise<LockRefreshed> {
    const { lock } = this.#machine.getSnapshot().context;
    if (lock === null) return { outcome: "lost" };
    const sentAtMs = this.#kit.nowMs();
    const answer = await this.#kit.ports.witness.refreshLock(lock.lockId, this.#kit.failover.reconcileLockMs);
    if (answer.outcome === "unreachable") return { outcome: "unanswered" };
    if (answer.outcome !== "refreshed") return { outcome: "lost" };
    return { outcome: "refreshed", usableUntilMs: this.#usableUntilMs(sentAtMs) };
  }

  #usableUntilMs(sentAtMs: number): number {
    return lockEndsAtMs(this.#kit.failover, sentAtMs, this.#kit.failover.reconcileLockMs);
  }
}
