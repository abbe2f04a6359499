/**
 * The door of the peer channel, WebSocket `/api/peer/channel`: bearer of role `peer`, subprotocol `changeover.v1`. Behind
 * it the socket belongs to the peer channel's adapter. The header `changeover-keys` says that this side has keys, and
 * whether the other side has [ID1].
 */
import type { PeerSockets } from "./components.ts";
import { PEER_FRAME_LIMIT_BYTES } from "./limits.ts";
import type { Problem } from "./problem.ts";
import type { Channel } from "./upgrades.ts";

/** As in `adapters/ws-peer-channel/dial.ts`. */
const KEYS_HEADER = "changeover-keys";

export function peerChannel(peerSockets: PeerSockets): Channel {
  return {
    path: "/api/peer/channel",
    access: "peer",
    protocol: "changeover.v1",
    demandsProtocol: true,
    maxPayloadBytes: PEER_FRAME_LIMIT_BYTES,
    answerHeaders: [`${KEYS_HEADER}: 1`],
    open: (socket, _caller, remote, { headers }) =>
      peerSockets.accept(socket, remote, headers[KEYS_HEADER] !== undefined),
    refused: (refusal: Problem, remote) => {
      const reason = refusal.code === "invalid_request" ? "bad-frame" : "bad-token";
      peerSockets.refuse(reason, `${remote}: ${refusal.code}`);
    },
  };
}
