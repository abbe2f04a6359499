/** Both kinds of link, the built-in one and the example of a plug-in, keep the contract of the port Link. */
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { expect, test } from "vitest";
import { WebSocketServer } from "ws";
import {
  CHANNEL_PATH,
  KEYS_HEADER,
  PEER_SOCKET_OPTIONS,
  WsConnection,
  WsLink,
} from "../../src/adapters/ws-peer-channel/dial.ts";
import type { Link, LinkConnection } from "../../src/ports/link.ts";
import { type LinksUnderTest, linkContract } from "../../src/testing/link-contract.ts";
import { waitUntil } from "../support/wait-until.ts";
import { runContract } from "./run-contract.ts";

const EXAMPLE: string = "../../examples/plug-ins/tcp-link.js";
const { TcpLink } = (await import(EXAMPLE)) as { TcpLink: new (init: object) => Link };

/** A WebSocket link whose other half, the HTTP server, belongs to it. */
class ServedLink extends WsLink {
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true, ...PEER_SOCKET_OPTIONS });

  constructor(server: Server, peerPort: number) {
    const url = `ws://127.0.0.1:${peerPort}`;
    super({ onRejected: () => undefined }, { name: "red", url, token: null });
    this.#server = server;
    this.#sockets.on("headers", (headers) => headers.push(`${KEYS_HEADER}: 1`));
  }

  override accept(onConnection?: Parameters<Link["accept"]>[0]): void {
    this.#server.on("upgrade", (request, socket, head) => {
      if (request.url !== CHANNEL_PATH) return void socket.destroy();
      this.#sockets.handleUpgrade(request, socket, head, (ws) => {
        const remote = `127.0.0.1:${request.socket.remotePort}`;
        onConnection?.(new WsConnection(ws, { remote, peerHasKeys: request.headers[KEYS_HEADER] !== undefined }));
      });
    });
  }

  override async close(): Promise<void> {
    this.#server.close();
  }
}

async function listening(): Promise<Server> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

runContract(
  "link contract: WebSocket",
  linkContract(async () => {
    const [left, right] = [await listening(), await listening()];
    return { ends: [new ServedLink(left, portOf(right)), new ServedLink(right, portOf(left))] };
  }),
);

/** A free port, found by taking one and giving it back. */
async function freePorts(): Promise<[number, number]> {
  const servers = [await listening(), await listening()];
  const ports = servers.map(portOf) as [number, number];
  await Promise.all(servers.map(async (server) => once(server.close(), "close")));
  return ports;
}

runContract(
  "link contract: examples/plug-ins/tcp-link.js",
  linkContract(async (): Promise<LinksUnderTest> => {
    const [left, right] = await freePorts();
    const host = "127.0.0.1";
    return {
      ends: [
        new TcpLink({ name: "tcp", host, port: left, peer: { host, port: right } }),
        new TcpLink({ name: "tcp", host, port: right, peer: { host, port: left } }),
      ],
    };
  }),
);

test("HB1: frames that come together are handed on one a turn of the loop, at both ends of a WebSocket", async () => {
  const [left, right] = [await listening(), await listening()];
  const [dialing, accepting] = [new ServedLink(left, portOf(right)), new ServedLink(right, portOf(left))];
  const heard = { dialer: [] as string[], acceptor: [] as string[] };
  const listen = (connection: LinkConnection, end: keyof typeof heard): Promise<LinkConnection> =>
    new Promise((resolve) => {
      connection.listen({
        onOpen: () => resolve(connection),
        onFrame: (frame) => {
          heard[end].push(frame);
          setImmediate(() => heard[end].push("turn"));
        },
        onSignOfLife: () => undefined,
        onBadFrame: () => undefined,
        onEnd: () => undefined,
      });
    });
  const accepted = new Promise<LinkConnection>((resolve) => {
    accepting.accept((connection) => void listen(connection, "acceptor").then(resolve));
  });
  const ends = await Promise.all([listen(dialing.dial(), "dialer"), accepted]);
  for (const end of ends) for (const frame of ["1", "2", "3"]) end.send(frame);
  const inTurns = ["1", "turn", "2", "turn", "3", "turn"];
  await waitUntil(() => heard.dialer.length === 6 && heard.acceptor.length === 6);
  expect(heard).toEqual({ dialer: inTurns, acceptor: inTurns });
  for (const end of ends) end.drop();
  for (const link of [dialing, accepting]) await link.close();
});
