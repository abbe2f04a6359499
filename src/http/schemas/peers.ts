/** The schemas of federation peers. */
import { Type } from "typebox";
import { nullable, oneOf } from "../../core/schema.ts";
import { Count, optionalBody } from "./common.ts";

const Instant = nullable(Type.String({ description: "RFC 3339, UTC" }));
const ModeSchema = oneOf("sync", "publish", "subscribe");

const HealthSchema = Type.Object({
  version: nullable(Type.String()),
  versionObservedAt: Instant,
  lastSuccess: Instant,
  consecutiveFailures: Count,
  lastError: nullable(
    Type.Object({
      reason: Type.String({ description: "a fixed word" }),
      eventId: Type.Optional(Type.String({ description: "the operation that it stands at, origin/originSeq" })),
      traceId: Type.Optional(Type.String({ description: "x-request-id of the peer's answer" })),
      observedAt: Type.String(),
    }),
  ),
});

export const PeerStatusSchema = Type.Object(
  {
    name: Type.String(),
    endpoint: Type.String(),
    mode: oneOf("sync", "paused"),
    state: Type.String({ description: "where its statechart stands" }),
    id: nullable(Type.String({ description: "the engine that is let in there" })),
    fingerprint: nullable(Type.String({ description: "of the key that is let in there" })),
    version: nullable(Type.String()),
    versionSkew: Type.Boolean({ description: "it runs another version than this engine" }),
    lastSeen: Instant,
    cursor: nullable(Type.String({ description: "through here everything of its log was taken" })),
    lag: nullable(Type.Integer({ description: "operations that it is known to hold and this engine does not" })),
    health: nullable(HealthSchema),
    hint: nullable(Type.String({ description: "what a person can do about the last error" })),
    keys: Type.Array(Type.String(), { description: "what is kept of it, and would go with a reset" }),
  },
  { $id: "PeerStatus" },
);

const PeerRef = Type.Unsafe<unknown>({ $ref: "PeerStatus#" });

export const FederationSchema = Type.Object(
  {
    name: Type.String(),
    engineId: Type.String(),
    version: Type.String(),
    access: oneOf("open", "keyed"),
    fingerprint: nullable(Type.String({ description: "of this engine's own key" })),
    mode: ModeSchema,
    signatures: oneOf("off", "auto", "warn", "enforce"),
    peers: Type.Array(PeerRef),
  },
  { $id: "Federation" },
);

export const PeerParams = Type.Object({ name: Type.String() });

export const ResetPeerBody = optionalBody({
  keyRotated: Type.Optional(Type.Boolean({ default: false, description: "forgets the key alone" })),
});

export const PeerResetSchema = Type.Object(
  { peer: PeerRef, removed: Type.Array(Type.String(), { description: "the keys that are gone" }) },
  { $id: "PeerReset" },
);

export const OriginParams = Type.Object({ origin: Type.String() });

export const OriginsSchema = Type.Object(
  {
    maxOriginsPerToken: Count,
    origins: Type.Array(
      Type.Object({
        origin: Type.String({ description: "under which a spoke writes" }),
        token: Type.String({ description: "name of the token that may write as it" }),
        boundAt: Type.String({ description: "RFC 3339, UTC" }),
      }),
    ),
  },
  { $id: "Origins" },
);

export const OriginReleasedSchema = Type.Object({ origin: Type.String() }, { $id: "OriginReleased" });

/** What a peer signs is bounded like an id. */
export const IdentityQuery = Type.Object({
  challenge: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 128,
      pattern: "^[!-~]*$",
      description:
        "asks for a proof: the answer then also has `clock` and `held`, and `key` and `proof` of an engine with a key",
    }),
  ),
});
