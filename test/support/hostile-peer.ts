/**
 * Places that a federation peer's address may lead to and that are no good peer: they hang up, say nothing, lie, or send
 * what cannot be taken. Each listens on a port of its own on loopback.
 */
import { once } from "node:events";
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { makePlace } from "./replication-node.ts";
import type { Op } from "../../src/core/operation.ts";

export interface HostilePeer {
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  close(): Promise<void>;
}

/** A TCP server that does this with every connection. */
export async function rawPeer(onSocket: (socket: Socket) => void): Promise<HostilePeer> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    onSocket(socket);
  });
  return listening(server);
}

/** An HTTP server that answers every request so. */
export async function httpPeer(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<HostilePeer> {
  return listening(createHttpServer(answer));
}

export interface Lie {
  readonly identity?: object;
  readonly ops?: readonly unknown[];
  /** Fields of the page that are not as they should be. */
  readonly page?: object;
  /** The answer's text, for what no value of ours can be. */
  readonly text?: (json: string) => string;
}

let places = 0;

/** One that speaks `/sync` as it should but for its lie. */
export async function lyingPeer({
  identity = {},
  ops = [],
  page = {},
  text = (json) => json,
}: Lie): Promise<HostilePeer> {
  places += 1;
  const whole = { hubId: `liar-${places}`, generation: "gen_1" };
  const told = { ...whole, engineId: `eng_liar${places}`, version: "0.1.0", mode: "sync", ...identity };
  return httpPeer(({ url = "" }, response) => {
    response.setHeader("content-type", "application/json");
    response.setHeader("x-request-id", "req_of_the_liar");
    const after = new URL(url, "http://x").searchParams.get("after") ?? "";
    const body = url.startsWith("/sync/identity")
      ? told
      : { ops: after === "" ? ops : [], nextCursor: `${"f".repeat(16)}-liar`, hasMore: false, ...whole, ...page };
    response.end(text(JSON.stringify(body)));
  });
}

/** One that speaks as it should, and then answers a pull with bytes that do not end before `bytes`. */
export async function floodingPeer(bytes: number): Promise<HostilePeer> {
  const piece = Buffer.alloc(65_536, "[");
  return httpPeer(({ url = "" }, response) => {
    response.on("error", () => undefined);
    if (url.startsWith("/sync/identity")) {
      response.end(
        JSON.stringify({ hubId: "flood", generation: "g", engineId: "eng_flood", version: "1", mode: "sync" }),
      );
      return;
    }
    let left = bytes;
    const pour = (): void => {
      while (left > 0) {
        left -= piece.length;
        if (!response.write(piece)) return void response.once("drain", pour);
      }
      response.end();
    };
    pour();
  });
}

/** Operations as a good place makes them, stamped by the machine's clock. */
export function honestOps(name: string, count: number): Op[] {
  const place = makePlace({ name });
  place.clock.nowMs = Date.now();
  for (let n = 1; n <= count; n += 1) place.replication.records.set("from", name, n);
  const { ops } = place.replication.records.log("", count);
  place.replication.stop();
  return ops.map(({ op }) => op);
}

async function listening(server: Server): Promise<HostilePeer> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
