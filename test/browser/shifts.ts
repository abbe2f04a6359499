/**
 * How still a page stands: the sum of the layout shifts within one burst, as browsers count it (cumulative layout shift:
 * bursts end after one second of rest, or after five seconds). Below 0.1 counts as good.
 */
import type { Page } from "playwright-core";

interface Shift {
  readonly startTime: number;
  readonly value: number;
}

const REST_MS = 1_000;
const BURST_MS = 5_000;

/** From now on the page notes its shifts. */
export async function watchShifts(page: Page): Promise<void> {
  await page.evaluate(
    "globalThis.shifts=[];new PerformanceObserver((l)=>{for(const {startTime,value} of l.getEntries())shifts.push({startTime,value})}).observe({type:'layout-shift'})",
  );
}

/** The worst burst since then, or since the last call. */
export async function worstShift(page: Page): Promise<number> {
  const shifts = await page.evaluate<Shift[]>("shifts.splice(0)");
  let [worst, sum, beganMs, lastMs] = [0, 0, -Infinity, -Infinity];
  for (const { startTime, value } of shifts) {
    if (startTime - lastMs > REST_MS || startTime - beganMs > BURST_MS) [sum, beganMs] = [0, startTime];
    [sum, lastMs] = [sum + value, startTime];
    worst = Math.max(worst, sum);
  }
  return worst;
}
