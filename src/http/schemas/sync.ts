/** The schemas of `/api/sync`: health, state snapshot, reconcile lock. */
import { Type } from "typebox";
import { DEFAULT_LOCK_TTL_MS, MAX_LOCK_TTL_MS, MIN_LOCK_TTL_MS } from "../limits.ts";
import { oneOf, strict } from "../../core/schema.ts";
import { AnyJson, ClockSchema, Count, LabelSchema, Name, SyncStateSchema, tolerantBody } from "./common.ts";

export const SyncHealthSchema = Type.Object(
  {
    clockSync: Type.Object({
      mode: oneOf("ptp", "ntp", "peer", "free"),
      offsetNs: Type.Number(),
      jitterNs: Type.Number(),
    }),
    lastCommandSeq: Count,
    lastExecutedSeq: Count,
    lastExecutedErr: Type.String(),
    lateCommands: Count,
    uptimeMs: Type.Number(),
    lastPongSentUs: Type.Number(),
    syncState: SyncStateSchema,
    epoch: Count,
    clock: ClockSchema,
  },
  { $id: "SyncHealth" },
);

export const StateSnapshotSchema = strict(
  {
    version: Type.Literal(1),
    engineLabel: LabelSchema,
    engineId: Name,
    epoch: Count,
    clock: ClockSchema,
    hlc: Name,
    lastCommandSeq: Count,
    lastExecutedSeq: Count,
    state: AnyJson,
    checksum: Type.String({
      pattern: "^[0-9a-f]{64}$",
      description: "sha256 of the RFC 8785 form of {epoch, lastCommandSeq, state}",
    }),
  },
  { $id: "StateSnapshot" },
);

/** The same for a body, which stands for itself. */
export const StateSnapshotBody = tolerantBody(StateSnapshotSchema.properties, {});

export const ReleaseLockBody = tolerantBody({});

export const SnapshotAppliedSchema = Type.Object(
  { applied: Type.Literal(true), clock: ClockSchema, lastCommandSeq: Count },
  { $id: "SnapshotApplied" },
);

export const AcquireLockBody = tolerantBody({
  holder: Type.Optional(Name),
  ttlMs: Type.Optional(
    Type.Integer({ minimum: MIN_LOCK_TTL_MS, maximum: MAX_LOCK_TTL_MS, default: DEFAULT_LOCK_TTL_MS }),
  ),
});

export const RefreshLockBody = tolerantBody({
  ttlMs: Type.Optional(
    Type.Integer({
      minimum: MIN_LOCK_TTL_MS,
      maximum: MAX_LOCK_TTL_MS,
      description: "Without it, the time that the lock was acquired for",
    }),
  ),
});

export const LockQuery = Type.Object({ lockId: Type.Optional(Type.String()) });

export const HeldLockSchema = Type.Object(
  { lockId: Type.String(), expiresMs: Type.Number(), fence: Count },
  { $id: "HeldLock" },
);

export const LockStatusSchema = Type.Object(
  {
    held: Type.Boolean(),
    holder: Type.Optional(Type.String()),
    expiresMs: Type.Optional(Type.Number()),
    fence: Type.Optional(Count),
  },
  { $id: "LockStatus" },
);

export const LockParams = Type.Object({ lockId: Type.String() });
