/** The schemas of what a person does and looks up: handover, maintenance, history, conflicts, probes. */
import { Type } from "typebox";
import { DEFAULT_PAGE, MAX_PAGE } from "../limits.ts";
import { nullable, oneOf, strict } from "../../core/schema.ts";
import { AnyJson, ClockSchema, Count, LabelSchema, optionalBody, Reason, RoleSchema, WAITING } from "./common.ts";

export const HandoverBody = optionalBody({
  reason: Type.Optional(Reason),
  at: Type.Optional(
    Type.Union([Type.String({ minLength: 1, maxLength: 64 }), Type.Number()], {
      description: "When, as RFC 3339 text with its offset or as unix ms; left out: now.",
      examples: ["2026-11-29T18:00:00Z"],
    }),
  ),
});

const PlannedHandover = Type.Object({
  at: Type.Number({ description: "unix ms" }),
  by: Type.String(),
  reason: Type.String(),
  epoch: Count,
});

export const PlannedHandoverSchema = Type.Object({ planned: PlannedHandover }, { $id: "HandoverPlanned" });
export const CancelledHandoverSchema = Type.Object({ cancelled: PlannedHandover }, { $id: "HandoverCancelled" });
export const PlannedView = nullable(PlannedHandover);

export const HandedOverSchema = Type.Object(
  { leader: LabelSchema, epoch: Count, tookMs: Type.Number(), requestId: Type.String() },
  { $id: "HandedOver" },
);

export const AdoptedSchema = Type.Object(
  { adopted: Type.Literal(true), replaced: Type.String({ description: "What stood there." }) },
  { $id: "WitnessAdopted" },
);

export const WitnessResetSchema = Type.Object(
  { reset: Type.Literal(true), replaced: Type.String({ description: "What stood there." }) },
  { $id: "WitnessReset" },
);

export const BackupSchema = Type.Object(
  {
    folder: Type.String({ description: "On the host of this engine." }),
    pair: Type.String(),
    label: LabelSchema,
    engineId: Type.String(),
    takenAt: Type.Number({ description: "unix ms" }),
    epoch: Count,
    lastCommandSeq: Count,
    bytes: Count,
  },
  { $id: "Backup" },
);

export const ReloadedSchema = Type.Object(
  {
    changed: Type.Array(Type.String(), { description: "Keys whose new value is in force." }),
    needsRestart: Type.Array(Type.String(), { description: "Keys whose new value waits for a restart." }),
  },
  { $id: "Reloaded" },
);

export const MaintenanceBody = strict({ on: Type.Boolean(), reason: Type.Optional(Reason) });

export const PageQuery = Type.Object({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_PAGE, default: DEFAULT_PAGE })),
});

export const LeadershipSchema = Type.Object(
  {
    history: Type.Array(
      Type.Object({
        epoch: Count,
        leader: LabelSchema,
        from: Type.Number({ description: "unix ms" }),
        to: nullable(Type.Number({ description: "unix ms; null while it lasts" })),
        cause: oneOf("cold-start", "silence", "death-proof", "handover", "forced", "unhealthy", "blind"),
        by: Type.String(),
        reason: Type.String(),
        tookMs: Type.Number(),
      }),
      { description: "newest first" },
    ),
  },
  { $id: "Leadership" },
);

const CommandView = Type.Object({
  seq: Count,
  epoch: Count,
  hlc: Type.String(),
  executeAtUs: Type.Number(),
  kind: Type.String(),
  payload: AnyJson,
  origin: Type.String(),
  originSeq: Count,
  idempotencyKey: nullable(Type.String()),
  clock: ClockSchema,
});

const KEPT_CONFLICT = {
  id: Type.String(),
  outcome: oneOf("superseded", "reapplied", "open", "resolved"),
  reason: Type.String(),
  detectedAtUnixMs: Type.Number(),
  resolution: nullable(
    Type.Object({ choice: oneOf("keep", "reapply", "value"), by: Type.String(), atUnixMs: Type.Number() }),
  ),
};

const CommandConflict = Type.Object({
  kind: Type.Literal("command"),
  ...KEPT_CONFLICT,
  divergent: CommandView,
  standing: Type.Array(CommandView),
  divergentFrom: LabelSchema,
  forkSeq: Count,
  winnerEpoch: Count,
});

const RecordConflict = Type.Object({
  kind: Type.Literal("record"),
  ...KEPT_CONFLICT,
  entity: Type.String(),
  field: Type.String(),
  divergent: Type.Unsafe<unknown>({ $ref: "Op#" }),
  standing: Type.Array(Type.Unsafe<unknown>({ $ref: "Op#" })),
});

export const ConflictSchema = Type.Union([CommandConflict, RecordConflict], { $id: "Conflict" });

export const ConflictsSchema = Type.Object(
  { conflicts: Type.Array(Type.Unsafe<unknown>({ $ref: "Conflict#" })) },
  { $id: "Conflicts" },
);

export const ConflictParams = Type.Object({ id: Type.String() });

export const ResolveBody = strict({
  choice: oneOf("keep", "reapply", "value"),
  value: Type.Optional(AnyJson),
});

export const LeaderProbeSchema = Type.Object({ role: RoleSchema, epoch: Count }, { $id: "LeaderProbe" });
export const LiveSchema = Type.Object({ live: Type.Literal(true) }, { $id: "Live" });
export const ReadySchema = Type.Object(
  { ready: Type.Boolean(), role: RoleSchema, epoch: Count, ...WAITING },
  { $id: "Ready" },
);
