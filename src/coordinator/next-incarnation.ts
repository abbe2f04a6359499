/**
 * The name of this start. Of any two starts of this engine it says which was the later one: what an earlier one left in a
 * pipe may arrive long after the later one has greeted.
 * It rises with every start, whichever way the wall clock went, and never comes near the bound of numbers [EP6]: a wall
 * clock beyond the year 2248 does not count. A full disk leaves only the wall clock to tell, and delays no start.
 */
import { ChangeoverError } from "../core/errors.ts";
import { type IncarnationId, withStart } from "../core/ids.ts";
import { isReachable, MAX_NUMBER } from "../core/reach.ts";
import type { CoordinatorPorts } from "../ports/coordinator-ports.ts";

const KEY = "start";

/** The highest start number that the wall clock gives, ms since 1970; what counts beyond it rises by one each start. */
const MAX_CLOCK_START = 2 ** 43;

export function nextIncarnation(ports: Pick<CoordinatorPorts, "store" | "clock" | "ids" | "logger">): IncarnationId {
  const { peerState } = ports.store.replica;
  const kept = Number(peerState.get(KEY) ?? 0);
  // A broken note counts as none.
  const last = isReachable(kept) && kept < MAX_NUMBER ? kept : 0;
  const start = Math.max(last + 1, Math.min(Math.floor(ports.clock.unixMs()), MAX_CLOCK_START));
  try {
    peerState.set(KEY, String(start));
  } catch (error) {
    if (!(error instanceof ChangeoverError)) throw error;
    ports.logger.warn({ err: error }, "this start could not be noted");
  }
  return withStart(ports.ids.next("incarnation"), start);
}
