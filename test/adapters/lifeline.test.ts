/** The lifeline of an engine behind HTTP hooks: silence, any bytes, and engines that have none. */
import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { HttpEngine, type HttpEngineInit } from "../../src/adapters/http-engine.ts";
import { SystemClock } from "../../src/adapters/basics.ts";
import type { EngineSign } from "../../src/ports/engine.ts";

const clock = new SystemClock();
/** Generous: the machine that runs the tests may stand still for a while. */
const PACE = { intervalMs: 20, missLimit: 25 };

let server: Server;
let engine: HttpEngine | null = null;
let signs: EngineSign[];
/** How `/lifeline` is answered. */
let onLifeline: (response: ServerResponse) => void;
let health: unknown;
let writers: NodeJS.Timeout[];
let opened: number;

beforeEach(async () => {
  signs = [];
  writers = [];
  opened = 0;
  health = { status: "ok" };
  onLifeline = (response) => response.writeHead(404).end();
  server = createServer((request, response) => {
    if (request.url === "/lifeline") {
      opened += 1;
      return onLifeline(response);
    }
    if (request.url === "/health") return response.end(JSON.stringify(health));
    return response.writeHead(404).end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(async () => {
  for (const writer of writers) clearInterval(writer);
  await engine?.close();
  server.closeAllConnections();
  server.close();
});

/** Writes `line` for as long as the test runs; returns what ends it. */
function write(response: ServerResponse, line: () => string | Buffer): () => void {
  response.writeHead(200);
  const writer = setInterval(() => response.write(line()), 5);
  writers.push(writer);
  return () => clearInterval(writer);
}

function start(init: Partial<HttpEngineInit> = {}): HttpEngine {
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  engine = new HttpEngine(
    { clock },
    { baseUrl, healthIntervalMs: 20, healthTimeoutMs: 5_000, lifeline: PACE, ...init },
  );
  engine.watch((sign) => {
    // The newest ones: a lifeline gives a sign with every line.
    signs.push(sign);
    if (signs.length > 2_000) signs.splice(0, 1_000);
  });
  return engine;
}

const lifelineOf = () => engine?.link?.().lifeline;
const strange = () => signs.flatMap((sign) => (sign.type === "strange" && sign.fault !== null ? [sign.fault] : []));
const isSilent = (sign: EngineSign) => sign.type === "silent";

test("E2 EN2: an engine that stops writing is stalled and failed, though /health says ok; its next line ends that", async () => {
  let stop: () => void = () => undefined;
  let stream: ServerResponse | null = null;
  onLifeline = (response) => {
    stream = response;
    stop = write(response, () => "\n");
  };
  start();
  await expect.poll(lifelineOf).toBe("live");
  await expect.poll(() => engine?.health()).toBe("ok");
  stop();
  await expect.poll(lifelineOf, { timeout: 10_000 }).toBe("stalled");
  expect(engine?.health()).toBe("failed");
  expect(signs.findLast(isSilent)).toMatchObject({ why: expect.stringContaining("500 ms") as string });
  // The answers of /health go on and change nothing.
  const looks = signs.filter(({ type }) => type === "asked").length;
  await expect.poll(() => signs.filter(({ type }) => type === "asked").length).toBeGreaterThan(looks + 2);
  expect(engine?.health()).toBe("failed");
  expect(signs.slice(signs.findLastIndex(isSilent)).some(({ type }) => type === "answered")).toBe(false);
  (stream as ServerResponse | null)?.write("\n");
  await expect.poll(() => engine?.health()).toBe("ok");
  expect(signs.slice(signs.findLastIndex(isSilent)).some(({ type }) => type === "line")).toBe(true);
});

test("EN2: lines carry status, source, position and instance", async () => {
  const report = { status: "degraded", programSource: "cam7", position: { epoch: 3, seq: 9 }, instance: "one" };
  onLifeline = (response) => void write(response, () => `${JSON.stringify(report)}\n`);
  health = {};
  start({ healthIntervalMs: 5_000 });
  await expect.poll(() => engine?.programSource()).toBe("cam7");
  await expect.poll(() => engine?.health()).toBe("degraded");
  expect(signs.find(({ type }) => type === "line")).toEqual({
    type: "line",
    instance: "one",
    position: { epoch: 3, seq: 9 },
  });
});

test.each<[string, (response: ServerResponse) => void, RegExp]>([
  ["answers 404", (response) => void response.writeHead(404).end(), /GET \/lifeline answers 404/],
  ["answers 503", (response) => void response.writeHead(503).end(), /GET \/lifeline answers 503/],
  ["answers every path with 200", (response) => void response.end("<html>"), /ends without a line/],
  ["answers 200 and writes nothing", (response) => void response.writeHead(200).flushHeaders(), /writes no line/],
])("EN2: an engine that %s is polled, and the note says that a hang is detected late", async (_what, answer, why) => {
  onLifeline = answer;
  start();
  await expect.poll(lifelineOf, { timeout: 15_000 }).toBe("none");
  expect(engine?.link().note).toMatch(why);
  expect(engine?.link().note).toMatch(/detected late/);
  await expect.poll(() => engine?.health()).toBe("ok");
  expect(signs.some(isSilent)).toBe(false);
});

test.each<[string, () => string | Buffer, RegExp]>([
  ["that is not JSON", () => "hello\n", /"hello" is not JSON/],
  ["of random bytes", () => Buffer.from([0xff, 0x00, 0x80, 0x0a]), /is not JSON/],
  ["that is an array", () => "[1]\n", /\[1\] is not a JSON object/],
  ["with a wrong status", () => '{"status":"bad"}\n', /status is "bad", must be "ok", "degraded" or "failed"/],
  ["with a wrong position", () => '{"position":{"epoch":1,"seq":-1}}\n', /position is .* must be \{epoch, seq\}/],
  ["with a wrong source", () => '{"programSource":7}\n', /programSource is 7, must be a string/],
  ["with a wrong instance", () => '{"instance":{}}\n', /instance is \{\}, must be a string/],
  ["with half a character", () => '{"instance":"\\ud800"}\n', /instance is "\\ud800", must be a string/],
  [
    "with a status nested without end",
    () => `{"status":${"[".repeat(20_000)}${"]".repeat(20_000)}}\n`,
    /status is a value nested deeper than 128, must be "ok"/,
  ],
  ["that is too long", () => `${"x".repeat(70_000)}\n`, /longer than 65536 bytes/],
])("EN2: a line %s is named, and still a sign of life", async (_what, line, fault) => {
  onLifeline = (response) => void write(response, line);
  start();
  await expect.poll(() => strange().at(-1), { timeout: 10_000 }).toMatch(fault);
  await expect.poll(lifelineOf).toBe("live");
  expect(engine?.health()).not.toBe("failed");
});

test("EN2: bytes without end and without a newline are bounded in memory, and are no line", async () => {
  const block = Buffer.alloc(65_536, 0x78);
  let sent = 0;
  onLifeline = (response) => {
    response.writeHead(200);
    response.write("\n");
    const pump = (): void => {
      while (!response.destroyed && response.write(block)) sent += block.length;
      sent += block.length;
      if (!response.destroyed) response.once("drain", pump);
    };
    pump();
  };
  start();
  await expect.poll(lifelineOf, { timeout: 15_000 }).toBe("stalled");
  expect(strange()).toContainEqual(expect.stringContaining("longer than 65536 bytes"));
  // What is read is bounded in time too: 256 KiB an interval, and what the sockets hold.
  expect(sent).toBeGreaterThan(1_000_000);
});

test("EN1 EN2: a lifeline that breaks is opened again at once, and the engine is looked at", async () => {
  let streams: ServerResponse[] = [];
  onLifeline = (response) => {
    streams.push(response);
    write(response, () => "\n");
  };
  start({ healthIntervalMs: 5_000 });
  await expect.poll(lifelineOf).toBe("live");
  const looks = signs.filter(({ type }) => type === "asked").length;
  for (const stream of streams) stream.destroy();
  streams = [];
  await expect.poll(() => opened).toBe(2);
  await expect.poll(() => signs.filter(({ type }) => type === "asked").length).toBeGreaterThan(looks);
  await expect.poll(lifelineOf).toBe("live");
  expect(signs.some(isSilent)).toBe(false);
});

test("EN1: when the engine is gone its lifeline is refused, and it does not count as stalled", async () => {
  onLifeline = (response) => void write(response, () => "\n");
  start();
  await expect.poll(lifelineOf).toBe("live");
  server.close();
  server.closeAllConnections();
  await expect.poll(() => signs.some(({ type }) => type === "refused")).toBe(true);
  await expect.poll(lifelineOf).toBe("opening");
});

test("EN2: a lifeline that names another instance than /health is no sign of this engine", async () => {
  health = { instance: "mine" };
  onLifeline = (response) => void write(response, () => '{"instance":"theirs"}\n');
  start({ healthIntervalMs: 5 });
  await expect.poll(strange, { timeout: 10_000 }).toContainEqual(expect.stringContaining("two different engines"));
});

test("EN9: wrong fields in /health are named, and good ones end that", async () => {
  health = { status: 17, position: "5", programSource: "cam1" };
  start({ healthIntervalMs: 5 });
  await expect.poll(() => strange().at(-1)).toMatch(/status is 17, .*position is "5"/);
  expect(engine?.programSource()).toBe("cam1");
  health = { status: "ok" };
  await expect.poll(() => signs.some((sign) => sign.type === "strange" && sign.fault === null)).toBe(true);
});

test("EN2: an engine that wrote one strange line, and then empty ones, is over it", async () => {
  let line = "garbage\n";
  onLifeline = (response) => void write(response, () => line);
  start();
  await expect.poll(() => strange().at(-1), { timeout: 10_000 }).toMatch(/garbage.* is not JSON/);
  line = "\n";
  const isOver = () => signs.findLast((sign) => sign.type === "strange");
  await expect.poll(isOver, { timeout: 10_000 }).toEqual({ type: "strange", hook: "GET /lifeline", fault: null });
});

test("EN2: two engines are named only for as long as lines name another instance", async () => {
  let line = '{"instance":"two"}\n';
  onLifeline = (response) => void write(response, () => line);
  health = { instance: "one" };
  start();
  await expect.poll(strange, { timeout: 10_000 }).toContainEqual(expect.stringContaining("two different engines"));
  line = "\n";
  let looks = 0;
  engine?.watch((sign) => {
    if (sign.type === "asked") looks += 1;
    signs.push(sign);
  });
  await expect.poll(() => looks, { timeout: 10_000 }).toBeGreaterThan(6);
  const last = signs.findLast((sign) => sign.type === "strange");
  expect(last?.type === "strange" ? last.fault : null).toBeNull();
});
