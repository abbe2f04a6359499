/**
 * Purpose: keeps every request to move the role: who, when, why, and how it ended [HO4].
 * Keeps true: a disk that refuses takes no answer away from the caller.
 */
import type { Kit } from "../actors/kit.ts";
import type { RequestEntry } from "../ports/store.ts";

/** `mode`: `graceful`, `immediate`, or `handover` for a role that its leader gave away. */
export function recordRequest(kit: Kit, request: Omit<RequestEntry, "at">): void {
  const { store, clock, logger } = kit.ports;
  try {
    store.saveRequest({ ...request, at: String(Math.round(clock.unixMs())) });
  } catch (error) {
    logger.error({ err: error, requestId: request.requestId }, "a request to move the role could not be recorded");
  }
}
