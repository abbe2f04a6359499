/**
 * One HTTP/1.1 connection that is kept open, with one request under way at a time: the least that can be between a
 * benchmark and what it measures.
 * Does not know: bodies without a content-length.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

export interface Answer {
  readonly status: number;
  readonly body: string;
}

export class KeepAlive {
  readonly #socket: Socket;
  readonly #host: string;
  #received = "";
  #waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | null = null;

  private constructor(socket: Socket, host: string) {
    this.#socket = socket;
    this.#host = host;
    socket.setNoDelay(true);
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => this.#take(text));
    socket.on("error", () => undefined);
    socket.on("close", () => this.#fail(new Error(`${host} closed the connection`)));
  }

  /** @param url `http://host:port` */
  static async open(url: string): Promise<KeepAlive> {
    const { hostname, port, host } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port) });
    await once(socket, "connect");
    return new KeepAlive(socket, host);
  }

  get(path: string): Promise<Answer> {
    return this.#ask(`GET ${path} HTTP/1.1\r\nHost: ${this.#host}\r\n\r\n`);
  }

  /** `body` is ASCII JSON. */
  post(path: string, body: string): Promise<Answer> {
    const head = `Host: ${this.#host}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
    return this.#ask(`POST ${path} HTTP/1.1\r\n${head}\r\n\r\n${body}`);
  }

  close(): void {
    this.#socket.destroy();
  }

  #ask(request: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) return reject(new Error(`${this.#host} closed the connection`));
      this.#waiting = { resolve, reject };
      this.#socket.write(request);
    });
  }

  #take(text: string): void {
    this.#received += text;
    const headEnd = this.#received.indexOf("\r\n\r\n");
    if (headEnd < 0) return;
    const head = this.#received.slice(0, headEnd);
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
    const bodyStart = headEnd + 4;
    if (this.#received.length < bodyStart + length) return;
    const answer = { status: Number(head.slice(9, 12)), body: this.#received.slice(bodyStart, bodyStart + length) };
    this.#received = this.#received.slice(bodyStart + length);
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.resolve(answer);
  }

  #fail(error: Error): void {
    this.#waiting?.reject(error);
    this.#waiting = null;
  }
}
