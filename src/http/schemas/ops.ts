/** Purpose: the schemas of `/api/ops`: operations as they lie in the log, and those that could not be taken. */
import { Type } from "typebox";
import { CURSOR_FORM } from "../../core/sync-bounds.ts";
import { DEFAULT_PAGE, MAX_PAGE } from "../limits.ts";
import { oneOf } from "../../core/schema.ts";
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
