/**
 * The witness for two engines on one host: one SQLite file that both open.
 * Keeps true:
 * - Every call is one short transaction within one synchronous call, so that a frozen process holds up the other only
 *   if it was frozen inside those microseconds; then the other waits `busyMs` at most and answers `unreachable`.
 * - The run id is made with the file, and each call checks that the file still stands: a removed or replaced one is
 *   noticed [CP5]. (Remove its `-wal` and `-shm` with it.)
 * - The lock lapses by the wall clock, the only one that two processes share through the port. A clock set back cannot
 *   keep it for ever: a lock from the future is counted anew by whoever wants it next, so that it stands twice its TTL
 *   at most. A clock set forward ends it early, which its fence makes harmless [RL3]. No clock touches the record.
 * - `synchronous` is NORMAL: a commit does not wait for the disk, so that a slow disk does not hold up the engine's loop.
 *   The file outlives every process. A power cut may take the last commits, but it takes both engines and their votes
 *   with it: their own stores keep the epochs [EP2], and the quarantine after a start covers an older record [CP5].
 * Does not know: who leads. Must not be the event store's file: that one may be busy for longer.
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
  StrangeContent,
  Witness,
  WitnessRead,
  WitnessRecord,
  WitnessSwap,
} from "../ports/witness.ts";
import type { LockRequest } from "./local-lock.ts";
import { type LockRow, type OpenWitnessFile, WitnessFile, witnessFileFault } from "./sqlite-witness/file.ts";
import { isExpected, isStrange, recordFromText, recordToText } from "./witness-record.ts";

/** Settings of `SqliteWitness`. */
export interface SqliteWitnessInit {
  /** Path of the file; made with its folder when it does not exist. */
  readonly file: string;
  /** Name of the pair: one file may serve several. */
  readonly pair: string;
  /** How long a call may wait for the other process, ms: the loop stands still meanwhile. Default 20. */
  readonly busyMs?: number;
}

const DEFAULT_BUSY_MS = 20;

interface Failed<Outcome> {
  readonly outcome: Outcome;
  readonly reason: string;
}

export class SqliteWitness implements Witness {
  readonly kind = "sqlite";
  readonly #clock: Clock;
  readonly #file: WitnessFile;
  readonly #pair: string;
  /** The highest fence seen here: a file that was lost gives none below it. */
  #fenceFloor = 0;

  /** Opens the file with the first call; a file that cannot be used makes calls `unreachable`. */
  constructor(components: { readonly clock: Clock }, init: SqliteWitnessInit) {
    this.#clock = components.clock;
    this.#pair = init.pair;
    this.#file = new WitnessFile({ path: init.file, busyMs: init.busyMs ?? DEFAULT_BUSY_MS });
  }

  async read(): Promise<WitnessRead> {
    return this.#reading<WitnessRead>((file) => {
      const standing = this.#standingRecord(file);
      if (standing !== null && isStrange(standing)) return { outcome: "corrupt", ...standing };
      return { outcome: "read", record: standing, runId: file.runId };
    });
  }

  async swap(expected: ExpectedRecord | StrangeContent, next: WitnessRecord): Promise<WitnessSwap> {
    return this.#writing<WitnessSwap, "unknown">((file) => {
      const standing = this.#standingRecord(file);
      if (!isExpected(standing, expected)) {
        if (standing !== null && isStrange(standing)) return { outcome: "corrupt", ...standing };
        return { outcome: "lost", record: standing, runId: file.runId };
      }
      file.keepRecord(this.#pair, recordToText(next));
      return { outcome: "swapped", runId: file.runId };
    }, "unknown");
  }

  async acquireLock({ lockId, holder, ttlMs }: LockRequest): Promise<LockAcquire> {
    return this.#writing<LockAcquire>((file) => {
      const grantedUnixMs = this.#clock.unixMs();
      const row = file.lock(this.#pair);
      const standing = this.#standing(row);
      if (row !== null && standing !== null) {
        if (row.grantedUnixMs > grantedUnixMs) file.keepLock(this.#pair, { ...row, grantedUnixMs });
        return { outcome: "held", holder: standing.holder, fence: standing.fence, expiresMs: standing.expiresMs };
      }
      const lastFence = file.fence(this.#pair) ?? Math.floor(grantedUnixMs);
      const fence = this.#seenFence(Math.max(lastFence, this.#fenceFloor) + 1);
      file.keepFence(this.#pair, fence);
      file.keepLock(this.#pair, { lockId, holder, fence, grantedUnixMs, ttlMs });
      return { outcome: "acquired", lockId, fence, expiresMs: ttlMs };
    }, "unreachable");
  }

  async refreshLock(lockId: LockId, givenMs?: number): Promise<LockRefresh> {
    return this.#writing<LockRefresh>((file) => {
      const standing = this.#standing(file.lock(this.#pair));
      if (standing === null) return { outcome: "expired" };
      if (standing.lockId !== lockId) return { outcome: "wrong-id" };
      const { holder, fence } = standing;
      const ttlMs = givenMs ?? standing.ttlMs;
      file.keepLock(this.#pair, { lockId, holder, fence, grantedUnixMs: this.#clock.unixMs(), ttlMs });
      return { outcome: "refreshed", fence, expiresMs: ttlMs };
    }, "unreachable");
  }

  async releaseLock(lockId: LockId): Promise<LockRelease> {
    return this.#writing<LockRelease>((file) => {
      const standing = this.#standing(file.lock(this.#pair));
      if (standing === null) return { outcome: "expired" };
      if (standing.lockId !== lockId) return { outcome: "wrong-id" };
      file.dropLock(this.#pair);
      return { outcome: "released" };
    }, "unreachable");
  }

  async breakLock({ holder, fence }: Pick<LockState, "holder" | "fence">): Promise<LockRelease> {
    return this.#writing<LockRelease>((file) => {
      const standing = this.#standing(file.lock(this.#pair));
      if (standing === null) return { outcome: "expired" };
      if (standing.holder !== holder || standing.fence !== fence) return { outcome: "wrong-id" };
      file.dropLock(this.#pair);
      return { outcome: "released" };
    }, "unreachable");
  }

  async readLock(): Promise<LockRead> {
    return this.#reading<LockRead>((file) => ({ outcome: "read", lock: this.#standing(file.lock(this.#pair)) }));
  }

  async close(): Promise<void> {
    this.#file.close();
  }

  /** Reads without a transaction: in WAL a reader waits for nobody. */
  #reading<Answer>(read: (file: OpenWitnessFile) => Answer): Answer | Failed<"unreachable"> {
    try {
      return read(this.#file.open());
    } catch (error) {
      return { outcome: "unreachable", reason: witnessFileFault(error).reason };
    }
  }

  /** One transaction. `inDoubt` is the answer where a commit failed in a way that may still have kept it. */
  #writing<Answer, Doubt extends "unreachable" | "unknown" = "unreachable">(
    write: (file: OpenWitnessFile) => Answer,
    inDoubt: Doubt,
  ): Answer | Failed<"unreachable" | Doubt> {
    try {
      const file = this.#file.open();
      return file.atomically(() => write(file));
    } catch (error) {
      const { reason, notDone } = witnessFileFault(error);
      return { outcome: notDone ? "unreachable" : inDoubt, reason };
    }
  }

  #standingRecord(file: OpenWitnessFile): WitnessRecord | StrangeContent | null {
    const text = file.recordText(this.#pair);
    return text === null ? null : (recordFromText(text) ?? { content: text });
  }

  /** The lock if it still stands. A lock from the future has its whole time left. */
  #standing(row: LockRow | null): LockState | null {
    if (row === null) return null;
    const { lockId, holder, fence, grantedUnixMs, ttlMs } = row;
    const expiresMs = Math.ceil(ttlMs - Math.max(0, this.#clock.unixMs() - grantedUnixMs));
    return expiresMs > 0 ? { lockId, holder, fence: this.#seenFence(fence), ttlMs, expiresMs } : null;
  }

  #seenFence(fence: number): number {
    this.#fenceFloor = Math.max(this.#fenceFloor, fence);
    return fence;
  }
}
