/** The WebSocket of one dial: address, subprotocol, bearer token, bounds. */
import { WebSocket } from "ws";
import { MAX_FRAME_BYTES } from "./frame.ts";

/** The subprotocol that both sides name in the upgrade. */
export const SUBPROTOCOL = "changeover.v1";

/**
 * The header by which both sides of an upgrade say that they have keys [ID1]. A version that does not know it refuses a
 * hello with a key, so it gets one without. Removing the header gains nothing: once a key is pinned, none is refused.
 */
export const KEYS_HEADER = "changeover-keys";

/** Where every engine accepts peers. */
export const CHANNEL_PATH = "/api/peer/channel";

/** How an HTTP server must accept peer sockets, so that both sides bound the same. */
export const PEER_SOCKET_OPTIONS = { maxPayload: MAX_FRAME_BYTES, perMessageDeflate: false } as const;

/** The full address of a configured one: the channel's path is added when it is not there. */
export function channelUrl(configured: string): URL {
  const url = new URL(configured);
  if (!url.pathname.endsWith(CHANNEL_PATH)) url.pathname = `${url.pathname.replace(/\/+$/, "")}${CHANNEL_PATH}`;
  return url;
}

/** What a dial shows, and what it trusts. */
export interface DialInit {
  readonly token: string | null;
  /** Authorities of the peer's certificate, PEM; left out: the system's. */
  readonly ca?: string;
}

/** Begins to dial. `onRejected` hears the status when the other side answers the upgrade with anything but an upgrade. */
export function dialPeer(url: URL, { token, ca }: DialInit, onRejected: (status: number) => void): WebSocket {
  const headers = { [KEYS_HEADER]: "1", ...(token === null ? {} : { authorization: `Bearer ${token}` }) };
  const ws = new WebSocket(url, SUBPROTOCOL, { headers, ...PEER_SOCKET_OPTIONS, ...(ca === undefined ? {} : { ca }) });
  ws.on("unexpected-response", (_request, response) => {
    response.resume();
    onRejected(response.statusCode ?? 0);
    ws.terminate();
  });
  return ws;
}
