/**
 * Purpose: the door of the visualiser's stream, WebSocket `/api/machines/stream`. The peer may look on too: each engine
 * relays the other's stream, so that one page shows both.
 */
import type { MachineViewers } from "./components.ts";
import { VIEWER_FRAME_LIMIT_BYTES } from "./limits.ts";
import { type Channel, queryOf } from "./upgrades.ts";

export function machineStream(viewers: MachineViewers): Channel {
  return {
    path: "/api/machines/stream",
    access: "sync-read",
    protocol: "changeover.machines.v1",
    demandsProtocol: false,
    maxPayloadBytes: VIEWER_FRAME_LIMIT_BYTES,
    open: (socket, _caller, _remote, request) => viewers.open(socket, queryOf(request)),
  };
}
