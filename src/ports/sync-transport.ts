/**
 * The way to one other place that serves `/sync`: a hub, or a federation peer.
 * No call throws; each ends within its own time, and no answer is larger than its bound. What comes back is
 * only known to be JSON: anyone who asks checks it.
 */
import type { Json } from "../core/canonical-json.ts";
import type { Op } from "../core/operation.ts";
import type { VectorClock } from "../core/vector-clock.ts";

/** How a call ended. */
export type SyncAnswer<Value> =
  | { readonly outcome: "answered"; readonly value: Value }
  /** A problem document, or whatever else is no success. `code` is the document's; "" without one. */
  | {
      readonly outcome: "refused";
      readonly status: number;
      readonly code: string;
      /** Under which the other side's log says more; left out where it did not say. */
      readonly requestId?: string;
    }
  /** No answer. `error` is Node's own, for its code. */
  | { readonly outcome: "failed"; readonly error: unknown };

export interface PullRequest {
  /** "" for the first. */
  readonly after: string;
  /** Through here the caller has everything, where that is less than `after`: something was held back. */
  readonly held?: string;
  readonly limit: number;
  readonly maxBytes: number;
  /** Whether the caller's own operations are given too: it has lost them. */
  readonly own?: boolean;
}

/** Of each origin, everything through `clock` is among what is pushed, or no longer needed; `complete` with the last of it. */
export interface PushedBase {
  readonly clock: VectorClock;
  readonly complete: boolean;
}

export interface SyncTransport {
  /** `GET /sync/identity`. With a `challenge` the other side also proves who it is. */
  identity(challenge?: string): Promise<SyncAnswer<Json>>;
  /** `POST /sync/compare`: the digests of histories there, at the same numbers. Left out: the other side cannot say. */
  compare?(
    heads: Readonly<Record<string, { readonly n: number; readonly head: string | null }>>,
  ): Promise<SyncAnswer<Json>>;
  /** `GET /sync/pull`. */
  pull(request: PullRequest): Promise<SyncAnswer<Json>>;
  /** `POST /sync/push`. `snapshot`: what was compacted away before these. */
  push(ops: readonly Op[], snapshot: PushedBase | null): Promise<SyncAnswer<Json>>;
  /** Breaks off what is under way. Idempotent. */
  close(): void;
}

// One federation peer as it is configured, and the way to it.

export interface FederationPeerPort {
  /** What it is called here; letters, digits and `._-`. */
  readonly name: string;
  /** Where it is, as people are shown it. */
  readonly endpoint: string;
  /** `paused`: it is not asked before a person resumes it. */
  readonly mode: "sync" | "paused";
  /** Who must answer there; null: anyone who answered first. */
  readonly pinnedId: string | null;
  /** Fingerprint of the key that must be proved there; null: the first one. */
  readonly pinnedKey: string | null;
  readonly transport: SyncTransport;
}
