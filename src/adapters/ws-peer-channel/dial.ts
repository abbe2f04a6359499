/**
 * A link over WebSockets: how it is dialled (address, subprotocol, bearer token, bounds), and one socket as a connection.
 * What it accepts comes from the HTTP server, see `WsPeerChannel.accept`.
 */
import { WebSocket } from "ws";
import { type Link, type LinkConnection, type LinkEvents, MAX_FRAME_BYTES } from "../../ports/link.ts";

/** The subprotocol that both sides name in the upgrade. */
export const SUBPROTOCOL = "changeover.v1";

/**
 * The header by which both sides of an upgrade say that they have keys [ID1]. A version that does not know it refuses a
 * hello with a key, so it gets one without. Removing the header gains nothing: once a key is pinned, none is refused.
 */
export const KEYS_HEADER = "changeover-keys";

/** Where every engine accepts peers. */
export const CHANNEL_PATH = "/api/peer/channel";

/**
 * How an HTTP server must accept peer sockets, so that both sides bound the same. Each frame has a turn of the loop to
 * itself: many that came together, each with its transaction, would hold up this engine's own heartbeats.
 */
export const PEER_SOCKET_OPTIONS = {
  maxPayload: MAX_FRAME_BYTES,
  perMessageDeflate: false,
  allowSynchronousEvents: false,
} as const;

/** The full address of a configured one: the channel's path is added when it is not there. */
export function channelUrl(configured: string): URL {
  const url = new URL(configured);
  if (!url.pathname.endsWith(CHANNEL_PATH)) url.pathname = `${url.pathname.replace(/\/+$/, "")}${CHANNEL_PATH}`;
  return url;
}

export interface WsLinkInit {
  readonly name: string;
  /** `ws://` or `wss://`. */
  readonly url: string;
  readonly token: string | null;
  /** Authorities of the peer's certificate, PEM; left out: the system's. */
  readonly ca?: string;
}

export class WsLink implements Link {
  readonly name: string;
  readonly #init: WsLinkInit;
  readonly #url: URL;
  readonly #onRejected: (host: string, status: number) => void;

  /** `onRejected` hears the status when the other side answers the upgrade with anything but an upgrade. */
  constructor(components: { readonly onRejected: (host: string, status: number) => void }, init: WsLinkInit) {
    this.name = init.name;
    this.#init = init;
    this.#url = channelUrl(init.url);
    this.#onRejected = components.onRejected;
  }

  /** The HTTP server accepts. */
  accept(): void {}

  dial(): LinkConnection {
    const { token, ca } = this.#init;
    const headers = { [KEYS_HEADER]: "1", ...(token === null ? {} : { authorization: `Bearer ${token}` }) };
    const options = { headers, ...PEER_SOCKET_OPTIONS, ...(ca === undefined ? {} : { ca }) };
    const ws = new WebSocket(this.#url, SUBPROTOCOL, options);
    ws.on("unexpected-response", (_request, response) => {
      response.resume();
      this.#onRejected(this.#url.host, response.statusCode ?? 0);
      ws.terminate();
    });
    return new WsConnection(ws, { remote: this.#url.host, peerHasKeys: null });
  }

  async close(): Promise<void> {}
}

/** One WebSocket. `peerHasKeys` null: it is still being dialled, and the answer to the upgrade will tell. */
export class WsConnection implements LinkConnection {
  readonly remote: string;
  readonly #ws: WebSocket;
  readonly #peerHasKeys: boolean | null;

  constructor(ws: WebSocket, init: { readonly remote: string; readonly peerHasKeys: boolean | null }) {
    this.#ws = ws;
    this.remote = init.remote;
    this.#peerHasKeys = init.peerHasKeys;
  }

  get bufferedBytes(): number {
    return this.#ws.bufferedAmount;
  }

  listen(events: LinkEvents): void {
    // It comes just before "open"; until then nothing can be sent.
    this.#ws.on("upgrade", ({ headers }) => {
      this.#ws.once("open", () => events.onOpen(headers[KEYS_HEADER] !== undefined));
    });
    this.#ws.on("message", (data, isBinary) => {
      if (isBinary) events.onBadFrame("binary");
      else events.onFrame((data as Buffer).toString("utf8"));
    });
    this.#ws.on("ping", () => events.onSignOfLife());
    this.#ws.on("pong", () => events.onSignOfLife());
    // Every error is followed by "close"; only a frame beyond the bound is somebody's doing.
    this.#ws.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH") events.onBadFrame("too-large");
    });
    this.#ws.on("close", (code, reason) => events.onEnd(code, reason.toString()));
    if (this.#peerHasKeys !== null) events.onOpen(this.#peerHasKeys);
  }

  send(frame: string): void {
    this.#ws.send(frame);
  }

  ping(): void {
    this.#ws.ping();
  }

  close(code: number, reason: string): void {
    this.#ws.close(code, reason);
  }

  drop(): void {
    this.#ws.terminate();
  }
}
