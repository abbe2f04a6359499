/** Purpose: fresh names. */
import type { IdKind, IdOfKind } from "../core/ids.ts";

export interface Ids {
  /** A new id of `kind`, never given before. */
  next<K extends IdKind>(kind: K): IdOfKind[K];
}
