/** Purpose: how much every store keeps of what would otherwise grow for ever. */

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
