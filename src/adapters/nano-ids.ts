/**
 * Purpose: fresh names from 126 random bits, so that two engines never make the same one.
 */
import { nanoid } from "nanoid";
import { type IdKind, type IdOfKind, makeId } from "../core/ids.ts";
import type { Ids } from "../ports/ids.ts";

export class NanoIds implements Ids {
  next<K extends IdKind>(kind: K): IdOfKind[K] {
    return makeId(kind, nanoid());
  }
}
