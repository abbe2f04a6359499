/**
 * The reconcile lock in the memory of one process, for the witnesses that live there (memory, none).
 * At most one holder; a lock lapses `ttlMs` after it was given or extended, on the monotonic clock; the
 * fence only rises. A counter that finds nothing starts from the wall clock, so that it rises over lost memory too.
 * It does not know who asks; that work done under a lapsed lock is refused by its fence is the store's part [RL3].
 */
import type { LockId } from "../core/ids.ts";
import type { Clock } from "../ports/basics.ts";
import type { LockAcquire, LockRefresh, LockRelease, LockState } from "../ports/witness.ts";
import { mkdirSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import Database from "better-sqlite3";
import type { Options } from "better-sqlite3";
import { ChangeoverError } from "../core/errors.ts";
import { nodeAdvice } from "../core/node-version.ts";

/** What a caller asks for [RL1]. */
export interface LockRequest {
  readonly lockId: LockId;
  readonly holder: string;
  readonly ttlMs: number;
}

/** The answers that a lock within reach can give. */
export type Reached<Answer> = Exclude<Answer, { readonly outcome: "unreachable" }>;

interface Held extends LockRequest {
  readonly fence: number;
  readonly lapsesAtMonoMs: number;
}

export class LocalLock {
  readonly #clock: Clock;
  #held: Held | null = null;
  #fence = 0;
  #lapsed: number | null = null;

  constructor(components: { readonly clock: Clock }) {
    this.#clock = components.clock;
  }

  /** Gives the lock unless another holds it. The new fence is above `fenceFloor`, the highest that the caller knows. */
  acquire(request: LockRequest, fenceFloor = 0): Reached<LockAcquire> {
    const standing = this.read();
    if (standing !== null)
      return { outcome: "held", holder: standing.holder, fence: standing.fence, expiresMs: standing.expiresMs };
    if (this.#fence === 0) this.#fence = Math.floor(this.#clock.unixMs());
    this.#fence = Math.max(this.#fence, fenceFloor) + 1;
    this.#lapsed = null;
    this.#held = { ...request, fence: this.#fence, lapsesAtMonoMs: this.#clock.monoMs() + request.ttlMs };
    return { outcome: "acquired", lockId: request.lockId, fence: this.#fence, expiresMs: request.ttlMs };
  }

  /** Extends by `givenMs`, or by the time that the lock has. */
  refresh(lockId: LockId, givenMs?: number): Reached<LockRefresh> {
    const standing = this.#standing();
    if (standing === null) return { outcome: "expired" };
    if (standing.lockId !== lockId) return { outcome: "wrong-id" };
    const ttlMs = givenMs ?? standing.ttlMs;
    this.#held = { ...standing, ttlMs, lapsesAtMonoMs: this.#clock.monoMs() + ttlMs };
    return { outcome: "refreshed", fence: standing.fence, expiresMs: ttlMs };
  }

  release(lockId: LockId): Reached<LockRelease> {
    const standing = this.#standing();
    if (standing === null) return { outcome: "expired" };
    if (standing.lockId !== lockId) return { outcome: "wrong-id" };
    this.#held = null;
    return { outcome: "released" };
  }

  break({ holder, fence }: Pick<LockState, "holder" | "fence">): Reached<LockRelease> {
    const standing = this.#standing();
    if (standing === null) return { outcome: "expired" };
    if (standing.holder !== holder || standing.fence !== fence) return { outcome: "wrong-id" };
    this.#held = null;
    return { outcome: "released" };
  }

  read(): LockState | null {
    const standing = this.#standing();
    if (standing === null) return null;
    const { holder, lockId, fence, ttlMs, lapsesAtMonoMs } = standing;
    return { holder, lockId, fence, ttlMs, expiresMs: lapsesAtMonoMs - this.#clock.monoMs() };
  }

  /** The fence of the lock that has lapsed and that was not given again since; null: there is none. */
  get lapsed(): number | null {
    this.#standing();
    return this.#lapsed;
  }

  /** Loses the lock and the counter, as a memory that was emptied. */
  forget(): void {
    this.#held = this.#lapsed = null;
    this.#fence = 0;
  }

  #standing(): Held | null {
    if (this.#held !== null && this.#held.lapsesAtMonoMs <= this.#clock.monoMs()) {
      this.#lapsed = this.#held.fence;
      this.#held = null;
    }
    return this.#held;
  }
}

// Makes folders without Node's recursive `mkdir`, which never returns for a path such as `/proc/x`.

/**
 * Makes `folder` and the missing folders above it. A folder that exists stays as it is.
 *
 * @param mode permissions of every folder that is made
 * @throws the error of the file system, with its `code`: `ENOENT` where the file system makes no folders, `EACCES`, `ENOTDIR`
 */
export function makeFolder(folder: string, mode: number): void {
  const missing: string[] = [];
  for (let at = resolve(folder); statSync(at, { throwIfNoEntry: false }) === undefined; at = dirname(at)) {
    missing.unshift(at);
  }
  for (const path of missing) {
    try {
      mkdirSync(path, { mode });
    } catch (error) {
      // Another process was faster.
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
}

// Opens files with better-sqlite3, whose native part ends an old Node without a word: that is looked at first. On a
// Node that is too old nothing native is touched, and the caller is told what to do.

/**
 * @param node version of the Node that runs this
 * @throws ChangeoverError `unsupported_runtime`
 */
export function openDatabase(file: string, options: Options = {}, node = process.versions.node): Database.Database {
  const advice = nodeAdvice(node, null);
  if (advice !== null) throw new ChangeoverError("unsupported_runtime", `Changeover ${advice}`, { details: { node } });
  return new Database(file, options);
}
