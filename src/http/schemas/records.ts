/** Purpose: the schemas of `/api/records`. */
import { Type } from "typebox";
import { DEFAULT_PAGE, MAX_PAGE } from "../limits.ts";
import { strict } from "../../core/schema.ts";
import { AnyJson, Count } from "./common.ts";

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
