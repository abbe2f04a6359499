/**
 * What stands in the witness's place where none is configured [CP3].
 * It never vouches for anybody: every question about the record is `unreachable`.
 * The lock is this engine's own: it keeps two reconciliations of one engine apart, not two engines.
 */
import type { LockId } from "../core/ids.ts";
import type { Clock } from "../ports/basics.ts";
import type {
  LockAcquire,
  LockRead,
  LockRefresh,
  LockRelease,
  LockState,
  Witness,
  WitnessRead,
  WitnessSwap,
} from "../ports/witness.ts";
import { LocalLock, type LockRequest } from "./local-lock.ts";

const NONE = { outcome: "unreachable", reason: "none configured" } as const;

export class NoWitness implements Witness {
  readonly kind = "none";
  readonly #lock: LocalLock;

  constructor(components: { readonly clock: Clock }) {
    this.#lock = new LocalLock(components);
  }

  read(): Promise<WitnessRead> {
    return Promise.resolve(NONE);
  }

  swap(): Promise<WitnessSwap> {
    return Promise.resolve(NONE);
  }

  acquireLock(request: LockRequest): Promise<LockAcquire> {
    return Promise.resolve(this.#lock.acquire(request));
  }

  refreshLock(lockId: LockId, ttlMs?: number): Promise<LockRefresh> {
    return Promise.resolve(this.#lock.refresh(lockId, ttlMs));
  }

  releaseLock(lockId: LockId): Promise<LockRelease> {
    return Promise.resolve(this.#lock.release(lockId));
  }

  breakLock(standing: Pick<LockState, "holder" | "fence">): Promise<LockRelease> {
    return Promise.resolve(this.#lock.break(standing));
  }

  readLock(): Promise<LockRead> {
    return Promise.resolve({ outcome: "read", lock: this.#lock.read() });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
