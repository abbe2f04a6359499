/** What a `MemoryReplica` looks up by walking: orders, pages, and what is no longer needed. */
import type { Op, Heads } from "../../core/operation.ts";
import { counterOf, type VectorClock } from "../../core/vector-clock.ts";
import { type ArrivedOp, countable, type RecordPlace } from "../../ports/replica.ts";
import { opBytes } from "../store-bounds.ts";

/** Key of a field whose order is that of entity, then field. */
export function place({ entity, field }: RecordPlace): string {
  return `${entity}\u0000${field}`;
}

/** What the operation weighs in a page. */
export function bytesOf(op: Op): number {
  return opBytes({ ...op, payload: JSON.stringify(op.payload), clock: JSON.stringify(op.clock) });
}

export function outOfOrder(arrivals: readonly ArrivedOp[], next: ArrivedOp): boolean {
  return next.arrival <= (arrivals.at(-1)?.arrival ?? "");
}

/** Where in `arrivals` those after `after` begin. */
export function firstAfter(arrivals: readonly ArrivedOp[], after: string): number {
  let from = 0;
  let to = arrivals.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((arrivals[middle]?.arrival ?? "") > after) to = middle;
    else from = middle + 1;
  }
  return from;
}

/** See `OpLog.coveredBy`. */
export function coveredBy(
  arrivals: readonly ArrivedOp[],
  clock: VectorClock,
  { after, limit }: { readonly after: string; readonly limit: number },
): string {
  const first = firstAfter(arrivals, after);
  let covered = after;
  for (const { op, arrival } of arrivals.slice(first, first + limit)) {
    if (op.originSeq > counterOf(clock, op.origin)) break;
    covered = arrival;
  }
  return covered;
}

/** How far a floor at `through` may count each origin. */
export function countedThrough(arrivals: readonly ArrivedOp[], through: string): VectorClock {
  const arrived: Record<string, number> = {};
  const later: Record<string, number> = {};
  for (const { op, arrival } of arrivals) {
    const { origin, originSeq } = op;
    if (arrival <= through) arrived[origin] = Math.max(counterOf(arrived, origin), originSeq);
    else later[origin] = Math.min(counterOf(later, origin) || originSeq, originSeq);
  }
  return countable(arrived, later);
}

/** Arrivals through `through` that are no head of their field, where the vector counts all heads. */
export function unneeded(
  log: {
    readonly arrivals: readonly ArrivedOp[];
    readonly heads: ReadonlyMap<string, Heads>;
    readonly held: VectorClock;
  },
  through: string,
): readonly ArrivedOp[] {
  const keeps = (head: Op, op: Op): boolean =>
    (head.origin === op.origin && head.originSeq === op.originSeq) || head.originSeq > counterOf(log.held, head.origin);
  const isNeeded = ({ op }: ArrivedOp): boolean => log.heads.get(place(op))?.some((head) => keeps(head, op)) ?? false;
  return log.arrivals.filter((arrived) => arrived.arrival <= through && !isNeeded(arrived));
}

/** What `theirs` lacks of `held`, each origin in order. */
export function lackedFrom(
  ops: ReadonlyMap<string, ArrivedOp>,
  held: VectorClock,
  theirs: VectorClock,
  bounds: { readonly limit: number; readonly maxBytes: number },
): readonly Op[] {
  const lacked: Op[] = [];
  let bytes = 0;
  const inOrder = [...ops.values()].map(({ op }) => op).sort((left, right) => left.originSeq - right.originSeq);
  for (const origin of Object.keys(held)) {
    const known = counterOf(theirs, origin);
    if (known >= counterOf(held, origin)) continue;
    for (const op of inOrder.filter((one) => one.origin === origin && one.originSeq > known)) {
      lacked.push(op);
      bytes += bytesOf(op);
      if (lacked.length >= bounds.limit || bytes >= bounds.maxBytes) return lacked;
    }
  }
  return lacked;
}
