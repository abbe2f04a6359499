/**
 * A witness in memory, shared by engines of one process: for the simulator and for tests.
 * Each call is one step, done before it returns; the same calls give the same answers, run ids included. It
 * has no timer: locks lapse by comparing with the clock. It can lose its memory or go back to an old copy, as a real
 * witness can, and shows it by a new run id [CP5].
 * It does not know delay, loss and cuts on the way to it; the simulator wraps a client in those.
 */
import type { LockId } from "../core/ids.ts";
import type { Clock } from "../ports/basics.ts";
import type {
  ExpectedRecord,
  LockAcquire,
  LockRead,
  LockRefresh,
  LockRelease,
  LockState,
  RunId,
  StrangeContent,
  Witness,
  WitnessRead,
  WitnessRecord,
  WitnessSwap,
} from "../ports/witness.ts";
import { LocalLock, type LockRequest, type Reached } from "./local-lock.ts";
import { isExpected, isStrange } from "./witness-record.ts";

/** The memory itself: one for both engines of a pair. */
export class MemoryWitnessServer {
  readonly lock: LocalLock;
  #standing: WitnessRecord | StrangeContent | null = null;
  #lives = 1;

  /** `clock` is the witness's own: its locks lapse by it. */
  constructor(components: { readonly clock: Clock }) {
    this.lock = new LocalLock(components);
  }

  /** The record; null: there is none, or something else stands in its place. */
  get record(): WitnessRecord | null {
    return this.#standing === null || isStrange(this.#standing) ? null : this.#standing;
  }

  /** What stands there, be it a record or not. */
  get standing(): WitnessRecord | StrangeContent | null {
    return this.#standing;
  }

  read(): Reached<WitnessRead> {
    if (this.#standing !== null && isStrange(this.#standing)) return { outcome: "corrupt", ...this.#standing };
    return { outcome: "read", record: this.#standing, runId: this.runId };
  }

  get runId(): RunId {
    return `memory-${this.#lives}`;
  }

  /** Compares and sets in one step. */
  swap(expected: ExpectedRecord | StrangeContent, next: WitnessRecord): Reached<WitnessSwap> {
    if (!isExpected(this.#standing, expected)) {
      const found = this.read();
      return found.outcome === "read" ? { ...found, outcome: "lost" } : found;
    }
    this.#standing = next;
    return { outcome: "swapped", runId: this.runId };
  }

  /** Someone else writes here: a record of another pair, or something that is no record. */
  scribble(standing: WitnessRecord | StrangeContent): void {
    this.#standing = standing;
  }

  /** Loses everything, as a server that restarts empty. */
  forget(): void {
    this.#standing = null;
    this.lock.forget();
    this.#lives += 1;
  }

  /** Goes back to an old copy of the record, as a fail-over to a replica that lagged. The lock had not reached it. */
  rollBack(record: WitnessRecord | null): void {
    this.forget();
    this.#standing = record;
  }
}

/** One engine's way to the memory. */
export class MemoryWitness implements Witness {
  readonly kind = "memory";
  readonly #server: MemoryWitnessServer;
  /** The highest fence seen here: a memory that forgot gives none below it. */
  #fenceFloor = 0;

  constructor(components: { readonly server: MemoryWitnessServer }) {
    this.#server = components.server;
  }

  read(): Promise<WitnessRead> {
    return Promise.resolve(this.#server.read());
  }

  swap(expected: ExpectedRecord | StrangeContent, next: WitnessRecord): Promise<WitnessSwap> {
    return Promise.resolve(this.#server.swap(expected, next));
  }

  acquireLock(request: LockRequest): Promise<LockAcquire> {
    const answer = this.#server.lock.acquire(request, this.#fenceFloor);
    if (answer.outcome === "acquired") this.#fenceFloor = answer.fence;
    return Promise.resolve(answer);
  }

  refreshLock(lockId: LockId, ttlMs?: number): Promise<LockRefresh> {
    return Promise.resolve(this.#server.lock.refresh(lockId, ttlMs));
  }

  releaseLock(lockId: LockId): Promise<LockRelease> {
    return Promise.resolve(this.#server.lock.release(lockId));
  }

  breakLock(standing: Pick<LockState, "holder" | "fence">): Promise<LockRelease> {
    return Promise.resolve(this.#server.lock.break(standing));
  }

  readLock(): Promise<LockRead> {
    const lock = this.#server.lock.read();
    this.#fenceFloor = Math.max(this.#fenceFloor, lock?.fence ?? 0);
    return Promise.resolve({ outcome: "read", lock });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
