/**
 * The coordinator's expected refusals as problems.
 * Every member of every union has its problem; a forgotten one does not compile.
 */
import type {
  AdoptPeerOutcome,
  ApplySnapshotOutcome,
  ForceLeaderOutcome,
  HandoverOutcome,
  PlanOutcome,
  ResetWitnessOutcome,
  ResolveOutcome,
  SubmitOutcome,
} from "../coordinator/types.ts";
import { assertNever } from "../core/errors.ts";
import type { OutboxAction, ResyncOutcome } from "../outbox/outbox.ts";
import type { LockAcquire, LockRefresh, LockRelease } from "../ports/witness.ts";
import { type Problem, problem } from "./problem.ts";

type Refused<T extends { readonly outcome: string }, Good extends T["outcome"]> = Exclude<
  T,
  { readonly outcome: Good }
>;

export function submitRefusal(refused: Refused<SubmitOutcome, "accepted">): Problem {
  switch (refused.outcome) {
    case "not-leader":
      return notLeader(refused);
    case "fenced":
      return fenced(refused.epoch);
    case "outcome-unknown":
      return outcomeUnknown(refused);
    case "invalid-command":
      return problem("invalid_command", refused.detail);
    case "idempotency-conflict":
      return idempotencyConflict(refused);
    case "engine-not-ready":
      return problem("engine_not_ready", refused.detail);
    case "store-failed":
      return problem("store_failed", refused.detail);
    case "busy":
      return problem("busy", refused.detail);
    default:
      return assertNever(refused);
  }
}

/** A record whose stamp nobody could take. */
export function clockWrong({ aheadMs, detail }: { readonly aheadMs: number; readonly detail: string }): Problem {
  return problem("clock_wrong", detail, { aheadMs: Math.round(aheadMs) });
}

function fenced(epoch: number): Problem {
  const detail = `this engine stopped leading before it stored the command; the highest epoch it has seen is ${epoch}`;
  return problem("fenced", detail, { epoch });
}

function outcomeUnknown({ epoch, seq }: { readonly epoch: number; readonly seq: number }): Problem {
  const detail =
    `this engine stored the command at epoch ${epoch}, seq ${seq}, then stopped leading: it may stand or not. ` +
    "Ask again with the same idempotency key, or read /api/commands once the pair has a leader";
  return problem("outcome_unknown", detail, { epoch, seq });
}

function idempotencyConflict({ epoch, seq }: { readonly epoch: number | null; readonly seq: number | null }): Problem {
  const where = seq === null ? "a command that is being stored" : `the command at epoch ${epoch}, seq ${seq}`;
  const detail = `this key was first used for ${where}, which has another kind or payload: use a new key`;
  return problem("idempotency_conflict", detail, { epoch, seq });
}

function notLeader({
  leader,
  leaderUrl,
}: {
  readonly leader: string | null;
  readonly leaderUrl: string | null;
}): Problem {
  const where = leaderUrl === null ? "" : ` at ${leaderUrl}`;
  const detail = leader === null ? "nobody is known to lead" : `engine ${leader} leads${where}`;
  return problem("not_leader", detail, { leader, leaderUrl });
}

export function handoverRefusal(refused: Refused<HandoverOutcome, "handed-over">): Problem {
  switch (refused.outcome) {
    case "not-leader":
      return notLeader(refused);
    case "no-valid-backup":
      return problem("no_valid_backup", refused.detail);
    default:
      return assertNever(refused);
  }
}

export function planRefusal(refused: Refused<PlanOutcome, "planned">): Problem {
  switch (refused.outcome) {
    case "not-leader":
      return notLeader(refused);
    case "invalid-time":
      return problem("invalid_request", refused.detail, { field: "/at" });
    default:
      return assertNever(refused);
  }
}

export function forceRefusal(refused: Refused<ForceLeaderOutcome, "leads">): Problem {
  switch (refused.outcome) {
    case "already-leader":
      return problem("already_leader", `this engine leads epoch ${refused.epoch}`, { epoch: refused.epoch });
    case "epoch-mismatch":
      return problem("epoch_mismatch", `the epoch is ${refused.epoch}`, { epoch: refused.epoch });
    case "no-quorum":
      return problem("no_quorum", refused.detail);
    default:
      return assertNever(refused);
  }
}

export function snapshotRefusal(refused: Refused<ApplySnapshotOutcome, "applied">): Problem {
  switch (refused.outcome) {
    case "invalid-snapshot":
      return problem("invalid_snapshot", refused.detail);
    case "lock-not-held":
      return problem("lock_not_held", refused.detail);
    case "stale-epoch":
      return problem("stale_epoch", `epoch ${refused.epoch} has been accepted`, { epoch: refused.epoch });
    case "witness-unreachable":
      return problem("witness_unreachable", refused.detail);
    case "engine-not-ready":
      return problem("engine_not_ready", refused.detail);
    default:
      return assertNever(refused);
  }
}

export function acquireRefusal(refused: Refused<LockAcquire, "acquired">): Problem {
  switch (refused.outcome) {
    case "held": {
      const { holder, expiresMs } = refused;
      return problem("lock_held", `${holder} holds the lock for ${expiresMs} ms more`, { holder, expiresMs });
    }
    case "unreachable":
      return witnessUnreachable(refused.reason);
    default:
      return assertNever(refused);
  }
}

export function lockRefusal(refused: Refused<LockRefresh, "refreshed"> | Refused<LockRelease, "released">): Problem {
  switch (refused.outcome) {
    case "expired":
      return problem("lock_not_found", "the lock has lapsed");
    case "wrong-id":
      return problem("lock_not_found", "the lock is held under another id");
    case "unreachable":
      return witnessUnreachable(refused.reason);
    default:
      return assertNever(refused);
  }
}

export function witnessUnreachable(reason: string): Problem {
  return problem("witness_unreachable", reason);
}

export function outboxRefusal(eventId: string, refused: Refused<OutboxAction, "done">): Problem {
  switch (refused.outcome) {
    case "not-found":
      return problem("event_not_found", "nothing of this id waits or was published lately", { eventId });
    case "already-published":
      return problem("already_published", "it stands in the feed", { eventId });
    case "not-dead":
      return problem("not_dead", "it is still tried; only a dead letter can be skipped", { eventId });
    case "not-leader":
      return notLeader(refused);
    default:
      return assertNever(refused);
  }
}

export function adoptPeerRefusal(refused: Refused<AdoptPeerOutcome, "adopted">): Problem {
  switch (refused.outcome) {
    case "unknown-fingerprint":
      return problem(
        "stranger_not_found",
        "the new engine must have tried to connect; its own fingerprint is shown by `changeover pair show` there",
        { seen: [...refused.seen] },
      );
    case "peer-connected":
      return problem("peer_connected", `${refused.peer.engineId} is alive and connected; stop it first`);
    case "store-failed":
      return problem("store_failed", refused.detail);
    default:
      return assertNever(refused);
  }
}

export function resyncRefusal(refused: Refused<ResyncOutcome, "resyncing">): Problem {
  switch (refused.outcome) {
    case "no-sink":
      return problem("no_feed", "outbox.sink is nop: there is no feed to send anything to");
    case "not-leader":
      return notLeader(refused);
    default:
      return assertNever(refused);
  }
}

export function adoptRefusal(refused: Refused<ResetWitnessOutcome, "adopted">): Problem {
  switch (refused.outcome) {
    case "not-leader":
      return notLeader(refused);
    case "nothing-to-adopt":
      return problem("nothing_to_adopt", "no record stands there, or it is of this engine or its pinned peer");
    case "no-witness":
      return problem("no_witness", "witness.kind is none");
    case "unreachable":
      return witnessUnreachable(refused.reason);
    default:
      return assertNever(refused);
  }
}

export function resolveRefusal(refused: Refused<ResolveOutcome, "resolved">, id: string): Problem {
  switch (refused.outcome) {
    case "not-found":
      return problem("conflict_not_found", `no conflict "${id}" is kept`, { id });
    case "already-resolved": {
      const { resolution, outcome } = refused.conflict;
      const by = resolution === null ? "" : ` by ${resolution.by}`;
      return problem("already_resolved", `it is ${outcome}${by}`, { choice: resolution?.choice ?? null });
    }
    case "clock-wrong":
      return clockWrong(refused);
    case "not-leader":
    case "fenced":
    case "outcome-unknown":
    case "idempotency-conflict":
    case "store-failed":
    case "invalid-command":
    case "engine-not-ready":
    case "busy":
      return submitRefusal(refused);
    default:
      return assertNever(refused);
  }
}
