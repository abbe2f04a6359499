/**
 * How the other engine seems from here [HB3, DP1]. Each sign of life starts the count again; what was missed while this
 * engine itself slept does not count against the peer [CP5]. Only a refused probe makes the peer `dead`, and only a
 * heartbeat makes a dead one `alive`.
 */
import { assign, setup } from "xstate";

/** A sign of the peer, at an instant of our monotonic clock. */
type Sign = { readonly atMs: number };

export type PeerLinkEvent =
  /** This engine begins to watch, or has noticed that it slept. */
  | ({ type: "AWAKE" } & Sign)
  | ({ type: "HEARD" } & Sign)
  /** Its watch says that it is busy and lives [EN5]. */
  | ({ type: "VOUCHED" } & Sign)
  /** Every known address refuses: no process listens there any more. */
  | { type: "REFUSED" }
  /** The proof is no longer current: something answered, or nothing could be learned. */
  | { type: "DOUBTED" };

export const peerLinkMachine = setup({
  /** `signAtMs`: the last sign of life, or since when the peer is watched. */
  types: { context: {} as { readonly signAtMs: number }, events: {} as PeerLinkEvent },
  delays: { untilSuspect: 0, untilSilent: 0 },
  guards: { isAwake: () => false },
  actions: {
    noteSign: assign(({ context: { signAtMs }, event }) => ({
      signAtMs: "atMs" in event ? Math.max(signAtMs, event.atMs) : signAtMs,
    })),
    noticeSleep: () => undefined,
  },
}).createMachine({
  id: "peer-link",
  context: { signAtMs: 0 },
  initial: "connecting",
  on: {
    HEARD: { target: ".alive", actions: "noteSign" },
    REFUSED: { target: ".dead" },
  },
  states: {
    connecting: {
      after: { untilSilent: [{ guard: "isAwake", target: "silent" }, { actions: "noticeSleep" }] },
      on: { AWAKE: { target: "connecting", reenter: true, actions: "noteSign" } },
    },
    alive: {
      after: { untilSuspect: [{ guard: "isAwake", target: "suspect" }, { actions: "noticeSleep" }] },
      on: {
        AWAKE: { target: "alive", reenter: true, actions: "noteSign" },
        VOUCHED: { target: "alive", reenter: true, actions: "noteSign" },
      },
    },
    suspect: {
      after: { untilSilent: [{ guard: "isAwake", target: "silent" }, { actions: "noticeSleep" }] },
      on: {
        AWAKE: { target: "alive", actions: "noteSign" },
        VOUCHED: { target: "alive", actions: "noteSign" },
      },
    },
    silent: { on: { AWAKE: { actions: "noteSign" }, VOUCHED: { target: "alive", actions: "noteSign" } } },
    dead: { on: { AWAKE: { actions: "noteSign" }, VOUCHED: { actions: "noteSign" }, DOUBTED: "silent" } },
  },
});
