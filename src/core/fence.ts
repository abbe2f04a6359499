/**
 * Purpose: fencing [EP4, RL3]: whoever acted under a lower number than the highest accepted one is late and is refused.
 * Serves epochs and the fence of the reconcile lock alike. Does not know: where the highest is kept.
 */

/** The highest number accepted so far; 0 before the first. */
export type Fence = number;

/** Nothing has been accepted yet. */
export const NO_FENCE: Fence = 0;

/** Whether work under `offered` may still be done: the current holder may act again, an earlier one may not. */
export function admits(highest: Fence, offered: number): boolean {
  return Number.isSafeInteger(offered) && offered >= highest;
}

/** The fence after work under `offered` was admitted. Never falls. */
export function raiseFence(highest: Fence, offered: number): Fence {
  return admits(highest, offered) ? offered : highest;
}
