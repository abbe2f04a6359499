/**
 * Purpose: for each way in which an outbox loses events or their order, an outbox that goes that way; all must be found.
 * Not in it: a write-back without its epoch (`writesBack`). A pump that yields counts nothing any more of what was under
 * way, so that no world can tell that rule from true.
 */
import { markedBeforeSent, retriedOutOfOrder } from "./lying-sinks.ts";
import type { PlantedBug } from "./planted-bug.ts";

const TOLD = { rule: "I13", bites: ["I13"], policy: "on-air", feed: true } as const;

/** The table. */
export const PLANTED_FEED_BUGS: readonly PlantedBug[] = [
  { name: "publish marked before sent", wrapPorts: markedBeforeSent, ...TOLD },
  { name: "order broken by a retry", wrapPorts: retriedOutOfOrder, ...TOLD },
];
