/** Purpose: the schemas of `/sync`, over which places exchange operations. */
import { Type } from "typebox";
import {
  CURSOR_FORM,
  DEFAULT_PAGE_BYTES,
  DEFAULT_PAGE_OPS,
  MAX_PAGE_BYTES,
  MAX_PAGE_OPS,
  MIN_PAGE_BYTES,
} from "../../core/sync-bounds.ts";
import { oneOf, strict } from "../../core/schema.ts";
import { AnyJson, ClockSchema, Count } from "./common.ts";
import { OpRef } from "./ops.ts";

export const SyncIdentitySchema = Type.Object(
  {
    hubId: Type.String(),
    engineId: Type.String(),
    generation: Type.String({ description: "one life of this log: cursors of another one are worth nothing" }),
    version: Type.String(),
    mode: oneOf("sync", "publish", "subscribe"),
    clock: Type.Optional(ClockSchema),
    held: Type.Optional(ClockSchema),
    heads: Type.Optional(
      Type.Record(Type.String(), Type.String(), { description: "of each origin, the digest of its history" }),
    ),
    unixMs: Type.Optional(Type.Integer({ description: "the wall clock here" })),
    key: Type.Optional(Type.String({ description: "Ed25519, base64url" })),
    proof: Type.Optional(Type.String({ description: "its signature of the challenge and of who serves here" })),
  },
  { $id: "SyncIdentity" },
);

export const PullQuery = Type.Object({
  after: Type.Optional(Type.String({ pattern: CURSOR_FORM, description: "nextCursor of the page before" })),
  held: Type.Optional(
    Type.String({
      pattern: CURSOR_FORM,
      description:
        "through here the caller has everything; left out: `after`. What lies above it is not compacted away",
    }),
  ),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_PAGE_OPS, default: DEFAULT_PAGE_OPS })),
  maxBytes: Type.Optional(
    Type.Integer({ minimum: MIN_PAGE_BYTES, maximum: MAX_PAGE_BYTES, default: DEFAULT_PAGE_BYTES }),
  ),
});

export const PullPageSchema = Type.Object(
  {
    ops: Type.Array(OpRef),
    nextCursor: Type.String(),
    hasMore: Type.Boolean(),
    hubId: Type.String(),
    generation: Type.String(),
    snapshot: Type.Optional(
      Type.Object(
        { through: Type.String(), clock: ClockSchema },
        { description: "compacted through here: whoever is past it has everything that the clock counts" },
      ),
    ),
  },
  { $id: "PullPage" },
);

/** Operations are looked at one by one: one that is malformed is rejected with its reason, the others are taken. */
export const PushBody = strict({
  ops: Type.Array(AnyJson, { maxItems: MAX_PAGE_OPS }),
  snapshot: Type.Optional(strict({ clock: ClockSchema, complete: Type.Boolean() })),
});

const Digest = Type.Object({
  n: Type.Integer({ minimum: 0, description: "the number of the operation through which the history is digested" }),
  head: Type.Union([Type.String({ pattern: "^[0-9a-f]{0,64}$" }), Type.Null()]),
});

export const CompareBody = strict({
  heads: Type.Record(Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$" }), Digest, { maxProperties: 256 }),
});

export const ComparedSchema = Type.Object(
  {
    heads: Type.Record(Type.String(), Digest, {
      description: "the same numbers, with the digests that are known here",
    }),
  },
  { $id: "Compared" },
);

export const PushReportSchema = Type.Object(
  {
    results: Type.Array(
      Type.Object({
        origin: Type.String(),
        originSeq: Type.Integer(),
        outcome: oneOf("applied", "duplicate", "rejected"),
        reason: Type.Optional(Type.String()),
      }),
    ),
    applied: Count,
  },
  { $id: "PushReport" },
);
