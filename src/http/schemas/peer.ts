/** Purpose: the schemas of the peer's probe and of force-leader. */
import { Type } from "typebox";
import { nullable, oneOf } from "../../core/schema.ts";
import { Count, HealthSchema, LabelSchema, Name, Reason, RoleSchema, tolerantBody } from "./common.ts";

export const PeerHealthSchema = Type.Object(
  {
    status: HealthSchema,
    uptimeMs: Type.Number(),
    programSource: Type.String(),
    lastCommandSeq: Count,
    engineLabel: LabelSchema,
    epoch: Count,
    role: RoleSchema,
  },
  { $id: "PeerHealth" },
);

export const ForceLeaderBody = tolerantBody({
  mode: Type.Optional(oneOf("graceful", "immediate")),
  reason: Type.Optional(Reason),
  requestId: Type.Optional(Name),
  expectedEpoch: Type.Optional(Count),
  acceptDualAir: Type.Optional(Type.Boolean()),
});

export const ForcedAnswerSchema = Type.Object(
  {
    engineLabel: LabelSchema,
    role: Type.Literal("leader"),
    epoch: Count,
    previousEpoch: Count,
    previousLeader: nullable(LabelSchema),
    mode: oneOf("graceful", "immediate"),
    tookMs: Type.Number(),
    requestId: Type.String(),
  },
  { $id: "ForcedAnswer" },
);
