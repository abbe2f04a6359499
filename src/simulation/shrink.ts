/**
 * Purpose: cuts the fault schedule of a failing seed down to one from which no fault can be taken away.
 * Source: delta debugging, ddmin (Zeller and Hildebrandt 2002).
 */
import { type Fault, workOf } from "./faults/catalogue.ts";

/** Runs that one shrinking may take. */
const MOST_RUNS = 300;

/** The smallest schedule found that still fails. `fails` runs the seed with a schedule in place of its own. */
export async function shrink(
  faults: readonly Fault[],
  fails: (schedule: readonly Fault[]) => Promise<boolean>,
): Promise<readonly Fault[]> {
  let smallest = faults;
  let parts = 2;
  let runs = 0;
  while (smallest.length >= 1 && runs < MOST_RUNS) {
    const size = Math.ceil(smallest.length / parts);
    let cut = false;
    for (let start = 0; start < smallest.length && runs < MOST_RUNS; start += size) {
      const without = [...smallest.slice(0, start), ...smallest.slice(start + size)];
      runs += 1;
      if (!(await fails(without))) continue;
      smallest = without;
      cut = true;
      break;
    }
    if (cut) parts = Math.max(2, parts - 1);
    else if (size === 1) break;
    else parts = Math.min(smallest.length, parts * 2);
  }
  return shorten(smallest, fails, MOST_RUNS - runs);
}

/** Below this a time is not cut any more, ms. */
const SHORT_MS = 1;

/** Shorter durations and earlier, rounder times, for as long as it still fails and runs are left. */
async function shorten(
  faults: readonly Fault[],
  fails: (schedule: readonly Fault[]) => Promise<boolean>,
  mostRuns: number,
): Promise<readonly Fault[]> {
  let smallest = faults;
  let runs = 0;
  const tries = [
    (fault: Fault) => (canBeShorter(fault) ? { forMs: Math.floor(fault.forMs / 2) } : null),
    ({ forMs }: Fault) => (Number.isInteger(forMs) ? null : { forMs: Math.round(forMs) }),
    ({ atMs }: Fault) => (Number.isInteger(atMs) ? null : { atMs: Math.round(atMs) }),
    ({ atMs }: Fault) => (atMs % 100 === 0 ? null : { atMs: Math.round(atMs / 100) * 100 }),
  ];
  for (let index = 0; index < smallest.length; index += 1) {
    for (let way = 0; way < tries.length && runs < mostRuns;) {
      const before = smallest[index] as Fault;
      const change = tries[way]?.(before) ?? null;
      const changed = smallest.with(index, { ...before, ...change });
      runs += change === null ? 0 : 1;
      if (change !== null && (await fails(changed))) smallest = changed;
      else way += 1;
    }
  }
  return smallest;
}

/** A fault of fixed length does several things one after the other: it would go on when it is said to be over. */
function canBeShorter({ kind, forMs }: Fault): boolean {
  const [shortestMs, longestMs] = workOf(kind).lastsMs;
  return shortestMs < longestMs && forMs > SHORT_MS;
}
