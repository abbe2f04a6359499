/**
 * Purpose: how the other engine seems from here [HB3, DP1].
 * Keeps true: only a refused probe makes it `dead`; only a heartbeat makes it `alive`.
 */
import { setup } from "xstate";

export type PeerLinkEvent =
  | { type: "HEARD" }
  /** One interval has passed without a heartbeat. */
  | { type: "MISSED" }
  | { type: "SILENT" }
  /** Every known address refuses: no process listens there any more. */
  | { type: "REFUSED" }
  /** The proof is no longer current: something answered, or nothing could be learned. */
  | { type: "DOUBTED" };

export const peerLinkMachine = setup({
  types: { events: {} as PeerLinkEvent },
  actions: {
    peerAlive: () => undefined,
    peerSuspect: () => undefined,
    peerSilent: () => undefined,
    peerDead: () => undefined,
  },
}).createMachine({
  id: "peer-link",
  initial: "connecting",
  states: {
    connecting: { on: { HEARD: "alive", SILENT: "silent", REFUSED: "dead" } },
    alive: { entry: "peerAlive", on: { MISSED: "suspect", SILENT: "silent", REFUSED: "dead" } },
    suspect: { entry: "peerSuspect", on: { HEARD: "alive", SILENT: "silent", REFUSED: "dead" } },
    silent: { entry: "peerSilent", on: { HEARD: "alive", REFUSED: "dead" } },
    dead: { entry: "peerDead", on: { HEARD: "alive", DOUBTED: "silent" } },
  },
});
