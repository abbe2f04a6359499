/** Purpose: for each way in which an outbox loses events or their order, an outbox that goes that way; all must be found. */
import { markedBeforeSent, retriedOutOfOrder } from "./lying-sinks.ts";
import type { PlantedBug } from "./planted-bugs.ts";

const TOLD = { rule: "I13", bites: ["I13"], policy: "on-air", feed: true } as const;

/** The table. */
export const PLANTED_FEED_BUGS: readonly PlantedBug[] = [
  { name: "publish marked before sent", wrapPorts: markedBeforeSent, ...TOLD },
  { name: "order broken by a retry", wrapPorts: retriedOutOfOrder, ...TOLD },
  { name: "write-back without its epoch", rules: { writesBack: () => true }, ...TOLD },
];
