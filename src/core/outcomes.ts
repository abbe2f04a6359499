/** How the calls on a coordinator may end. Expected refusals are returned, not thrown. */
import type { Json } from "./canonical-json.ts";
import type { Conflict, Durability } from "./command.ts";
import type { Epoch } from "./epoch.ts";
import type { EngineId, Label } from "./ids.ts";
import type { ForcedAnswer, StateSnapshot } from "./messages.ts";
import type { VectorClock } from "./vector-clock.ts";

export interface CommandInput {
  readonly kind: string;
  readonly payload: Json;
  readonly idempotencyKey?: string | undefined;
  readonly executeAtUs?: number | undefined;
  readonly ack?: Durability | undefined;
}

/** `POST /api/commands`. */
export type SubmitOutcome =
  | {
      readonly outcome: "accepted";
      readonly seq: number;
      readonly epoch: Epoch;
      readonly executeAtUs: number;
      readonly durability: Durability;
    }
  | { readonly outcome: "not-leader"; readonly leader: Label | null; readonly leaderUrl: string | null }
  /** Certainly not in the log: the leadership ended before the command was stored. */
  | { readonly outcome: "fenced"; readonly epoch: Epoch }
  /** In this engine's log at (epoch, seq), but the leadership ended before anyone knew whether it stands [HO6]. */
  | { readonly outcome: "outcome-unknown"; readonly epoch: Epoch; readonly seq: number }
  | { readonly outcome: "invalid-command"; readonly detail: string }
  /** The idempotency key belongs to another command, at (epoch, seq); null: that one is still on its way to the log. */
  | { readonly outcome: "idempotency-conflict"; readonly epoch: Epoch | null; readonly seq: number | null }
  /** The engine gives no judgement on the command. */
  | { readonly outcome: "engine-not-ready"; readonly detail: string }
  /** The disk refuses writes; the command is not in the log. */
  | { readonly outcome: "store-failed"; readonly detail: string }
  | { readonly outcome: "busy"; readonly detail: string };

export type SnapshotOutcome =
  /** `stateText`: the RFC 8785 text of its state, in pieces, as it was hashed. */
  | { readonly outcome: "taken"; readonly snapshot: StateSnapshot; readonly stateText: readonly string[] }
  | { readonly outcome: "engine-not-ready"; readonly detail: string };

export type ApplySnapshotOutcome =
  | { readonly outcome: "applied"; readonly clock: VectorClock; readonly lastCommandSeq: number }
  | { readonly outcome: "invalid-snapshot"; readonly detail: string }
  | { readonly outcome: "lock-not-held"; readonly detail: string }
  | { readonly outcome: "stale-epoch"; readonly epoch: Epoch }
  | { readonly outcome: "witness-unreachable"; readonly detail: string }
  | { readonly outcome: "engine-not-ready"; readonly detail: string };

export interface ForceLeaderRequest {
  readonly mode: "graceful" | "immediate";
  readonly reason: string;
  readonly requestId: string | null;
  readonly expectedEpoch: Epoch | null;
  readonly acceptDualAir: boolean;
  readonly by: string;
}

export type ForceLeaderOutcome =
  | { readonly outcome: "leads"; readonly answer: ForcedAnswer }
  | { readonly outcome: "already-leader"; readonly epoch: Epoch }
  | { readonly outcome: "epoch-mismatch"; readonly epoch: Epoch }
  | { readonly outcome: "no-quorum"; readonly detail: string };

export type HandoverOutcome =
  | {
      readonly outcome: "handed-over";
      readonly leader: Label;
      readonly epoch: Epoch;
      readonly tookMs: number;
      readonly requestId: string;
    }
  | { readonly outcome: "not-leader"; readonly leader: Label | null; readonly leaderUrl: string | null }
  | { readonly outcome: "no-valid-backup"; readonly detail: string };

/** A handover that a person planned for a time. */
export interface PlannedHandover {
  /** Unix ms. */
  readonly at: number;
  readonly by: string;
  readonly reason: string;
  /** The epoch of the leadership that it ends. */
  readonly epoch: Epoch;
}

/** What `GET /api/state` says of the switch-back [HO9]. */
export interface SwitchBackState {
  /** What keeps the role from going back to the preferred engine, in stable words; empty: nothing, or it is there. */
  readonly waiting: readonly string[];
  /** Unix ms; null: no clock brings it, or the role is in its place. */
  readonly dueAt: number | null;
}

/** `POST /api/handover` with `at`. */
export type PlanOutcome =
  | { readonly outcome: "planned"; readonly plan: PlannedHandover }
  | { readonly outcome: "invalid-time"; readonly detail: string }
  | Extract<HandoverOutcome, { readonly outcome: "not-leader" }>;

/** `POST /api/handover` with `cancel`. */
export type CancelOutcome =
  { readonly outcome: "cancelled"; readonly plan: PlannedHandover } | { readonly outcome: "nothing-planned" };

/** `POST /api/witness/adopt`. */
export type AdoptOutcome =
  | { readonly outcome: "adopted"; readonly replaced: string }
  | { readonly outcome: "nothing-to-adopt" }
  | { readonly outcome: "no-witness" }
  | { readonly outcome: "unreachable"; readonly reason: string };

/** `POST /api/witness/reset`. */
export type ResetWitnessOutcome = AdoptOutcome | Extract<HandoverOutcome, { readonly outcome: "not-leader" }>;

/** An engine, as `changeover pair show` prints it. */
export interface EngineIdentity {
  readonly engineId: EngineId;
  /** `sha256:` and 32 hexadecimal digits; null: it has shown no key yet, or this process has none. */
  readonly fingerprint: string | null;
}

/** An engine that proved a key and was refused [ID2]. */
export interface StrangerReport extends EngineIdentity {
  readonly fingerprint: string;
  readonly version: string;
  /** The address it came from or was reached at. */
  readonly remote: string;
  /** Why it was refused. */
  readonly refusal: string;
  readonly lastSeenUnixMs: number;
}

/** `GET /api/pair`. */
export interface PairReport {
  readonly self: EngineIdentity;
  /** null: nobody is pinned; the next engine that proves itself will be. */
  readonly peer: (EngineIdentity & { readonly connected: boolean }) | null;
  /** Last seen first. */
  readonly strangers: readonly StrangerReport[];
}

/** `POST /api/pair/adopt`. */
export type AdoptPeerOutcome =
  | { readonly outcome: "adopted"; readonly peer: EngineIdentity }
  | { readonly outcome: "unknown-fingerprint"; readonly seen: readonly string[] }
  /** The pinned peer is connected: to replace it now would cut off a living engine. */
  | { readonly outcome: "peer-connected"; readonly peer: EngineIdentity }
  | { readonly outcome: "store-failed"; readonly detail: string };

/** `POST /api/pair/forget`. */
export type ForgetPeerOutcome =
  | { readonly outcome: "forgotten"; readonly peer: EngineIdentity | null }
  | Extract<AdoptPeerOutcome, { readonly outcome: "peer-connected" | "store-failed" }>;

/** `POST /api/pair/reset-numbers`. */
export type ResetNumbersOutcome =
  | { readonly outcome: "reset"; readonly highestEpoch: Epoch; readonly before: Epoch }
  | { readonly outcome: "store-failed"; readonly detail: string };

export type ResolveChoice =
  { readonly choice: "keep" } | { readonly choice: "reapply" } | { readonly choice: "value"; readonly value: Json };

export type ResolveOutcome =
  | { readonly outcome: "resolved"; readonly conflict: Conflict }
  | { readonly outcome: "not-found" }
  | { readonly outcome: "already-resolved"; readonly conflict: Conflict }
  /** Of a record: see `WriteOutcome`. */
  | { readonly outcome: "clock-wrong"; readonly aheadMs: number; readonly detail: string }
  | Exclude<SubmitOutcome, { readonly outcome: "accepted" }>;
