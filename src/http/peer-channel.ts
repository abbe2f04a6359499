/**
 * Purpose: the door of the peer channel, WebSocket `/api/peer/channel`: bearer of role `peer`, subprotocol
 * `changeover.v1`; behind it the socket belongs to the peer channel's adapter.
 */
import type { PeerSockets } from "./components.ts";
import { PEER_FRAME_LIMIT_BYTES } from "./limits.ts";
import type { Problem } from "./problem.ts";
import type { Channel } from "./upgrades.ts";

export function peerChannel(peerSockets: PeerSockets): Channel {
  return {
    path: "/api/peer/channel",
    access: "peer",
    protocol: "changeover.v1",
    demandsProtocol: true,
    maxPayloadBytes: PEER_FRAME_LIMIT_BYTES,
    open: (socket, _caller, remote) => peerSockets.accept(socket, remote),
    refused: (refusal: Problem, remote) => {
      const reason = refusal.code === "invalid_request" ? "bad-frame" : "bad-token";
      peerSockets.refuse(reason, `${remote}: ${refusal.code}`);
    },
  };
}
