/**
 * The demonstration's own address for the page: passes the page and its stream on to an engine that lives, and
 * takes the faults that are pressed on it.
 * Whichever engine is killed or frozen, the address goes on; it listens on loopback alone, and only pages of
 * this address may press a fault.
 */
import { once } from "node:events";
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Keys } from "./keys.ts";
import type { Plant } from "./plant.ts";
import type { EngineProcess } from "./processes.ts";

const LOOK_EVERY_MS = 50;
const FAULTS_PATH = "/demo/faults";

export class PageDoor {
  readonly #plant: Plant;
  readonly #keys: Keys;
  readonly #server: Server;
  readonly #sockets = new Set<Duplex>();
  #target: EngineProcess;
  #looking: NodeJS.Timeout | null = null;

  constructor(plant: Plant, keys: Keys) {
    this.#plant = plant;
    this.#keys = keys;
    this.#target = plant.engines.a;
    this.#server = createServer((request, response) => void this.#answer(request, response));
    this.#server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.#passUpgrade(request, socket, head);
    });
  }

  /** Begins to listen on a free port; returns the address of the page. */
  async open(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    this.#looking = setInterval(() => this.#look(), LOOK_EVERY_MS).unref();
    return `${this.#origin}/machines/?demo`;
  }

  /** Idempotent. */
  close(): void {
    if (this.#looking !== null) clearInterval(this.#looking);
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    this.#server.closeAllConnections();
  }

  get #origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** When the engine behind the page is gone or frozen, the other one takes its place. */
  #look(): void {
    if (this.#target.running && !this.#target.frozen) return;
    const other = Object.values(this.#plant.engines).find(({ running, frozen }) => running && !frozen);
    if (other === undefined || other === this.#target) return;
    this.#target = other;
    for (const socket of this.#sockets) socket.destroy();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? "";
    if (path.startsWith(FAULTS_PATH)) return this.#fault(request, response, path.slice(FAULTS_PATH.length + 1));
    const { method, headers } = request;
    const passed = httpRequest(new URL(path, this.#target.url), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    passed.on("error", () => {
      if (!response.headersSent) response.writeHead(502);
      response.end();
    });
    request.pipe(passed);
  }

  async #fault({ method, headers }: IncomingMessage, response: ServerResponse, key: string): Promise<void> {
    const tell = (status: number, body: object): void => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
    if (method === "GET" && key === "") return tell(200, { faults: this.#keys.faults });
    if (method !== "POST" || headers.origin !== this.#origin) return tell(403, { told: "press it on the page" });
    if (!this.#keys.faults.some((fault) => fault.key === key)) return tell(404, { told: "there is no such fault" });
    tell(200, { told: await this.#keys.press(key) });
  }

  #passUpgrade(request: IncomingMessage, client: Duplex, head: Buffer): void {
    const { hostname, port } = new URL(this.#target.url);
    const engine: Socket = connect(Number(port), hostname);
    for (const [one, other] of [
      [client, engine],
      [engine, client],
    ] as const) {
      this.#sockets.add(one);
      one.on("error", () => one.destroy());
      one.on("close", () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
    const lines = [`${request.method} ${request.url} HTTP/1.1`];
    for (let at = 0; at < request.rawHeaders.length; at += 2) {
      lines.push(`${request.rawHeaders[at]}: ${request.rawHeaders[at + 1]}`);
    }
    engine.write(`${lines.join("\r\n")}\r\n\r\n`);
    engine.write(head);
    client.pipe(engine).pipe(client);
  }
}
