/** The schemas of `/api/ops`: operations as they lie in the log, and those that could not be taken. */
import { Type } from "typebox";
import {
  CURSOR_FORM,
  DEFAULT_PAGE_BYTES,
  DEFAULT_PAGE_OPS,
  MAX_PAGE_BYTES,
  MAX_PAGE_OPS,
  MIN_PAGE_BYTES,
} from "../../core/operation.ts";
import { DEFAULT_PAGE, MAX_PAGE } from "../limits.ts";
import { oneOf, strict } from "../../core/schema.ts";
import { AnyJson, ClockSchema, Count } from "./common.ts";

export const OpSchema = Type.Object(
  {
    origin: Type.String(),
    originSeq: Count,
    hlc: Type.String(),
    epoch: Count,
    kind: oneOf("set", "delete", "skip"),
    entity: Type.String(),
    field: Type.String(),
    payload: AnyJson,
    clock: ClockSchema,
    checksum: Type.String({
      description: "sha256 of the RFC 8785 form of the operation without this field and the signature",
    }),
    signature: Type.Optional(
      Type.String({ description: "public key and Ed25519 signature of its origin, base64url, with a dot in between" }),
    ),
  },
  { $id: "Op" },
);

/** One of them within another schema. */
export const OpRef = Type.Unsafe<unknown>({ $ref: "Op#" });

export const OpsQuery = Type.Object({
  after: Type.Optional(Type.String({ pattern: CURSOR_FORM, description: "arrival of the last one known" })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_PAGE, default: DEFAULT_PAGE })),
});

export const OpsSchema = Type.Object(
  {
    ops: Type.Array(Type.Object({ arrival: Type.String(), via: Type.String(), op: OpRef })),
    hasMore: Type.Boolean(),
  },
  { $id: "Ops", description: "in the order of their arrival; without `after`, the newest" },
);

/** What came and was not taken: whose it says to be, who brought it, and why not. */
const NotTaken = {
  origin: Type.String(),
  originSeq: Count,
  via: Type.String(),
  reason: Type.String(),
  content: AnyJson,
};

export const AsideSchema = Type.Object(
  {
    aside: Type.Array(
      Type.Object({
        ...NotTaken,
        attempts: Count,
        dead: Type.Boolean({ description: "its origin stands still until it is skipped" }),
        atUnixMs: Type.Number(),
      }),
    ),
    quarantined: Type.Array(Type.Object({ ...NotTaken, atUnixMs: Type.Number() })),
  },
  { $id: "Aside" },
);

export const AsideParams = Type.Object({ origin: Type.String(), originSeq: Type.Integer({ minimum: 1 }) });

// The schemas of `/sync`, over which places exchange operations.

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
  heads: Type.Record(Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$" }), Digest, {
    maxProperties: 256,
    additionalProperties: false,
  }),
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

// The schemas of `/api/records`.

const RecordName = Type.String({ minLength: 1, maxLength: 128 });

export const RecordParams = Type.Object({ entity: RecordName, field: RecordName });

export const RecordBody = strict({ value: AnyJson });

export const RecordsQuery = Type.Object({
  entity: Type.Optional(RecordName),
  afterEntity: Type.Optional(RecordName),
  afterField: Type.Optional(RecordName),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_PAGE, default: DEFAULT_PAGE })),
});

export const RecordSchema = Type.Object(
  {
    entity: Type.String(),
    field: Type.String(),
    value: AnyJson,
    hlc: Type.String({ description: "when it was written" }),
    origin: Type.String({ description: "who wrote it" }),
    originSeq: Count,
    contested: Type.Boolean({ description: "another change was made apart from it: see the conflicts" }),
  },
  { $id: "Record" },
);

export const RecordPageSchema = Type.Object(
  { records: Type.Array(Type.Unsafe<unknown>({ $ref: "Record#" })), hasMore: Type.Boolean() },
  { $id: "RecordPage", description: "by entity, then field; the next page is after the last one's" },
);
