/**
 * The third place that both engines can reach: one record that says who leads, and the reconcile lock.
 * Every answer is one of a closed set; an unknown result is said to be unknown. Nothing here ever rejects.
 * Time-outs are the adapter's, below `heartbeatMs` [VT6].
 */
import type { Epoch } from "../core/epoch.ts";
import type { EngineId, Label, LockId } from "../core/ids.ts";
import type { VectorClock } from "../core/vector-clock.ts";

/** The record that the leader rewrites [VT3]. */
export interface WitnessRecord {
  readonly holder: Label;
  readonly engineId: EngineId;
  readonly epoch: Epoch;
  /** Counts the rewrites of this epoch. */
  readonly seq: number;
  readonly lastCommandSeq: number;
  /** Epoch of the command at `lastCommandSeq`. */
  readonly lastCommandEpoch: Epoch;
  readonly clock: VectorClock;
  /** True once the holder has stepped down cleanly: nobody need wait for it [DP3]. */
  readonly released: boolean;
}

/** What a swap compares: `null` = there must be no record. */
export type ExpectedRecord = Pick<WitnessRecord, "holder" | "engineId" | "epoch" | "seq"> | null;

/** Something stands where the record belongs that is no record of Changeover: damaged, edited, or someone else's. */
export interface StrangeContent {
  /** The content itself, as text: what a person's swap compares. */
  readonly content: string;
}

/** Names one life of the witness's memory; a changed one means that it may have forgotten [CP5]. */
export type RunId = string;

export type WitnessRead =
  | { readonly outcome: "read"; readonly record: WitnessRecord | null; readonly runId: RunId }
  | ({ readonly outcome: "corrupt" } & StrangeContent)
  | { readonly outcome: "unreachable"; readonly reason: string };

export type WitnessSwap =
  | { readonly outcome: "swapped"; readonly runId: RunId }
  /** Someone else's record stands there. */
  | { readonly outcome: "lost"; readonly record: WitnessRecord | null; readonly runId: RunId }
  /** Nothing was written: no record of Changeover stands there. */
  | ({ readonly outcome: "corrupt" } & StrangeContent)
  /** Sent, but no answer came: it may or may not have happened. Read back, never assume. */
  | { readonly outcome: "unknown"; readonly reason: string }
  /** Certainly not done. */
  | { readonly outcome: "unreachable"; readonly reason: string };

export interface LockState {
  readonly holder: string;
  readonly lockId: LockId;
  readonly fence: number;
  /** What it was acquired for, or last extended to, ms: a refresh that names no time extends by it. */
  readonly ttlMs: number;
  /** Ms until it lapses, counted at the witness when it answered. */
  readonly expiresMs: number;
}

export type LockAcquire =
  | { readonly outcome: "acquired"; readonly lockId: LockId; readonly fence: number; readonly expiresMs: number }
  | { readonly outcome: "held"; readonly holder: string; readonly fence: number; readonly expiresMs: number }
  | { readonly outcome: "unreachable"; readonly reason: string };

export type LockRefresh =
  | { readonly outcome: "refreshed"; readonly fence: number; readonly expiresMs: number }
  | { readonly outcome: "expired" }
  | { readonly outcome: "wrong-id" }
  | { readonly outcome: "unreachable"; readonly reason: string };

export type LockRelease =
  | { readonly outcome: "released" }
  | { readonly outcome: "expired" }
  | { readonly outcome: "wrong-id" }
  | { readonly outcome: "unreachable"; readonly reason: string };

export type LockRead =
  | { readonly outcome: "read"; readonly lock: LockState | null }
  | { readonly outcome: "unreachable"; readonly reason: string };

export interface Witness {
  /**
   * What kind it is, for people: `redis`, `nats`, `sqlite`, `memory`, or a plug-in's own word. `none` is reserved: no witness is
   * configured, every call answers `unreachable`, and the lock is this engine's own.
   */
  readonly kind: string;
  read(): Promise<WitnessRead>;
  /**
   * Writes `next` only if the record is exactly `expected` in holder, engine, epoch and seq, or if what stands there is
   * exactly that strange content. One atomic step.
   */
  swap(expected: ExpectedRecord | StrangeContent, next: WitnessRecord): Promise<WitnessSwap>;
  /** SET NX PX with a fence that only rises [RL1]. `lockId` is the caller's fresh id. */
  acquireLock(request: {
    readonly lockId: LockId;
    readonly holder: string;
    readonly ttlMs: number;
  }): Promise<LockAcquire>;
  /** Extends by the time the lock was acquired for, or by `ttlMs`, which then stands for it [RL1]. Only while `lockId` holds it. */
  refreshLock(lockId: LockId, ttlMs?: number): Promise<LockRefresh>;
  releaseLock(lockId: LockId): Promise<LockRelease>;
  /** Ends the lock of a holder that is known not to need it any more, if it still stands under this holder and fence [SB7]. */
  breakLock(standing: Pick<LockState, "holder" | "fence">): Promise<LockRelease>;
  readLock(): Promise<LockRead>;
  close(): Promise<void>;
}
