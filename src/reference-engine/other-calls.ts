/**
 * Calls that the switcher does not interpret, and calls to things that are not there: kept under their path, so
 * that any call of such an API replays and can be seen on both engines.
 * Bounded; which path goes when there are too many depends on the calls alone.
 */
import type { Call } from "./call.ts";
import { sizeOf, valueOf, without, withValue } from "./keyed.ts";
import { MAX_KEPT_PATHS } from "./limits.ts";
import type { KeptCall, SwitcherState } from "./state.ts";

/** Notes the call under its path and changes nothing else. */
export function keepCall(state: SwitcherState, call: Call<unknown>): SwitcherState {
  const before = valueOf(state.calls, call.path);
  const kept: KeptCall = {
    method: call.method,
    payload: call.payload,
    times: (before?.times ?? 0) + 1,
    lastSeq: call.seq,
  };
  const room = before !== undefined || sizeOf(state.calls) < MAX_KEPT_PATHS;
  const calls = room ? state.calls : without(state.calls, leastRecentPath(state));
  return { ...state, calls: withValue(calls, call.path, kept) };
}

/** Paths called by one command are told apart by their text, since the order of keys does not survive a snapshot. */
function leastRecentPath(state: SwitcherState): string {
  const entries = Object.entries(state.calls);
  entries.sort(([pathA, a], [pathB, b]) => a.lastSeq - b.lastSeq || (pathA < pathB ? -1 : 1));
  return entries[0]?.[0] ?? "";
}
