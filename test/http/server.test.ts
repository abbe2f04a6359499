/** Listening, closing, and what arrives on the wire that is no HTTP. */
import { connect, type Socket } from "node:net";
import { WebSocket } from "ws";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SystemClock } from "../../src/adapters/basics.ts";
import { HEADERS_TIMEOUT_MS, MAX_CONNECTIONS, REQUEST_TIMEOUT_MS } from "../../src/http/limits.ts";
import { type HttpServer, listen } from "../../src/http/server.ts";
import type { TimerHandle } from "../../src/ports/basics.ts";
import { waitUntil } from "../support/wait-until.ts";
import { bearer, buildRig, OPEN, type Rig, SECRETS } from "./rig.ts";

let rig: Rig;
let servers: HttpServer[];
beforeEach(async () => {
  servers = [];
  rig = await buildRig();
});
afterEach(async () => {
  for (const server of servers) await server.close();
  await rig.app.close();
});

async function start(
  host = "127.0.0.1",
  port = 0,
  secrets: Pick<typeof SECRETS, "tokens"> = SECRETS,
  app = rig.app,
): Promise<HttpServer> {
  const { coordinator, log: logger } = rig;
  const server = await listen({ app, coordinator, clock: new SystemClock(), logger }, { host, port, secrets });
  servers.push(server);
  return server;
}

const statusAt = async (port: number, path = "/live") => (await fetch(`http://127.0.0.1:${port}${path}`)).status;

/** Sends bytes as they are and gives what comes back until the connection ends. */
function exchange(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    let heard = "";
    const socket = connect(port, "127.0.0.1", () => void socket.write(text, "latin1"));
    socket.on("data", (chunk: Buffer) => (heard += chunk.toString("latin1")));
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(heard));
  });
}

it("RFC 9112, 3.2: a request names its host once", async () => {
  const { port } = await start();
  const twice = await exchange(port, "GET /live HTTP/1.1\r\nHost: a\r\nhOST: b\r\nConnection: close\r\n\r\n");
  expect(twice).toMatch(/^HTTP\/1\.1 400 .*"the header Host stands 2 times, must stand once"/s);
  const none = await exchange(port, "GET /live HTTP/1.1\r\nConnection: close\r\n\r\n");
  expect(none).toMatch(/^HTTP\/1\.1 400 .*"the header Host is missing"/s);
  expect(await exchange(port, "GET /live HTTP/1.0\r\n\r\n")).toMatch(/^HTTP\/1\.1 200 /);
});

describe("many requests on one connection", () => {
  const COUNT = 60;
  const request = `GET /api/commands HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: ${bearer("viewer").authorization}\r\n`;
  const all = `${request}\r\n`.repeat(COUNT - 1) + `${request}Connection: close\r\n\r\n`;
  let asked = 0;
  beforeEach(() => {
    asked = 0;
    rig.coordinator.commands = () => {
      asked += 1;
      return { commands: [{ seq: asked, payload: "x".repeat(1_000_000) } as never], hasMore: false };
    };
  });

  it("are answered in turn, so that who reads nothing gets little", async () => {
    const { port } = await start();
    const socket = connect(port, "127.0.0.1", () => void socket.write(all, "latin1"));
    await waitUntil(() => asked > 0);
    await new Promise((resolve) => void setTimeout(resolve, 300));
    expect(asked).toBeLessThan(20);
    socket.destroy();
    const before = asked;
    await statusAt(port);
    await statusAt(port);
    expect(asked).toBeLessThanOrEqual(before + 1);
  });

  it("are all answered, in their order, where the answers are read", async () => {
    const { port } = await start();
    const heard = await exchange(port, all);
    const seqs = [...heard.matchAll(/"seq":(\d+)/g)].map(([, seq]) => Number(seq));
    expect(seqs).toEqual(Array.from({ length: COUNT }, (_, at) => at + 1));
  });
});

describe("listening", () => {
  it("takes the port that is free where 0 is asked for", async () => {
    const { port } = await start();
    expect(await statusAt(port)).toBe(200);
  });

  it("says which address is in use", async () => {
    const { port } = await start();
    const other = await buildRig();
    await expect(start("127.0.0.1", port, SECRETS, other.app)).rejects.toMatchObject({
      code: "address_in_use",
      details: { host: "127.0.0.1", port },
    });
    await other.app.close();
  });

  it.each(["0.0.0.0", "::", "192.0.2.7", "engine-a.example"])("refuses open mode on %s", async (host) => {
    await expect(start(host, 0, OPEN)).rejects.toMatchObject({ code: "invalid_configuration" });
  });

  it("says in one line of the log that it is open", async () => {
    await start("127.0.0.1", 0, OPEN);
    expect(rig.log.lines.filter(({ message }) => message.startsWith("open mode"))).toHaveLength(1);
  });
});

describe("[DP2] the listener and the leadership share one fate", () => {
  it("a close tells the coordinator before anybody can find the port closed", async () => {
    const server = await start();
    const { port } = server;
    let wasListening: boolean | null = null;
    const told = rig.coordinator.listenerLost.bind(rig.coordinator);
    rig.coordinator.listenerLost = (reason) => {
      wasListening ??= rig.app.server.listening;
      told(reason);
    };
    await server.close();
    expect(wasListening).toBe(true);
    await expect(statusAt(port)).rejects.toThrow();
    await server.close();
  });

  it("a socket that fails or closes by itself is told at once", async () => {
    await start();
    rig.app.server.emit("error", new Error("EMFILE"));
    expect(rig.coordinator.argsOf("listenerLost")).toEqual([["the listening socket failed: EMFILE"]]);
    rig.app.server.close();
    rig.app.server.closeAllConnections();
    await waitUntil(() => rig.coordinator.argsOf("listenerLost").length === 2);
  });

  it("closes although a client still waits for its answer", async () => {
    const server = await start();
    const { port } = server;
    let isAsked = false;
    rig.coordinator.handover = () => {
      isAsked = true;
      return new Promise(() => undefined);
    };
    const headers = "host: x\r\nauthorization: Bearer token-of-operator\r\ncontent-length: 0";
    const answer = exchange(port, `POST /api/handover HTTP/1.1\r\n${headers}\r\n\r\n`);
    await waitUntil(() => isAsked);
    await server.close();
    expect(await answer).toBe("");
  });
});

/** Knows which of its timers still run. */
class CountingClock extends SystemClock {
  readonly running = new Set<TimerHandle>();

  override setTimeout(fn: () => void, delayMs: number): TimerHandle {
    const handle = super.setTimeout(() => {
      this.running.delete(handle);
      fn();
    }, delayMs);
    this.running.add(handle);
    return handle;
  }

  override clearTimeout(handle: TimerHandle): void {
    this.running.delete(handle);
    super.clearTimeout(handle);
  }
}

describe("closing", () => {
  it("leaves no timer, no socket and no subscription open", async () => {
    const clock = new CountingClock();
    const own = await buildRig({ clock });
    const { listeners: atRest } = own.coordinator;
    const components = { app: own.app, coordinator: own.coordinator, clock, logger: own.log };
    const server = await listen(components, { host: "127.0.0.1", port: 0, secrets: SECRETS });
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/api/control/channel`, { headers: bearer("viewer") });
    await waitUntil(() => own.coordinator.listeners === atRest + 1);
    own.coordinator.emit({ type: "role", role: "follower", epoch: 8, cause: null, tookMs: 0, atUnixMs: 0 });
    expect(clock.running.size).toBeGreaterThan(0);
    await server.close();
    await waitUntil(() => socket.readyState === WebSocket.CLOSED);
    expect([clock.running.size, own.coordinator.listeners]).toEqual([0, 0]);
  });
});

describe("what is no HTTP", () => {
  it.each([
    ["nonsense\r\n\r\n", 400],
    ["\x16\x03\x01\x02\x00\x01\x00\x01\xfc", 400],
    ["GET /live HTTP/9.9\r\n\r\n", 400],
    ["GET /live HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n", 400],
    ["POST /api/commands HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n", 400],
    [`GET /live HTTP/1.1\r\nhost: x\r\nx: ${"a".repeat(20_000)}\r\n\r\n`, 431],
  ])("is answered with a problem document: %j", async (text, status) => {
    const { port } = await start();
    const heard = await exchange(port, text);
    expect(heard).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(heard).toContain("application/problem+json");
    expect(heard).toMatch(/x-request-id: req_/);
    expect(await statusAt(port)).toBe(200);
  });

  const KEY = `sec-websocket-key: ${"A".repeat(22)}==`;
  const upgrade = (method: string, ...lines: readonly string[]): string =>
    [`${method} /api/control/channel HTTP/1.1`, "host: x", "upgrade: websocket", "connection: upgrade", ...lines]
      .concat(`authorization: ${bearer("viewer").authorization}`, "", "")
      .join("\r\n");

  it.each([
    ["no host", "GET /live HTTP/1.1\r\nconnection: close\r\n\r\n", 400],
    ["a WebSocket without a key", upgrade("GET", "sec-websocket-version: 13"), 400],
    ["a WebSocket with a broken key", upgrade("GET", "sec-websocket-version: 13", "sec-websocket-key: x"), 400],
    ["a WebSocket of another version", upgrade("GET", "sec-websocket-version: 99"), 426],
    ["a WebSocket of version 8", upgrade("GET", "sec-websocket-version: 8", KEY), 426],
    ["a WebSocket without a version", upgrade("GET", KEY), 426],
    ["a WebSocket by POST", upgrade("POST"), 405],
    ["CONNECT", "CONNECT 192.0.2.1:80 HTTP/1.1\r\nhost: x\r\n\r\n", 405],
  ])("a request with %s is answered as any other refusal", async (_what, text, status) => {
    const { port } = await start();
    const heard = await exchange(port, text);
    expect(heard).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(heard).toContain("application/problem+json");
    expect(heard).toMatch(/x-request-id: req_/);
  });

  it("names the version of WebSocket that it speaks, as RFC 6455 asks", async () => {
    const { port } = await start();
    const heard = await exchange(port, upgrade("GET", "sec-websocket-version: 99", KEY));
    expect(heard).toMatch(
      /^HTTP\/1\.1 426 Upgrade Required\r\n(?=[^]*sec-websocket-version: 13\r\n)[^]*upgrade: websocket\r\n/i,
    );
    expect(heard).toContain('"code":"upgrade_required"');
    expect(heard).toContain("the header Sec-WebSocket-Version is 99, must be 13");
  });

  it("RFC 9112, 3.2.2: an address may name the host, as a request to a proxy does", async () => {
    const { port } = await start();
    const asked = async (line: string): Promise<string> =>
      (await exchange(port, `${line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)).slice(0, 12);
    expect(await asked("GET http://x/live?a=http://y/")).toBe("HTTP/1.1 200");
    expect(await asked("GET HTTP://x:80/api/v1/peer/health")).toBe("HTTP/1.1 200");
    expect(await asked("POST http://x/live")).toBe("HTTP/1.1 405");
    expect(await asked("GET http://x")).toBe("HTTP/1.1 404");
  });

  it("passes over an expectation that it does not know", async () => {
    const { port } = await start();
    const heard = await exchange(port, "GET /live HTTP/1.1\r\nhost: x\r\nexpect: cake\r\nconnection: close\r\n\r\n");
    expect(heard).toMatch(/^HTTP\/1.1 200 /);
  });

  const CASES: readonly (readonly [string, string, number])[] = [
    ["GET /api/commands?limit=0 HTTP/1.1\r\n", "", 400],
    ["POST /api/commands HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: 1\r\n", "{", 400],
    ["POST /api/commands HTTP/1.1\r\ncontent-type: text/plain\r\ncontent-length: 1\r\n", "x", 415],
    ["GET /nowhere HTTP/1.1\r\n", "", 404],
    ["POST /nowhere HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: 1\r\n", "{", 404],
    ["POST /live HTTP/1.1\r\ncontent-type: text/plain\r\ncontent-length: 1\r\n", "x", 405],
  ];

  it.each(CASES)("tells a caller that asked for a close of it, also with a refusal: %j", async (line, body, status) => {
    const { port } = await start();
    const token = `host: x\r\nauthorization: ${bearer("operator").authorization}\r\n`;
    const closing = await exchange(port, `${line}${token}connection: close\r\n\r\n${body}`);
    expect(closing).toMatch(new RegExp(`^HTTP/1.1 ${status} [^]*\r\nconnection: close\r\n`, "i"));
    // A connection that is to stay takes the next request.
    const next = "GET /live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    const staying = await exchange(port, `${line}${token}\r\n${body}${next}`);
    expect(staying).toMatch(new RegExp(`^HTTP/1.1 ${status} [^]*HTTP/1.1 200 `));
    expect(staying.split("HTTP/1.1 200")[0]).toMatch(/\r\nconnection: keep-alive\r\n/i);
  });

  it("cannot hold connections for ever", async () => {
    await start();
    const { server } = rig.app;
    expect(server.headersTimeout).toBe(HEADERS_TIMEOUT_MS);
    expect(server.requestTimeout).toBe(REQUEST_TIMEOUT_MS);
    expect(server.maxConnections).toBe(MAX_CONNECTIONS);
  });

  it("leaves room for others beside 1 000 idle sockets", async () => {
    const { port } = await start();
    const idle: Socket[] = Array.from({ length: 1_000 }, () => connect(port, "127.0.0.1").on("error", () => undefined));
    await waitUntil(() => idle.every(({ connecting }) => !connecting));
    expect(await statusAt(port)).toBe(200);
    for (const socket of idle) socket.destroy();
  });
});
