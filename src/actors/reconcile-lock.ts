/**
 * One holding of the reconcile lock, kept fresh while recovery works. Binds `reconcile-lock`. It counts its own end from
 * send time and stops using the lock before the witness lets it lapse [RL2].
 *
 * The lock bears the label and the epoch of the leader that reconciles. So the next leader can tell that it is left over
 * from one that is dead or was replaced, and breaks it instead of waiting for its end [SB7]. A lock that a tool or a
 * person has acquired bears another name and is never broken.
 */
import { reconcileLockMachine } from "../../machines/reconcile-lock.machine.ts";
import type { Epoch } from "../core/epoch.ts";
import type { LockId } from "../core/ids.ts";
import type { FailoverSettings } from "../core/settings.ts";
import type { TimerHandle } from "../ports/clock.ts";
import type { LockAcquire } from "../ports/witness.ts";
import { holderName, parseHolder } from "../core/lock-holder.ts";
import type { Kit } from "./kit.ts";
import { startMachine } from "./start-machine.ts";

export interface HeldLock {
  readonly lockId: LockId;
  readonly fence: number;
}

export type AcquireResult =
  | { readonly outcome: "acquired"; readonly lock: HeldLock }
  | { readonly outcome: "not-acquired"; readonly reason: string };

/** Refreshed at least so many times within one TTL. */
const REFRESHES_PER_TTL = 3;
export interface ReconcileLockDeps {
  /** The epoch that this engine leads in. */
  readonly book: { readonly accepted: Epoch };
  /** Whether the peer is proven dead [DP1]. */
  readonly monitor: { readonly machineValue: string };
}

/**
 * The own monotonic instant up to which a lock may be relied on that the witness, asked at `sentAtMs`, said to last
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
  readonly #machine;
  #held: HeldLock | null = null;
  #usableUntilMs = 0;
  /** Counts what was begun or given up, so that an answer that nobody waits for any more holds no lock. */
  #attempt = 0;
  #timer: TimerHandle | null = null;
  #onLost: () => void = () => undefined;

  constructor(kit: Kit, deps: ReconcileLockDeps) {
    this.#kit = kit;
    this.#deps = deps;
    this.#machine = startMachine(
      kit,
      reconcileLockMachine.provide({
        actions: {
          keepFresh: () => this.#armRefresh(),
          release: () => void this.#release(),
          lockLost: () => this.#lost(),
        },
      }),
    );
  }

  get machineValue(): string {
    return this.#machine.getSnapshot().value;
  }

  /** The lock while it may be used; null once it may have lapsed. */
  get usable(): HeldLock | null {
    return this.#held !== null && this.#kit.nowMs() < this.#usableUntilMs ? this.#held : null;
  }

  /** Ms that the lock may still be used. */
  get usableForMs(): number {
    return Math.max(0, this.#usableUntilMs - this.#kit.nowMs());
  }

  async acquire(onLost: () => void): Promise<AcquireResult> {
    const { witness, ids } = this.#kit.ports;
    this.#machine.send({ type: "ACQUIRE" });
    const lockId = ids.next("lock");
    const attempt = (this.#attempt += 1);
    let { answer, sentAtMs } = await this.#ask(lockId);
    if (answer.outcome === "held" && attempt === this.#attempt && (await this.#breaks(answer))) {
      if (attempt === this.#attempt) ({ answer, sentAtMs } = await this.#ask(lockId));
    }
    if (attempt !== this.#attempt) {
      if (answer.outcome === "acquired") await witness.releaseLock(lockId);
      return { outcome: "not-acquired", reason: "given up meanwhile" };
    }
    // Without an answer it may stand all the same: better given back than left to its TTL.
    if (answer.outcome === "unreachable") void witness.releaseLock(lockId);
    if (answer.outcome !== "acquired") {
      const reason = answer.outcome === "held" ? `held by ${answer.holder}` : answer.reason;
      this.#machine.send({ type: "NOT_ACQUIRED", reason });
      return { outcome: "not-acquired", reason };
    }
    this.#held = { lockId, fence: answer.fence };
    this.#countFrom(sentAtMs);
    if (this.usable === null) {
      this.#machine.send({ type: "NOT_ACQUIRED", reason: "too late" });
      await this.#release();
      return { outcome: "not-acquired", reason: "the answer came too late to be useful" };
    }
    this.#onLost = onLost;
    this.#machine.send({ type: "ACQUIRED" });
    return { outcome: "acquired", lock: this.#held };
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
    const view = { holder, label, epoch: book.accepted, peerDead: monitor.machineValue === "dead" };
    if (!rules.mayBreakLock(view)) return false;
    const answer = await ports.witness.breakLock(standing);
    ports.logger.info(
      { holder: standing.holder, fence: standing.fence, outcome: answer.outcome },
      "reconcile lock broken",
    );
    return answer.outcome === "released" || answer.outcome === "expired";
  }

  release(): void {
    this.#disarm();
    this.#attempt += 1;
    this.#onLost = () => undefined;
    this.#machine.send({ type: "RELEASE" });
  }

  stop(): void {
    this.release();
    this.#machine.stop();
  }

  #countFrom(sentAtMs: number): void {
    this.#usableUntilMs = lockEndsAtMs(this.#kit.failover, sentAtMs, this.#kit.failover.reconcileLockMs);
  }

  #armRefresh(): void {
    this.#disarm();
    const { heartbeatMs, reconcileLockMs } = this.#kit.failover;
    const everyMs = Math.min(heartbeatMs, reconcileLockMs / REFRESHES_PER_TTL);
    this.#timer = this.#kit.ports.clock.setTimeout(() => void this.#refresh(), everyMs);
  }

  async #refresh(): Promise<void> {
    const held = this.#held;
    if (held === null) return;
    const sentAtMs = this.#kit.nowMs();
    const answer = await this.#kit.ports.witness.refreshLock(held.lockId, this.#kit.failover.reconcileLockMs);
    if (this.#held !== held) return;
    if (answer.outcome === "refreshed") {
      this.#countFrom(sentAtMs);
      this.#machine.send({ type: "REFRESHED" });
      this.#armRefresh();
    } else if (answer.outcome === "unreachable" && this.usable !== null) {
      this.#armRefresh();
    } else {
      this.#machine.send({ type: "LAPSED", reason: answer.outcome });
    }
  }

  async #release(): Promise<void> {
    const held = this.#held;
    this.#held = null;
    if (held !== null) await this.#kit.ports.witness.releaseLock(held.lockId);
  }

  #lost(): void {
    this.#held = null;
    this.#disarm();
    this.#onLost();
  }

  #disarm(): void {
    if (this.#timer !== null) this.#kit.ports.clock.clearTimeout(this.#timer);
    this.#timer = null;
  }
}
