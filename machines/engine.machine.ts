/**
 * Purpose: how the engine beside the coordinator is, and whether its state is the pair's [EN1–EN11].
 * Keeps true: an engine that has lost its state is not well before it has been restored.
 */
import { setup } from "xstate";

export type EngineEvent =
  /** It answered, and nothing says that its state is lost. */
  | { type: "ANSWERED" }
  /** Its address refuses connections: the process is gone. */
  | { type: "REFUSED" }
  /** It gives no answer in time. */
  | { type: "STALLED" }
  /** It reports that it has failed. */
  | { type: "FAILED" }
  /** It answers, and its state is not the pair's. */
  | { type: "LOST" }
  /** Its state is the pair's again. */
  | { type: "RESTORED" };

export const engineMachine = setup({
  types: { events: {} as EngineEvent },
  actions: { trust: () => undefined, distrust: () => undefined, restore: () => undefined },
}).createMachine({
  id: "engine",
  initial: "connecting",
  states: {
    connecting: { on: { ANSWERED: "well", REFUSED: "dead", STALLED: "stalled", FAILED: "failed", LOST: "restoring" } },
    well: { entry: "trust", on: { REFUSED: "dead", STALLED: "stalled", FAILED: "failed", LOST: "restoring" } },
    stalled: { entry: "distrust", on: { ANSWERED: "well", REFUSED: "dead", LOST: "restoring" } },
    failed: { on: { ANSWERED: "well", REFUSED: "dead", STALLED: "stalled", LOST: "restoring" } },
    dead: { entry: "distrust", on: { ANSWERED: "well", STALLED: "stalled", LOST: "restoring" } },
    restoring: { entry: ["distrust", "restore"], on: { RESTORED: "well", REFUSED: "dead", STALLED: "stalled" } },
  },
});
