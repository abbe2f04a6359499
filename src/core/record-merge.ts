/**
 * Purpose: what becomes of one field when one more operation on it is known: which value stands, and which others were
 * made without knowledge of it.
 * Source: last writer wins by HLC (Kulkarni 2014) for what stands; version vectors (Parker et al. 1983) for what was
 * made apart. Keeps true: the result depends on the set of operations alone, never on the order in which they came.
 */
import { canonicalJson } from "./canonical-json.ts";
import { hasSeen, standsOver, type Op } from "./operation.ts";

/** The operations on a field that nobody who wrote it later had seen. The first one stands. */
export type Heads = readonly Op[];

/** The heads once `op` is known too. `heads` itself when it changes nothing. */
export function mergeHeads(heads: Heads, op: Op): Heads {
  if (heads.some((head) => head.checksum === op.checksum || hasSeen(head, op))) return heads;
  const apart = heads.filter((head) => !hasSeen(op, head));
  return [...apart, op].sort((left, right) => (standsOver(left, right) ? -1 : 1));
}

/** The heads that a person must look at: made apart from the one that stands, and different. */
export function contested(heads: Heads): readonly Op[] {
  const [standing, ...others] = heads;
  if (standing === undefined) return [];
  return others.filter((other) => !sameEffect(other, standing));
}

/** Whether two operations on one field leave the same. */
export function sameEffect(one: Op, other: Op): boolean {
  return one.kind === other.kind && canonicalJson(one.payload) === canonicalJson(other.payload);
}
