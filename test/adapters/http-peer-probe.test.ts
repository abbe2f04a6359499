/** [DP1] What the probe says of an address: refused is death, any answer is life, everything else proves nothing. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, type Server, type Socket, createServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { HttpPeerProbe } from "../../src/adapters/http-peer-probe.ts";
import { SystemClock } from "../../src/adapters/basics.ts";
import { freePort } from "../support/free-port.ts";
import { waitUntil } from "../support/wait-until.ts";

const servers: Server[] = [];
const children: ChildProcess[] = [];
const sockets = new Set<Socket>();

afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  for (const socket of sockets) socket.destroy();
  for (const server of servers.splice(0)) {
    server.close();
    await once(server, "close");
  }
});

async function listen(server: Server): Promise<string> {
  servers.push(server);
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const nobody = async (): Promise<string> => `ws://127.0.0.1:${await freePort()}`;

/** `closed`: which of the addresses had a socket that the other side closed. */
function probe(urls: readonly string[], budgetMs = 5_000, closed: readonly string[] = []): Promise<string> {
  const links = urls.map((url) => ({ name: `link to ${url}`, url }));
  const names = new Set(closed.map((url) => `link to ${url}`));
  return new HttpPeerProbe({ clock: new SystemClock() }, { links }).probe(budgetMs, names);
}

/** An address that nobody can be reached at. What is cut without a word is played in `test/faults/cable.server.test.ts`. */
const CUT = "ws://name.invalid:7401";

describe("HttpPeerProbe [DP1]", () => {
  it("says refused when nothing listens at any address", async () => {
    expect(await probe([await nobody()])).toBe("refused");
    expect(await probe([await nobody(), await nobody()])).toBe("refused");
  });

  it("says alive for any HTTP answer, also an error", async () => {
    const url = await listen(createHttpServer((_request, response) => response.writeHead(500).end()));
    expect(await probe([url])).toBe("alive");
  });

  it("asks for the peer's health", async () => {
    const asked: string[] = [];
    const url = await listen(
      createHttpServer((request, response) => {
        asked.push(`${request.method} ${request.url}`);
        response.end("{}");
      }),
    );
    await probe([url]);
    expect(asked).toEqual(["GET /api/peer/health"]);
  });

  it("says alive when one address answers, whatever the others do", async () => {
    const url = await listen(createHttpServer((_request, response) => response.end("{}")));
    expect(await probe([await nobody(), url, await nobody()])).toBe("alive");
  });

  it("says unknown when something accepts and says nothing: it may be frozen", async () => {
    const url = await listen(createServer((socket) => socket.resume()));
    expect(await probe([url], 40)).toBe("unknown");
    expect(await probe([await nobody(), url], 40)).toBe("unknown");
  });

  it("P3 DP1: one refusal is enough where the other side just closed a socket; a cut address holds nothing up", async () => {
    const closed = await nobody();
    expect(await probe([CUT, closed], 5_000, [closed])).toBe("refused");
    expect(await probe([CUT, closed])).toBe("unknown");
    expect(await probe([CUT, closed], 5_000, [CUT])).toBe("unknown");
  });

  it("P3 DP1: one refusal proves nothing while another address accepts", async () => {
    const [closed, answering] = [await nobody(), await listen(createHttpServer((_, response) => response.end("{}")))];
    expect(await probe([closed, answering], 5_000, [closed])).toBe("alive");
    const frozen = await listen(createServer((socket) => socket.resume()));
    expect(await probe([closed, frozen], 100, [closed])).toBe("unknown");
  });

  it("says unknown when an address cannot be reached", async () => {
    expect(await probe(["ws://name.invalid:7401"], 5_000)).toBe("unknown");
    expect(await probe(["ws://name.invalid:7401", await nobody()], 5_000)).toBe("unknown");
    expect(await probe([])).toBe("unknown");
  });
});

describe("HttpPeerProbe [DP1]: a peer that is dying", () => {
  it("asks again where a connection is reset, until it is refused", async () => {
    let asked = 0;
    const server = createServer((socket) => {
      asked++;
      if (asked === 5) server.close();
      socket.resetAndDestroy();
    });
    const url = await listen(server);
    expect(await probe([url])).toBe("refused");
    expect(asked).toBeGreaterThanOrEqual(5);
    servers.splice(0);
  });

  it("asks again where a connection is closed without a word, until it is answered", async () => {
    let asked = 0;
    const server = createServer((socket) => {
      asked++;
      if (asked < 5) socket.end();
      else socket.end("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    });
    expect(await probe([await listen(server)])).toBe("alive");
    expect(asked).toBe(5);
  });

  it("says refused of a process that is being killed, and never alive once it is dead", async () => {
    const script =
      "require('net').createServer(() => {}).listen(0, '127.0.0.1', function () { console.log(this.address().port) })";
    const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "ignore"] });
    children.push(child);
    const [port] = (await once(child.stdout, "data")) as [Buffer];
    child.kill("SIGKILL");
    expect(await probe([`ws://127.0.0.1:${port.toString().trim()}`])).toBe("refused");
  });

  it("leaves no socket behind", async () => {
    const url = await listen(createServer((socket) => socket.resume()));
    await probe([url], 20);
    await waitUntil(() => sockets.size === 0);
  });
});
