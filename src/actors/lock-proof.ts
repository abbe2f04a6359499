/**
 * Proves that the sender of a state holds the reconcile lock [SB4]: asks the witness, and asks again at every heartbeat
 * while the state is put in place.
 */
import type { TimerHandle } from "../ports/basics.ts";
import type { Kit } from "./kit.ts";
import type { LockRead } from "../ports/witness.ts";
import { lockEndsAtMs } from "./reconcile-lock.ts";

/** A lock as somebody claims it; `fence` null: its id alone is claimed. */
interface ClaimedLock {
  readonly lockId: string;
  readonly fence: number | null;
}

export class LockProof {
  readonly #kit: Kit;
  readonly #lock: ClaimedLock;
  readonly #of: "winner" | "caller";
  #untilMs = Number.NEGATIVE_INFINITY;
  /** Answers to what was asked before count no longer. */
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  #timer: TimerHandle | null = null;

  /** `of`: whose lock it is, the leader's that reconciles us, or that of a caller of this engine. */
  constructor(kit: Kit, lock: ClaimedLock, of: "winner" | "caller") {
    this.#kit = kit;
    this.#lock = lock;
    this.#of = of;
  }

  get counts(): boolean {
    return this.#kit.nowMs() < this.#untilMs;
  }

  /** Asks the witness. No answer leaves what was proven before, which ends by itself. */
  async ask(): Promise<void> {
    const sentAtMs = this.#kit.nowMs();
    this.judge(await this.#kit.ports.witness.readLock(), sentAtMs);
  }

  /**
   * What the witness, asked at `sentAtMs`, said. Without a witness nobody here knows the winner's lock: its epoch over the
   * authenticated channel must do.
   */
  judge(standing: LockRead, sentAtMs: number): void {
    const { witness, store } = this.#kit.ports;
    if (witness.kind === "none" && this.#of === "winner") return void (this.#untilMs = Number.POSITIVE_INFINITY);
    if (standing.outcome === "unreachable" || sentAtMs < this.#notBeforeMs) return;
    const { lock } = standing;
    const isProven = this.#kit.rules.lockProves(lock, this.#lock, store.positions().lockFence);
    const endsAtMs = lockEndsAtMs(this.#kit.failover, sentAtMs, lock?.expiresMs ?? Number.POSITIVE_INFINITY);
    this.#untilMs = isProven ? Math.min(endsAtMs, sentAtMs + this.#countsForMs) : sentAtMs;
  }

  /** Asks again at every heartbeat until `end`. */
  keep(): void {
    const { clock } = this.#kit.ports;
    this.#timer = clock.setTimeout(() => {
      void this.ask();
      this.keep();
    }, this.#kit.failover.heartbeatMs);
  }

  /** The lock may have been given back: the proof counts again once the witness has said that it stands. */
  doubt(): void {
    this.#untilMs = this.#notBeforeMs = this.#kit.nowMs();
    void this.ask();
  }

  end(): void {
    if (this.#timer !== null) this.#kit.ports.clock.clearTimeout(this.#timer);
  }

  /**
   * How long one answer counts at most. The winner gives the lock back when it no longer hears this engine, and another
   * may take it at once; it last heard us a heartbeat before we asked, or later.
   */
  get #countsForMs(): number {
    if (this.#of === "caller") return Number.POSITIVE_INFINITY;
    const { heartbeatMs, missLimit, maxClockDriftPpm } = this.#kit.failover;
    return heartbeatMs * Math.max(1, missLimit - 1) * (1 - (2 * maxClockDriftPpm) / 1e6);
  }
}
