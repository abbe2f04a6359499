/** Purpose: which operations somebody lacks, by the vector that they showed. */
import type { Op } from "../../core/operation.ts";
import { counterOf, type VectorClock } from "../../core/vector-clock.ts";
import type { OpTable } from "./op-table.ts";

/** Each origin in order, at least one where there is one, no more once there are `maxBytes`. */
export function lackedBy(ops: OpTable, vector: VectorClock, limit: number, maxBytes: number): readonly Op[] {
  const lacked: Op[] = [];
  let bytes = 0;
  for (const [origin, held] of Object.entries(ops.vector)) {
    const known = counterOf(vector, origin);
    if (known >= held) continue;
    for (const found of ops.ofOrigin(origin, known, limit - lacked.length)) {
      lacked.push(found.op);
      bytes += found.bytes;
      if (lacked.length >= limit || bytes >= maxBytes) return lacked;
    }
  }
  return lacked;
}
