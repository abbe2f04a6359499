/** Purpose: the records as the log has made them: for every field, the operations that stand or stand apart. */
import type { Op } from "../core/operation.ts";
import type { Heads } from "../core/record-merge.ts";

/** Where a page of records begins: after this one. */
export interface RecordPlace {
  readonly entity: string;
  readonly field: string;
}

export interface RecordStore {
  /** The operation that stands; null for a field that nobody ever wrote. A deleted field has its `delete`. */
  standing(entity: string, field: string): Op | null;
  /** All heads, the standing one first. */
  heads(entity: string, field: string): Heads;
  /** Keeps the heads of their field. Their operations are in the log. */
  saveHeads(heads: Heads): void;
  /** Replaces the heads of one field; without any, nobody has written it. */
  replaceHeads(place: RecordPlace, heads: Heads): void;
  /** Fields that hold a value, by entity and field; of one entity, or of all when it is null. */
  list(entity: string | null, after: RecordPlace | null, limit: number): readonly Op[];
  /** Every field, deleted ones included, by entity and field: for comparing two engines. */
  all(after: RecordPlace | null, limit: number): readonly Op[];
}
