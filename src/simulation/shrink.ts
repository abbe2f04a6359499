/**
 * Purpose: cuts the fault schedule of a failing seed down to one from which no fault can be taken away.
 * Source: delta debugging, ddmin (Zeller and Hildebrandt 2002).
 */
import type { Fault } from "./faults/catalogue.ts";

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
  return smallest;
}
