/** How much every store keeps of what would otherwise grow for ever. */
/** Newest idempotency keys that compaction never drops. */
export const KEYS_KEPT = 10_000;

/** Newest runs of the log's shape that compaction leaves. */
export const RUNS_KEPT = 10_000;

/** Newest leaderships and newest requests that are kept as history. */
export const HISTORY_KEPT = 10_000;

/** The last `limit` items, in their order. */
export function newest<Item>(items: readonly Item[], limit: number): readonly Item[] {
  return items.length <= limit ? items : items.slice(items.length - limit);
}

/** Newest claims to an identity that another operation has. */
export const QUARANTINED_KEPT = 1_000;

// What an operation weighs in a page: the bounds of pages in bytes are kept by it, over every store.

/** Names, punctuation, numbers, checksum and the signature with which it may leave. */
const FRAME_BYTES = 360;

/** The texts of an operation; `payload` and `clock` as JSON. */
export interface OpTexts {
  readonly origin: string;
  readonly hlc: string;
  readonly entity: string;
  readonly field: string;
  readonly payload: string;
  readonly clock: string;
}

/** Bytes of the operation as JSON, or a little more. */
export function opBytes({ origin, hlc, entity, field, payload, clock }: OpTexts): number {
  const named = Buffer.byteLength(JSON.stringify(entity)) + Buffer.byteLength(JSON.stringify(field));
  return FRAME_BYTES + origin.length + hlc.length + named + Buffer.byteLength(payload) + clock.length;
}
