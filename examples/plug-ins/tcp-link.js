/**
 * A link over plain TCP, as an example of a plug-in: a second network that speaks no HTTP. Each record is a head of five
 * bytes (kind, length) and a body. The channel above proves who is there and seals what it sends.
 *
 *     startHost(config, { links: [new TcpLink({ name: "tcp", port: 7001, peer: { host: "10.1.0.2", port: 7001 } })] });
 */
import { Buffer } from "node:buffer";
import { connect, createServer } from "node:net";

/** The largest frame that a link has to carry: `MAX_FRAME_BYTES` of the package. */
const MAX_FRAME_BYTES = 2_097_152;

const KINDS = { frame: 0, ping: 1, pong: 2, close: 3 };
const HEAD_BYTES = 5;

/** @implements {import("changeover").Link} */
export class TcpLink {
  #init;
  #server = null;

  /**
   * @param {object} init `name`; `port` where this engine accepts (0 takes a free one), on `host` or every interface; `peer`:
   * `{ host, port }` where the other engine accepts
   */
  constructor(init) {
    this.name = init.name;
    this.#init = init;
  }

  /** Where it accepts; null before the server listens. */
  get port() {
    return this.#server?.address()?.port ?? null;
  }

  accept(onConnection) {
    this.#server = createServer((socket) => onConnection(new TcpConnection(socket, true)));
    // A port that is taken or an interface that is down: the link stays down, and the other side's dials may still succeed.
    this.#server.on("error", () => undefined);
    this.#server.listen(this.#init.port, this.#init.host);
  }

  dial() {
    return new TcpConnection(connect(this.#init.peer), false);
  }

  async close() {
    const server = this.#server;
    this.#server = null;
    server?.close();
  }
}

/** @implements {import("changeover").LinkConnection} */
class TcpConnection {
  #socket;
  #isOpen;
  #unread = Buffer.alloc(0);
  /** What the other side closed with. */
  #farewell = [1006, ""];

  constructor(socket, isOpen) {
    this.#socket = socket.setNoDelay(true);
    this.#isOpen = isOpen;
    this.remote = isOpen ? `${socket.remoteAddress}:${socket.remotePort}` : "dialled over TCP";
  }

  get bufferedBytes() {
    return this.#socket.writableLength;
  }

  listen(events) {
    this.#socket.on("connect", () => events.onOpen(true));
    this.#socket.on("data", (chunk) => this.#read(chunk, events));
    // An error is followed by "close".
    this.#socket.on("error", () => undefined);
    this.#socket.on("close", () => events.onEnd(...this.#farewell));
    if (this.#isOpen) events.onOpen(true);
  }

  send(frame) {
    this.#write(KINDS.frame, Buffer.from(frame));
  }

  ping() {
    this.#write(KINDS.ping, Buffer.alloc(0));
  }

  close(code, reason) {
    this.#write(KINDS.close, Buffer.from(JSON.stringify([code, reason])));
    this.#socket.end();
  }

  drop() {
    this.#socket.destroy();
  }

  #write(kind, body) {
    if (!this.#socket.writable) return;
    const head = Buffer.alloc(HEAD_BYTES);
    head.writeUInt8(kind);
    head.writeUInt32BE(body.length, 1);
    this.#socket.write(Buffer.concat([head, body]));
  }

  #read(chunk, events) {
    this.#unread = Buffer.concat([this.#unread, chunk]);
    while (this.#unread.length >= HEAD_BYTES) {
      const length = this.#unread.readUInt32BE(1);
      if (length > MAX_FRAME_BYTES) {
        this.#socket.removeAllListeners("data");
        this.#socket.destroy();
        return events.onBadFrame("too-large");
      }
      if (this.#unread.length < HEAD_BYTES + length) return;
      const kind = this.#unread.readUInt8();
      const body = this.#unread.subarray(HEAD_BYTES, HEAD_BYTES + length);
      this.#unread = this.#unread.subarray(HEAD_BYTES + length);
      this.#onRecord(kind, body, events);
    }
  }

  #onRecord(kind, body, events) {
    if (kind === KINDS.frame) return events.onFrame(body.toString("utf8"));
    if (kind === KINDS.ping) this.#write(KINDS.pong, Buffer.alloc(0));
    if (kind === KINDS.close) this.#farewell = JSON.parse(body.toString("utf8"));
    events.onSignOfLife();
  }
}
