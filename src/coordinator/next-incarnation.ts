/**
 * Purpose: the name of this start, which also says of any two starts of this engine which was the later one: what an
 * earlier one left in a pipe may arrive long after the later one has greeted.
 * Keeps true: it rises with every start, whichever way the wall clock went. A disk that is full leaves only the wall clock
 * to tell, and holds up no start.
 */
import { ChangeoverError } from "../core/errors.ts";
import { type IncarnationId, MAX_START, withStart } from "../core/ids.ts";
import type { CoordinatorPorts } from "../ports/coordinator-ports.ts";

const KEY = "start";

export function nextIncarnation(ports: Pick<CoordinatorPorts, "store" | "clock" | "ids" | "logger">): IncarnationId {
  const { peerState } = ports.store.replica;
  const kept = Number(peerState.get(KEY) ?? 0);
  // A broken note counts as none.
  const last = Number.isSafeInteger(kept) && kept >= 0 && kept < MAX_START ? kept : 0;
  const start = Math.max(last + 1, Math.floor(ports.clock.unixMs()));
  try {
    peerState.set(KEY, String(start));
  } catch (error) {
    if (!(error instanceof ChangeoverError)) throw error;
    ports.logger.warn({ err: error }, "this start could not be noted");
  }
  return withStart(ports.ids.next("incarnation"), start);
}
