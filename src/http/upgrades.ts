/**
 * Turns HTTP connections into WebSockets: checks path, token and subprotocol first, then hands the socket over.
 * Nobody gets a socket without the role for it; a refusal is a problem document like any other; a token that
 * came as a subprotocol is never sent back.
 */
import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { type Access, bearerOf, type Identify, permit, type BrowserAccess, type Caller } from "./access.ts";
import { type Problem, problem, problemDocument, problemHeaders, statusOf } from "./problem.ts";
import { rawAnswer, REQUEST_ID_HEADER } from "./body.ts";
import { canonicalUrl } from "./route-table.ts";
import type { PeerSockets, MachineViewers } from "./components.ts";
import { PEER_FRAME_LIMIT_BYTES, VIEWER_FRAME_LIMIT_BYTES } from "./limits.ts";

/** A path that speaks WebSocket. */
export interface Channel {
  readonly path: string;
  readonly access: Exclude<Access, "exempt" | "page">;
  readonly protocol: string;
  /** Whether who does not name the subprotocol is refused. */
  readonly demandsProtocol: boolean;
  readonly maxPayloadBytes: number;
  /** Lines that the answer to the upgrade bears. */
  readonly answerHeaders?: readonly string[];
  open(socket: WebSocket, caller: Caller, remote: string, request: Pick<IncomingMessage, "headers" | "url">): void;
  /** Hears who was refused. */
  refused?(refusal: Problem, remote: string): void;
}

/** The only version of the WebSocket protocol there is [RFC 6455, 4.4]. */
const VERSION = "13";

/** Close code of RFC 6455, 7.4.1. */
const POLICY_VIOLATION = 1008;

/** What every 426 says. */
export const OFFER = { upgrade: "websocket", "sec-websocket-version": VERSION };

/** What begins a subprotocol that carries a token, base64url: browsers cannot send headers along with a WebSocket. */
const BEARER_PROTOCOL = "bearer.";

export class Upgrades {
  readonly #channels: ReadonlyMap<string, Channel>;
  readonly #servers: ReadonlyMap<string, WebSocketServer>;
  readonly #identify: Identify;
  readonly #browsers: BrowserAccess;
  readonly #nameRequest: (request: IncomingMessage) => string;
  readonly #open = new Map<
    WebSocket,
    { readonly channel: Channel; readonly caller: Caller; readonly request: IncomingMessage }
  >();

  constructor(
    components: {
      readonly identify: Identify;
      readonly browsers: BrowserAccess;
      readonly nameRequest: (request: IncomingMessage) => string;
    },
    channels: readonly Channel[],
  ) {
    this.#identify = components.identify;
    this.#browsers = components.browsers;
    this.#nameRequest = components.nameRequest;
    this.#channels = new Map(channels.map((channel) => [channel.path, channel]));
    this.#servers = new Map(channels.map((channel) => [channel.path, serverOf(channel, this.#nameRequest)]));
    for (const server of this.#servers.values()) {
      server.on("wsClientError", (error, socket, request) => {
        this.#refuse(request, socket, problem("invalid_request", error.message));
      });
    }
  }

  /** Whether the request is for here: a plain request that merely offers another protocol is not. */
  wants(request: Pick<IncomingMessage, "headers" | "url">): boolean {
    return request.headers.upgrade?.toLowerCase() === "websocket" && this.#channels.has(pathOf(request));
  }

  attach(server: Server): void {
    server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      socket.on("error", () => socket.destroy());
      this.#upgrade(request, socket, head);
    });
  }

  /** Other tokens are in force: a socket whose own is none of them, or has another role now, is closed. */
  revalidate(): void {
    for (const [socket, { channel, caller, request }] of this.#open) {
      const now = this.#admit(channel, request);
      const isSame = !("code" in now) && now.name === caller.name && now.role === caller.role;
      if (isSame) continue;
      socket.close(POLICY_VIOLATION, "the token of this connection is no longer in force");
      // A client that does not answer the close is not heard any more either.
      socket.terminate();
    }
  }

  /** Ends every socket that was opened here. Idempotent. */
  close(): void {
    for (const server of this.#servers.values()) {
      for (const socket of server.clients) socket.terminate();
      server.close();
    }
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const channel = this.#channels.get(pathOf(request));
    const server = this.#servers.get(pathOf(request));
    const remote = `${request.socket.remoteAddress ?? "?"}:${request.socket.remotePort ?? 0}`;
    if (channel === undefined || server === undefined) {
      this.#refuse(request, socket, problem("not_found", "no WebSocket is at this path"));
      return;
    }
    if (request.method !== "GET") {
      this.#refuse(request, socket, problem("method_not_allowed", "this path knows GET"), { allow: "GET" });
      return;
    }
    const caller = this.#admit(channel, request);
    if ("code" in caller) {
      channel.refused?.(caller, remote);
      this.#refuse(request, socket, caller);
      return;
    }
    if (request.headers["sec-websocket-version"] !== VERSION) {
      const told = request.headers["sec-websocket-version"] ?? "missing";
      const detail = `the header Sec-WebSocket-Version is ${told}, must be ${VERSION}`;
      this.#refuse(request, socket, problem("upgrade_required", detail), OFFER);
      return;
    }
    server.handleUpgrade(request, socket, head, (opened) => {
      // ws ends a socket whose frames are wrong by itself; if nobody listened, its error would end the process.
      opened.on("error", () => undefined);
      this.#open.set(opened, { channel, caller, request });
      opened.on("close", () => this.#open.delete(opened));
      channel.open(opened, caller, remote, request);
    });
  }

  #admit(channel: Channel, request: IncomingMessage): Caller | Problem {
    const offered = offeredProtocols(request);
    const foreign = this.#browsers.refuseHost(request.headers) ?? this.#browsers.refuseSocketOrigin(request.headers);
    if (foreign !== null) return foreign;
    const caller = this.#identify(request.headers, bearerOf(request.headers) ?? bearerAmong(offered));
    if ("code" in caller) return caller;
    const refusal = permit(caller, channel.access);
    if (refusal !== null) return refusal;
    if (channel.demandsProtocol && !offered.includes(channel.protocol)) {
      return problem("invalid_request", `offer the subprotocol ${channel.protocol}`);
    }
    return caller;
  }

  #refuse(request: IncomingMessage, socket: Duplex, refusal: Problem, headers: Record<string, string> = {}): void {
    const id = this.#nameRequest(request);
    socket.end(
      rawAnswer(statusOf(refusal.code), id, problemDocument(refusal), { ...problemHeaders(refusal), ...headers }),
    );
  }
}

function serverOf(
  { protocol, maxPayloadBytes, answerHeaders = [] }: Channel,
  nameRequest: (request: IncomingMessage) => string,
): WebSocketServer {
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: maxPayloadBytes,
    perMessageDeflate: false,
    // Each frame has a turn of the loop to itself, however many came together.
    allowSynchronousEvents: false,
    handleProtocols: (offered) => (offered.has(protocol) ? protocol : false),
  });
  server.on("headers", (headers, request) => {
    headers.push(...answerHeaders, `${REQUEST_ID_HEADER}: ${nameRequest(request)}`);
  });
  return server;
}

function pathOf({ url }: Pick<IncomingMessage, "url">): string {
  return canonicalUrl(url ?? "").split("?", 1)[0] ?? "";
}

export function queryOf({ url }: Pick<IncomingMessage, "url">): URLSearchParams {
  return new URLSearchParams((url ?? "").split("?", 2)[1] ?? "");
}

function offeredProtocols(request: IncomingMessage): readonly string[] {
  return (request.headers["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim());
}

function bearerAmong(offered: readonly string[]): string | null {
  const carrier = offered.find((name) => name.startsWith(BEARER_PROTOCOL));
  return carrier === undefined
    ? null
    : Buffer.from(carrier.slice(BEARER_PROTOCOL.length), "base64url").toString("utf8");
}

// The door of the peer channel, WebSocket `/api/peer/channel`: bearer of role `peer`, subprotocol `changeover.v1`.
// Behind it the socket belongs to the peer channel's adapter. The header `changeover-keys` says that this side has
// keys, and whether the other side has [ID1].

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

// The door of the visualiser's stream, WebSocket `/api/machines/stream`. The peer may look on too: each engine relays
// the other's stream, so that one page shows both.

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
