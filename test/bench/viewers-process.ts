/**
 * Viewers of the statecharts in a process of their own, so that reading what they are told costs the engine and the load
 * nothing: `node viewers-process.ts URL`. Each line on standard input says how many read and how many never do, as `20 0`;
 * each is answered by a line once they are open.
 */
import { once } from "node:events";
import { createInterface } from "node:readline";
import { WebSocket } from "ws";

const [, , url] = process.argv;
if (url === undefined) throw new Error("name the URL of an engine");
const stream = `${url.replace("http", "ws")}/api/machines/stream`;
let sockets: WebSocket[] = [];

for await (const line of createInterface(process.stdin)) {
  const [reading = 0, stalled = 0] = line.split(" ").map(Number);
  for (const socket of sockets) socket.terminate();
  sockets = await Promise.all(Array.from({ length: reading + stalled }, async (_, at) => look(at >= reading)));
  process.stdout.write("open\n");
}

async function look(isStalled: boolean): Promise<WebSocket> {
  const socket = new WebSocket(stream, { perMessageDeflate: false });
  await once(socket, "open");
  if (isStalled) socket.pause();
  return socket;
}
