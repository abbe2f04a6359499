/** The schemas of the engines of the pair and their keys. */
import { Type } from "typebox";
import { nullable, strict, oneOf } from "../../core/schema.ts";
import { Count, HealthSchema, LabelSchema, Name, Reason, RoleSchema, tolerantBody } from "./common.ts";

const Fingerprint = Type.String({
  pattern: "^sha256:[0-9a-f]{32}$",
  description: "Of a public key: `sha256:` and 32 hexadecimal digits.",
});

const identity = { engineId: Type.String(), fingerprint: nullable(Fingerprint) };

export const PairSchema = Type.Object(
  {
    self: Type.Object(identity),
    peer: nullable(Type.Object({ ...identity, connected: Type.Boolean() })),
    strangers: Type.Array(
      Type.Object({
        engineId: Type.String(),
        fingerprint: Fingerprint,
        version: Type.String(),
        remote: Type.String({ description: "The address it came from or was reached at." }),
        refusal: Type.String({ description: "Why it was refused, a fixed word." }),
        lastSeen: Type.String({ description: "RFC 3339, UTC" }),
      }),
    ),
  },
  { $id: "Pair" },
);

export const AdoptPeerBody = strict({ fingerprint: Fingerprint });

export const PeerAdoptedSchema = Type.Object(
  { adopted: Type.Literal(true), peer: Type.Object(identity) },
  { $id: "PeerAdopted" },
);

export const PeerForgottenSchema = Type.Object(
  { forgotten: Type.Literal(true), peer: nullable(Type.Object(identity)) },
  { $id: "PeerForgotten" },
);

export const NumbersResetSchema = Type.Object(
  {
    reset: Type.Literal(true),
    highestEpoch: Count,
    before: Type.Integer({ minimum: 0, description: "The highest epoch until now." }),
  },
  { $id: "NumbersReset" },
);

// The schemas of the peer's probe and of force-leader.

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

export const StallBody = strict({
  pair: Name,
  label: LabelSchema,
  engineId: Name,
  incarnation: Name,
  epoch: Count,
  n: Count,
  stoodMs: Count,
  stalled: Type.Boolean({ description: "false: it is busy, and lives" }),
  signature: Name,
});

export const StallAnswerSchema = Type.Object(
  {
    taken: Type.Boolean({ description: "this engine leads now" }),
    detail: Type.String({ description: "why it does not, where it does not" }),
  },
  { $id: "StallAnswer" },
);
