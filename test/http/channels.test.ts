/** Both WebSocket doors, over real sockets. */
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import type { TokenRole } from "../../src/config/types.ts";
import { MAX_CONTROL_PENDING, PEER_FRAME_LIMIT_BYTES } from "../../src/http/limits.ts";
import * as sample from "../support/samples.ts";
import { waitUntil } from "../support/wait-until.ts";
import { bearer, buildRig, OPEN, type Rig, SECRETS } from "./rig.ts";

type Message = Record<string, unknown>;

/** One WebSocket client that keeps what it hears. */
class Client {
  readonly heard: Message[] = [];
  readonly socket: WebSocket;
  status = 0;
  closed = 0;

  constructor(path: string, role: TokenRole | null, protocols: string[] = []) {
    const headers = role === null ? {} : bearer(role);
    this.socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocols, { headers });
    clients.push(this);
    this.socket.on("message", (data: Buffer) => this.heard.push(JSON.parse(data.toString()) as Message));
    this.socket.on("unexpected-response", (_request, response) => {
      this.status = response.statusCode ?? 0;
      response.resume();
    });
    this.socket.on("error", () => undefined);
    this.socket.on("close", (code) => (this.closed = code));
  }

  async opened(): Promise<this> {
    await waitUntil(() => this.socket.readyState === WebSocket.OPEN);
    return this;
  }

  /** Says something and gives the first answer that is not a state. */
  async ask(message: unknown): Promise<Message> {
    const before = this.answers().length;
    this.socket.send(typeof message === "string" || Buffer.isBuffer(message) ? message : JSON.stringify(message));
    await waitUntil(() => this.answers().length > before);
    return this.answers()[before] as Message;
  }

  answers(): Message[] {
    return this.heard.filter(({ type }) => type !== "state");
  }

  states(): Message[] {
    return this.heard.filter(({ type }) => type === "state");
  }
}

let rig: Rig;
let port: number;
let clients: Client[];
async function serve(secrets?: typeof OPEN): Promise<void> {
  rig = await buildRig(secrets === undefined ? {} : { secrets });
  await rig.app.listen({ host: "127.0.0.1", port: 0 });
  port = (rig.app.server.address() as { port: number }).port;
}
beforeEach(async () => {
  clients = [];
  await serve();
});
afterEach(async () => {
  for (const { socket } of clients) socket.terminate();
  await rig.app.close();
});

describe("a reload of tokens", () => {
  it("closes the sockets of a token that was withdrawn or has another role, and no others", async () => {
    const secrets = { ...SECRETS, tokens: SECRETS.tokens };
    await rig.app.close();
    await serve(secrets);
    const [operator, viewer, page] = [
      await new Client(CONTROL, "operator").opened(),
      await new Client(CONTROL, "viewer").opened(),
      await new Client("/api/machines/stream", "peer").opened(),
    ];
    rig.app.revalidateSockets();
    expect(await operator.ask({ type: "ping", id: 1, t0: 1 })).toMatchObject({ type: "pong" });
    secrets.tokens = SECRETS.tokens.flatMap((token) => {
      if (token.role === "operator") return [];
      return token.role === "viewer" ? [{ ...token, role: "spoke" as const }] : [token];
    });
    rig.app.revalidateSockets();
    await waitUntil(() => operator.closed !== 0 && viewer.closed !== 0);
    expect(page.closed).toBe(0);
  });
});

const CONTROL = "/api/control/channel";
const PEER = "/api/peer/channel";

describe("the control channel", () => {
  it("answers a ping with both its own stamps, and moves lastPongSentUs", async () => {
    const client = await new Client(CONTROL, "viewer").opened();
    const beforeUs = Date.now() * 1_000 - 1_000;
    const pong = await client.ask({ type: "ping", id: "p1", t0: 12.5 });
    expect(pong).toMatchObject({ type: "pong", id: "p1", t0: 12.5 });
    const [t1Us, t2Us] = [pong["t1Us"] as number, pong["t2Us"] as number];
    expect(Number.isSafeInteger(t1Us) && Number.isSafeInteger(t2Us)).toBe(true);
    expect(beforeUs).toBeLessThanOrEqual(t1Us);
    expect(t1Us).toBeLessThanOrEqual(t2Us);
    expect(rig.coordinator.argsOf("pongSent")).toEqual([[t2Us]]);
  });

  it("takes commands from operators, and only from them", async () => {
    const command = {
      type: "command",
      id: 7,
      kind: "POST /api/switch/cut",
      payload: { source: "cam2" },
      idempotencyKey: "k",
    };
    const operator = await new Client(CONTROL, "operator").opened();
    expect(await operator.ask(command)).toEqual({
      type: "accepted",
      id: 7,
      seq: 4,
      epoch: 7,
      executeAtUs: 1_700_000_000_040_000,
      durability: "pair",
    });
    const { type: _type, id: _id, ...input } = command;
    expect(rig.coordinator.argsOf("submit")).toEqual([[input]]);
    rig.coordinator.submitted = { outcome: "not-leader", leader: "b", leaderUrl: null };
    expect(await operator.ask(command)).toMatchObject({ type: "refused", id: 7, code: "not_leader", leader: "b" });
    rig.coordinator.broken = new Error("broken");
    expect(await operator.ask(command)).toMatchObject({ type: "refused", id: 7, code: "internal_error" });
    rig.coordinator.broken = null;
    const viewer = await new Client(CONTROL, "viewer").opened();
    expect(await viewer.ask(command)).toMatchObject({ type: "refused", id: 7, code: "forbidden" });
  });
});

describe("numbers on the control channel", () => {
  it("H1 an integer that would change is refused with its path, and the command's id", async () => {
    const operator = await new Client("/api/control/channel", "operator").opened();
    const command = '{"type":"command","id":"c1","kind":"k","payload":{"list":[9007199254740993]}}';
    expect(await operator.ask(command)).toMatchObject({
      ...{ type: "refused", id: "c1", code: "number_not_exact", path: "/payload/list/0" },
    });
    const beyond = '{"type":"command","id":2,"kind":"k","payload":1e400}';
    expect(await operator.ask(beyond)).toMatchObject({ type: "refused", id: 2, code: "number_not_exact" });
    expect(await operator.ask("[9007199254740993]")).toMatchObject({ type: "error", code: "number_not_exact" });
  });
});

describe("the state on the control channel", () => {
  it("comes at once and whenever it has changed", async () => {
    const client = await new Client(CONTROL, "viewer").opened();
    await waitUntil(() => client.states().length === 1);
    expect(client.states()[0]).toEqual({ type: "state", ...sample.state });
    rig.coordinator.now = { ...sample.state, role: "follower", epoch: 8 };
    rig.coordinator.emit({ type: "role", role: "follower", epoch: 8, cause: null, tookMs: 0, atUnixMs: 0 });
    await waitUntil(() => client.states().at(-1)?.["epoch"] === 8);
  });

  it("comes once for many changes, and nobody listens when nobody looks", async () => {
    const atRest = rig.coordinator.listeners;
    const client = await new Client(CONTROL, "viewer").opened();
    await waitUntil(() => client.states().length === 1);
    for (let n = 0; n < 500; n += 1) {
      rig.coordinator.now = { ...sample.state, lastCommandSeq: n };
      rig.coordinator.emit({ type: "command", command: sample.command });
    }
    await waitUntil(() => client.states().at(-1)?.["lastCommandSeq"] === 499);
    expect(client.states().length).toBeLessThan(10);
    expect(rig.coordinator.listeners).toBe(atRest + 1);
    client.socket.close();
    await waitUntil(() => rig.coordinator.listeners === atRest);
  });

  it("is dropped to the latest for a client that does not read, and the others stay up to date", async () => {
    const slow = await new Client(CONTROL, "viewer").opened();
    const quick = await new Client(CONTROL, "viewer").opened();
    slow.socket.pause();
    const filler = "x".repeat(400_000);
    for (let n = 1; n <= 40; n += 1) {
      rig.coordinator.now = { ...sample.state, lastCommandSeq: n, programSource: filler };
      rig.coordinator.emit({ type: "command", command: sample.command });
      await waitUntil(() => quick.states().at(-1)?.["lastCommandSeq"] === n);
    }
    slow.socket.resume();
    await waitUntil(() => slow.states().at(-1)?.["lastCommandSeq"] === 40);
    expect(slow.states().length).toBeLessThan(quick.states().length);
  });
});

describe("the bounds of the control channel", () => {
  it("refuses more commands than may wait", async () => {
    const client = await new Client(CONTROL, "operator").opened();
    rig.coordinator.submit = () => new Promise(() => undefined);
    for (let id = 0; id < MAX_CONTROL_PENDING; id += 1) {
      client.socket.send(JSON.stringify({ type: "command", id, kind: "x", payload: null }));
    }
    expect(await client.ask({ type: "command", id: "last", kind: "x", payload: null })).toMatchObject({
      type: "refused",
      id: "last",
      code: "busy",
    });
  });
});

describe("the control channel, given nonsense", () => {
  it.each([
    ["", "invalid_json"],
    ["{", "invalid_json"],
    ["[]", "invalid_request"],
    ["null", "invalid_request"],
    ['{"type":"shout"}', "invalid_request"],
    ['{"type":"ping"}', "invalid_request"],
    ['{"type":"ping","id":"a","t0":"1"}', "invalid_request"],
    ['{"type":"ping","id":"a","t0":1,"more":1}', "invalid_request"],
    ['{"type":"ping","type":"ping","id":"a","t0":1}', "invalid_json"],
    ['{"type":"command","id":1,"kind":"","payload":1}', "invalid_request"],
    ['{"type":"command","id":1,"kind":"x"}', "invalid_request"],
    [Buffer.from([1, 2, 3]), "invalid_request"],
  ])("answers %j with an error, and goes on", async (text, code) => {
    const client = await new Client(CONTROL, "operator").opened();
    const answer = await client.ask(text);
    expect(answer).toMatchObject({ type: "error", code });
    expect(typeof answer["detail"]).toBe("string");
    expect(await client.ask({ type: "ping", id: 1, t0: 0 })).toMatchObject({ type: "pong" });
  });

  it("is also at /api/v1, and the answer to an upgrade has a request id", async () => {
    const client = new Client("/api/v1/control/channel", "viewer");
    let id: string | undefined;
    client.socket.on("upgrade", ({ headers }) => (id = headers["x-request-id"] as string | undefined));
    await client.opened();
    expect(id).toMatch(/^req_/);
    const nobody = new Client("/api/v1/control/channel", null);
    await waitUntil(() => nobody.status === 401);
  });

  it("cuts off who sends broken frames or too much, and goes on", async () => {
    const greedy = await new Client(CONTROL, "operator").opened();
    greedy.socket.send("x".repeat(1_100_000));
    await waitUntil(() => greedy.closed === 1009);
    const raw = connect(port, "127.0.0.1");
    const lines = ["GET /api/control/channel HTTP/1.1", "host: x", "upgrade: websocket", "connection: upgrade"];
    const key = ["sec-websocket-version: 13", `sec-websocket-key: ${"A".repeat(22)}==`];
    raw.write([...lines, ...key, `authorization: ${bearer("viewer").authorization}`, "", ""].join("\r\n"));
    let isClosed = false;
    raw.on("error", () => undefined).on("close", () => (isClosed = true));
    raw.once("data", () => raw.write(Buffer.alloc(200, 0xff)));
    raw.resume();
    await waitUntil(() => isClosed);
    const client = await new Client(CONTROL, "viewer").opened();
    expect(await client.ask({ type: "ping", id: 1, t0: 0 })).toMatchObject({ type: "pong" });
  });
});

describe("who may open a channel", () => {
  it.each([
    [CONTROL, null, 401],
    [CONTROL, "peer", 403],
    [PEER, null, 401],
    [PEER, "viewer", 403],
    [PEER, "operator", 403],
  ] as const)("%s as %s: %i", async (path, role, status) => {
    const client = new Client(path, role, ["changeover.v1"]);
    await waitUntil(() => client.status === status);
  });

  it("takes a token as a subprotocol, as browsers must send it, and never sends it back", async () => {
    const carrier = `bearer.${Buffer.from("token-of-viewer").toString("base64url")}`;
    const client = await new Client(CONTROL, null, [carrier, "changeover.control.v1"]).opened();
    expect(client.socket.protocol).toBe("changeover.control.v1");
    const stranger = new Client(CONTROL, null, ["bearer.Z3Vlc3M", "changeover.control.v1"]);
    await waitUntil(() => stranger.status === 401);
  });

  it("hands the peer's socket over, and tells of whom it turned away [HB2, A20]", async () => {
    await new Client(PEER, "peer", ["changeover.v1"]).opened();
    await waitUntil(() => rig.acceptedPeers.length === 1);
    const stranger = new Client(PEER, "viewer", ["changeover.v1"]);
    await waitUntil(() => stranger.status === 403);
    const other = new Client(PEER, "peer", ["changeover.v0"]);
    await waitUntil(() => other.status === 400);
    expect(rig.refusedPeers.map(([reason]) => reason)).toEqual(["bad-token", "bad-frame"]);
    expect(JSON.stringify(rig.refusedPeers)).not.toContain("token-of");
  });

  it("hands on one frame a turn of the loop, so that a burst holds up no heartbeat [HB1]", async () => {
    const { socket } = await new Client(PEER, "peer", ["changeover.v1"]).opened();
    for (const frame of ["1", "2", "3"]) socket.send(frame);
    await waitUntil(() => rig.peerFrames.length === 6);
    expect(rig.peerFrames).toEqual(["1", "turn", "2", "turn", "3", "turn"]);
  });

  it("bounds the frames of the peer channel", async () => {
    const client = await new Client(PEER, "peer", ["changeover.v1"]).opened();
    client.socket.send("x".repeat(PEER_FRAME_LIMIT_BYTES + 1));
    await waitUntil(() => client.closed !== 0);
  });

  it("answers a plain request with 426, and an unknown path with 404", async () => {
    const answer = await rig.get(CONTROL);
    expect([answer.statusCode, answer.json<Message>()["code"]]).toEqual([426, "upgrade_required"]);
    expect(answer.headers).toMatchObject({ upgrade: "websocket", "sec-websocket-version": "13" });
    const lost = new Client("/api/nothing", "viewer");
    await waitUntil(() => lost.status === 404);
  });

  it("answers a request that merely offers HTTP/2 as usual", async () => {
    const text = await rawRequest(
      "GET /live HTTP/1.1\r\nhost: x\r\nconnection: close, upgrade\r\nupgrade: h2c\r\n\r\n",
    );
    expect(text).toContain("HTTP/1.1 200");
  });

  it("does not open to a page of another site in open mode", async () => {
    await rig.app.close();
    await serve(OPEN);
    const socket = new WebSocket(`ws://127.0.0.1:${port}${CONTROL}`, { origin: "https://evil.example" });
    const client = new Client(CONTROL, null);
    let status = 0;
    socket
      .on("error", () => undefined)
      .on("unexpected-response", (_request, response) => (status = response.statusCode ?? 0));
    await waitUntil(() => status === 403);
    await client.opened();
  });
});

function rawRequest(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let heard = "";
    const socket = connect(port, "127.0.0.1", () => void socket.write(text));
    socket.on("data", (chunk: Buffer) => (heard += chunk.toString("latin1")));
    socket.on("error", reject);
    socket.on("close", () => resolve(heard));
  });
}
