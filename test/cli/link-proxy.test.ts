/** The forwarder that stands for the peer link: cut in silence, whole again, and refusing exactly when its target does. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { LinkProxy } from "../../src/cli/demo/link-proxy.ts";

let target: Server;
let port: number;
let proxy: LinkProxy;
const accepted = new Set<Socket>();

beforeEach(async () => {
  target = await listenEcho(0);
  port = (target.address() as AddressInfo).port;
  proxy = new LinkProxy(port);
  await proxy.open();
});

afterEach(async () => {
  await proxy.close();
  stopTarget();
});

test("forwards both ways", async () => {
  const client = await dial();
  client.write("tally");
  expect(await nextWord(client)).toBe("tally");
  client.destroy();
});

test("cut: nothing comes through, nothing is closed; healed: what waited comes", async () => {
  const before = await dial();
  before.write("one");
  expect(await nextWord(before)).toBe("one");
  proxy.cut();
  const during = await dial();
  const heard = vi.fn();
  for (const client of [before, during]) client.once("data", heard).once("close", heard).write("two");
  await settled();
  expect(heard).not.toHaveBeenCalled();
  proxy.heal();
  await vi.waitFor(() => expect(heard).toHaveBeenCalledTimes(2));
  for (const client of [before, during]) client.destroy();
});

test("healed without a cut, and cut twice: every word still comes once", async () => {
  const client = await dial();
  client.write("one");
  await nextWord(client);
  proxy.heal();
  proxy.cut();
  proxy.cut();
  proxy.heal();
  proxy.heal();
  let heard = "";
  client.on("data", (piece: Buffer) => (heard += piece.toString())).write("two");
  await vi.waitFor(() => expect(heard).not.toBe(""));
  await settled();
  expect(heard).toBe("two");
  client.destroy();
});

test("target gone: the connection ends and the next is refused; target back: it forwards again", async () => {
  const client = await dial();
  client.write("one");
  await nextWord(client);
  stopTarget();
  await once(client, "close");
  await expect(dial()).rejects.toMatchObject({ code: "ECONNREFUSED" });
  target = await listenEcho(port);
  await vi.waitFor(async () => (await dial()).destroy());
});

test("target gone while cut: nobody is told", async () => {
  const client = await dial();
  client.write("one");
  await nextWord(client);
  const closed = vi.fn();
  client.once("close", closed);
  proxy.cut();
  stopTarget();
  const late = await dial();
  await settled();
  expect(closed).not.toHaveBeenCalled();
  for (const socket of [client, late]) socket.destroy();
});

async function listenEcho(onPort: number): Promise<Server> {
  const server = createServer((socket) => {
    accepted.add(socket);
    socket.on("error", () => socket.destroy()).once("close", () => accepted.delete(socket));
    socket.pipe(socket);
  }).listen(onPort, "127.0.0.1");
  await once(server, "listening");
  return server;
}

function stopTarget(): void {
  target.close();
  for (const socket of accepted) socket.destroy();
}

async function dial(): Promise<Socket> {
  const socket = connect(proxy.port, "127.0.0.1");
  await once(socket, "connect");
  return socket;
}

async function nextWord(socket: Socket): Promise<string> {
  const [data] = (await once(socket, "data")) as [Buffer];
  return data.toString();
}

/** As long as a word takes to come back through a whole link, several times over. */
async function settled(): Promise<void> {
  for (let turns = 0; turns < 50; turns += 1) await new Promise((resolve) => setTimeout(resolve, 1));
}
