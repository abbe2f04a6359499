/**
 * One side of idle pairs as a process of its own: `node heartbeat-process.ts MODE PAIRS SECONDS [PORT]`.
 * MODE `channel` is the peer channel, `bare` a plain ws socket that carries the same heartbeat as JSON. Without a port it
 * is side a, listens, and prints its port; with one it is side b and dials. Both send 5 heartbeats a second for all
 * pairs by one timer; at the end each prints the share of a core that every second cost, in per cent.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { WebSocket, WebSocketServer } from "ws";
import { SystemClock, SystemRandom } from "../../src/adapters/basics.ts";
import { KEYS_HEADER, PEER_SOCKET_OPTIONS } from "../../src/adapters/ws-peer-channel/dial.ts";
import { WsPeerChannel } from "../../src/adapters/ws-peer-channel/ws-peer-channel.ts";
import { PeerEnd, hello } from "../support/peer-end.ts";
import { keyOf } from "../support/test-keys.ts";

const HEARTBEAT_MS = 200;
const WARM_UP_MS = 3_000;
/** Pairs that dial at once: a process runs one, and 500 handshakes at one instant would all be given up as too slow. */
const AT_ONCE = 25;
/** Within this long every pair must have met; 500 handshakes take some seconds on a busy machine. */
const MEET_WITHIN_MS = 40_000;

const [mode = "", pairs = "1", seconds = "10", port] = process.argv.slice(2);
const label = port === undefined ? "a" : "b";

/** One end of one pair. */
interface End {
  readonly accept: (ws: WebSocket) => void;
  readonly beat: (n: number) => void;
  readonly received: () => number;
}

/** A port that takes connections and says nothing: one that refused them would be dialled all the time. */
async function silentPort(): Promise<number> {
  const server = createTcpServer().listen(0, "127.0.0.1", 1_024);
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** Side a is to be dialled, and reaches nobody itself. */
const dialled = port ?? (await silentPort());

const address = (index: number): string => `ws://127.0.0.1:${dialled}/${index}`;

function channelEnd(index: number): End {
  const channel = new WsPeerChannel(
    { clock: new SystemClock(), random: new SystemRandom(), signatures: keyOf(label) },
    { pair: `pair-${index}`, label, token: "bench", links: [{ name: "red", url: address(index) }] },
  );
  let received = 0;
  const end = new PeerEnd(channel, label, hello(label));
  const ignore = (): void => undefined;
  const events = {
    onLinkUp: ignore,
    onLinkDown: ignore,
    onMessage: () => void received++,
    onRefused: ignore,
    onRefusedByPeer: ignore,
  };
  channel.open({ ...events, onFirstContact: () => true }, end.self, null);
  return {
    accept: (ws) => channel.accept(ws, "bench", true),
    beat: (n) => void channel.broadcast(end.heartbeat(n)),
    received: () => received,
  };
}

function bareEnd(index: number): End {
  const end = new PeerEnd({} as WsPeerChannel, label, hello(label));
  let socket: WebSocket | null = null;
  let received = 0;
  const use = (ws: WebSocket): void => {
    socket = ws;
    ws.on("message", (data: Buffer) => {
      const message = JSON.parse(data.toString()) as { readonly n: number };
      if (message.n > 0) received++;
    });
  };
  if (port !== undefined) use(new WebSocket(address(index), PEER_SOCKET_OPTIONS));
  return {
    accept: use,
    beat: (n) => {
      if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(end.heartbeat(n)));
    },
    received: () => received,
  };
}

const ends: End[] = [];
for (let index = 0; index < Number(pairs); index++) {
  ends.push(mode === "bare" ? bareEnd(index) : channelEnd(index));
  if (port !== undefined && index % AT_ONCE === AT_ONCE - 1)
    await new Promise((resolve) => setTimeout(resolve, HEARTBEAT_MS));
}

if (port === undefined) {
  const sockets = new WebSocketServer({ noServer: true, ...PEER_SOCKET_OPTIONS });
  // As the listener of an engine does: who has keys says so in its answer to the upgrade.
  sockets.on("headers", (headers) => void headers.push(`${KEYS_HEADER}: 1`));
  const server = createServer().listen(0, "127.0.0.1", 1_024);
  server.on("upgrade", (request, socket, head) => {
    const end = ends[Number(request.url?.split("/")[1])];
    sockets.handleUpgrade(request, socket, head, (ws) => end?.accept(ws));
  });
  await once(server, "listening");
  console.log(JSON.stringify({ port: (server.address() as AddressInfo).port }));
}

let n = 0;
setInterval(() => {
  n++;
  for (const end of ends) end.beat(n);
}, HEARTBEAT_MS);

const meetByMs = performance.now() + MEET_WITHIN_MS;
while (ends.some((end) => end.received() === 0) && performance.now() < meetByMs) {
  await new Promise((resolve) => void setTimeout(resolve, HEARTBEAT_MS));
}
await new Promise((resolve) => void setTimeout(resolve, WARM_UP_MS));
const percents: number[] = [];
const receivedBefore = ends.reduce((sum, end) => sum + end.received(), 0);
for (let second = 0; second < Number(seconds); second++) {
  const usage = process.cpuUsage();
  const startMs = performance.now();
  await new Promise((resolve) => void setTimeout(resolve, 1_000));
  const { user, system } = process.cpuUsage(usage);
  percents.push((user + system) / 10 / (performance.now() - startMs));
}
const received = ends.reduce((sum, end) => sum + end.received(), 0) - receivedBefore;
console.log(JSON.stringify({ percents, received }));
// The other side still measures; it is ended by the one who started both.
