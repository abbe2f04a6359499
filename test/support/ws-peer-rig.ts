/**
 * Two places on loopback where a WebSocket peer channel can live, each with its own port that stays the same while
 * channels come and go, as when an engine restarts.
 */
import { once } from "node:events";
import { type IncomingMessage, type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import { SystemClock, SystemRandom } from "../../src/adapters/basics.ts";
import { CHANNEL_PATH, KEYS_HEADER, PEER_SOCKET_OPTIONS } from "../../src/adapters/ws-peer-channel/dial.ts";
import type { Signatures } from "../../src/ports/basics.ts";
import { WsPeerChannel, type WsPeerChannelInit } from "../../src/adapters/ws-peer-channel/ws-peer-channel.ts";
import { keyOf } from "./test-keys.ts";

export interface Place {
  readonly server: Server;
  readonly url: string;
  channel: WsPeerChannel | null;
}

export class WsPeerRig {
  readonly links: readonly string[];
  readonly token: string | null;
  readonly places: readonly [Place, Place];
  readonly #sockets = new WebSocketServer({ noServer: true, ...PEER_SOCKET_OPTIONS }).on("headers", (headers) =>
    headers.push(`${KEYS_HEADER}: 1`),
  );
  readonly #made: WsPeerChannel[] = [];

  private constructor(links: readonly string[], token: string | null, servers: readonly [Server, Server]) {
    this.links = links;
    this.token = token;
    const place = (server: Server): Place => {
      const { port } = server.address() as AddressInfo;
      const made: Place = { server, url: `ws://127.0.0.1:${port}`, channel: null };
      server.on("upgrade", (request, socket: Duplex, head) => this.#onUpgrade(made, request, socket, head));
      return made;
    };
    this.places = [place(servers[0]), place(servers[1])];
  }

  static async start(links: readonly string[], token: string | null = "peer-token"): Promise<WsPeerRig> {
    const servers = [createServer(), createServer()] as const;
    for (const server of servers) {
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
    }
    return new WsPeerRig(links, token, servers);
  }

  /** A channel on one side, told to reach the other. */
  end(
    side: 0 | 1,
    init: Pick<WsPeerChannelInit, "pair" | "label"> & Partial<WsPeerChannelInit>,
    signatures: Signatures = keyOf(init.label),
  ): WsPeerChannel {
    const url = this.places[side === 0 ? 1 : 0].url;
    const links = this.links.map((name) => ({ name, url }));
    const components = { clock: new SystemClock(), random: new SystemRandom(), signatures };
    const channel = new WsPeerChannel(components, { links, token: this.token, ...init });
    this.places[side].channel = channel;
    this.#made.push(channel);
    return channel;
  }

  async close(): Promise<void> {
    await Promise.all(this.#made.map((channel) => channel.close()));
    for (const { server } of this.places) {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    }
  }

  #onUpgrade(place: Place, request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on("error", () => undefined);
    const remote = `${request.socket.remoteAddress}:${request.socket.remotePort}`;
    const { channel } = place;
    const allowed = this.token === null || request.headers.authorization === `Bearer ${this.token}`;
    if (request.url !== CHANNEL_PATH || channel === null || !allowed) {
      if (!allowed) channel?.refuse("bad-token", `wrong token from ${remote}`);
      socket.end(`HTTP/1.1 ${allowed ? 404 : 401} no\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (ws) =>
      channel.accept(ws, remote, request.headers[KEYS_HEADER] !== undefined),
    );
  }
}
