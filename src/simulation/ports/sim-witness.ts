/**
 * The `Witness` port of one process: the way to the witness and back, with delay, cuts and time-outs.
 * Keeps true: a swap whose answer did not come is `unknown`, whether it happened or not; it may even happen later.
 */
import type { LockRequest } from "../../adapters/local-lock.ts";
import type { LockId } from "../../core/ids.ts";
import type { Clock } from "../../ports/basics.ts";
import type {
  ExpectedRecord,
  LockAcquire,
  LockRead,
  LockRefresh,
  LockRelease,
  LockState,
  StrangeContent,
  Witness,
  WitnessRead,
  WitnessRecord,
  WitnessSwap,
} from "../../ports/witness.ts";
import type { MemoryWitnessServer } from "../../adapters/memory-witness.ts";
import type { Path } from "../ground/network.ts";
import type { Life, Scheduler } from "../ground/scheduler.ts";
import type { WitnessHost } from "../ground/witness-host.ts";

/** Sees what a process asks of the witness, for the checkers. */
export interface WitnessObserver {
  swapSent(next: WitnessRecord): void;
  swapped(previous: WitnessRecord | StrangeContent | null, next: WitnessRecord): void;
}

/** The way to the witness and back. */
export interface WitnessWay {
  readonly there: Path;
  readonly back: Path;
}

interface Unreachable {
  readonly outcome: "unreachable";
  readonly reason: string;
}

const REFUSED: Unreachable = { outcome: "unreachable", reason: "connection refused" };

/** The witness as one life of a process reaches it. */
export class SimWitness implements Witness {
  readonly kind = "memory";
  readonly #scheduler: Scheduler;
  readonly #host: WitnessHost;
  readonly #way: WitnessWay;
  readonly #clock: Clock;
  readonly #life: Life;
  readonly #observer: WitnessObserver;
  readonly #timeoutMs: number;
  #fenceFloor = 0;

  constructor(
    components: {
      readonly scheduler: Scheduler;
      readonly host: WitnessHost;
      readonly way: WitnessWay;
      readonly clock: Clock;
      readonly life: Life;
      readonly observer: WitnessObserver;
    },
    init: { readonly timeoutMs: number },
  ) {
    this.#scheduler = components.scheduler;
    this.#host = components.host;
    this.#way = components.way;
    this.#clock = components.clock;
    this.#life = components.life;
    this.#observer = components.observer;
    this.#timeoutMs = init.timeoutMs;
  }

  read(): Promise<WitnessRead> {
    return this.#call<WitnessRead, "unreachable">((server) => server.read(), "unreachable");
  }

  swap(expected: ExpectedRecord | StrangeContent, next: WitnessRecord): Promise<WitnessSwap> {
    if (!this.#life.alive) return new Promise(() => undefined);
    this.#observer.swapSent(next);
    return this.#call<WitnessSwap, "unknown">((server) => {
      const previous = server.standing;
      this.#host.replicate();
      const answer = server.swap(expected, next);
      if (answer.outcome === "swapped") this.#observer.swapped(previous, next);
      return answer;
    }, "unknown");
  }

  async acquireLock(request: LockRequest): Promise<LockAcquire> {
    const answer = await this.#call<LockAcquire, "unreachable">(
      (server) => server.lock.acquire(request, this.#fenceFloor),
      "unreachable",
    );
    if (answer.outcome === "acquired") this.#fenceFloor = answer.fence;
    return answer;
  }

  refreshLock(lockId: LockId, ttlMs?: number): Promise<LockRefresh> {
    return this.#call<LockRefresh, "unreachable">((server) => server.lock.refresh(lockId, ttlMs), "unreachable");
  }

  releaseLock(lockId: LockId): Promise<LockRelease> {
    return this.#call<LockRelease, "unreachable">((server) => server.lock.release(lockId), "unreachable");
  }

  breakLock(standing: Pick<LockState, "holder" | "fence">): Promise<LockRelease> {
    return this.#call<LockRelease, "unreachable">((server) => server.lock.break(standing), "unreachable");
  }

  async readLock(): Promise<LockRead> {
    const answer = await this.#call<LockRead, "unreachable">(
      (server) => ({ outcome: "read", lock: server.lock.read() }),
      "unreachable",
    );
    if (answer.outcome === "read") this.#fenceFloor = Math.max(this.#fenceFloor, answer.lock?.fence ?? 0);
    return answer;
  }

  async close(): Promise<void> {}

  /** One round trip. `lost` is the answer when none came in time; a refused connection is always `unreachable`. */
  #call<Answer, Lost extends "unknown" | "unreachable">(
    work: (server: MemoryWitnessServer) => Answer,
    lost: Lost,
  ): Promise<Answer | { outcome: Lost; reason: string } | Unreachable> {
    return new Promise((resolve) => {
      const late = `no answer within ${this.#timeoutMs} ms`;
      const timer = this.#clock.setTimeout(() => resolve({ outcome: lost, reason: late }), this.#timeoutMs);
      const { there, back } = this.#way;
      const answer = (value: Answer | Unreachable): void => {
        this.#scheduler.after(back.delayMs(), () => {
          if (back.cut) return;
          this.#scheduler.enter(this.#life, "arrival", () => {
            this.#clock.clearTimeout(timer);
            resolve(value);
          });
        });
      };
      const arrive = (): void => {
        if (there.cut) return;
        if (!this.#host.up) return answer(REFUSED);
        const { stalledUntilMs } = this.#host;
        if (stalledUntilMs > this.#scheduler.nowMs) return void this.#scheduler.at(stalledUntilMs, arrive);
        answer(work(this.#host.server));
      };
      this.#scheduler.after(there.delayMs(), arrive);
    });
  }
}
