/**
 * Purpose: JSON calls to one outside HTTP server, each within its own budget of time and size.
 * Keeps true: a call never throws and never outlives its budget or the client; connections belong to the client and end
 * with it. Redirects are not followed: a request goes where the configuration says and nowhere else.
 */
import { Agent as HttpAgent, type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { Json } from "../core/canonical-json.ts";
import type { Clock } from "../ports/clock.ts";

/** Bytes of an answer when the call does not say. */
const DEFAULT_MAX_BYTES = 1_048_576;
/** Connections kept to the server. */
const MAX_SOCKETS = 8;

export interface HttpCall {
  method: string;
  url: string;
  headers?: Readonly<Record<string, string>>;
  /** Text of the body; `undefined` sends none. */
  body?: string;
  /** From the call to the last byte of the answer. */
  timeoutMs: number;
  maxBytes?: number;
}

/** An answer, its body read as JSON where it is JSON and as a string otherwise; or why there was none. */
export type HttpAnswer =
  | { outcome: "answered"; status: number; body: Json; requestId: string | null }
  /** `error` is Node's own, for its code; null where there was no try. */
  | { outcome: "unreachable"; why: string; error?: unknown };

/** How the server is known, and how this client shows itself: PEM text. What is left out is the system's own. */
export interface ClientTls {
  /** The authorities that the server's certificate must come from. */
  readonly ca?: string;
  /** This client's certificate and private key. */
  readonly cert?: string;
  readonly key?: string;
}

export class HttpClient {
  readonly #clock: Clock;
  readonly #httpAgent = new HttpAgent({ keepAlive: true, maxSockets: MAX_SOCKETS });
  readonly #httpsAgent: HttpsAgent;
  readonly #underWay = new Set<ClientRequest>();
  /** Connections over which an answer came, and whose end is not yet known. */
  readonly #known = new WeakSet<object>();
  readonly #onLost: (() => void) | undefined;
  #closed = false;

  /** `onLost`: a connection over which an answer came was closed, and the server had not said that it would. */
  constructor(components: { clock: Clock }, init: { tls?: ClientTls; onLost?: () => void } = {}) {
    this.#clock = components.clock;
    this.#onLost = init.onLost;
    this.#httpsAgent = new HttpsAgent({ keepAlive: true, maxSockets: MAX_SOCKETS, ...init.tls });
  }

  /** Makes one call. */
  async call(call: HttpCall): Promise<HttpAnswer> {
    if (this.#closed) return unreachable("closed");
    let request: ClientRequest;
    try {
      request = this.#open(call);
    } catch (error) {
      return unreachable(reasonOf(error), error);
    }
    this.#underWay.add(request);
    if (this.#onLost !== undefined) request.once("response", (response) => this.#watch(response));
    const timer = this.#clock.setTimeout(() => request.destroy(new NoAnswer(call.timeoutMs)), call.timeoutMs);
    try {
      return await exchange(request, call);
    } finally {
      this.#clock.clearTimeout(timer);
      this.#underWay.delete(request);
    }
  }

  /** Breaks off the calls under way; later ones are made as usual. */
  breakOff(why: string): void {
    for (const request of this.#underWay) request.destroy(new Error(why));
  }

  /** Breaks off the calls under way and closes the connections. */
  close(): void {
    this.#closed = true;
    this.breakOff("closed");
    this.#httpAgent.destroy();
    this.#httpsAgent.destroy();
  }

  /** The kernel closes a connection when the server's process ends: this is how its death is seen first. */
  #watch({ socket, headers, httpVersion }: IncomingMessage): void {
    const announced = headers.connection?.toLowerCase() === "close" || httpVersion === "1.0";
    if (announced || this.#known.has(socket)) return;
    this.#known.add(socket);
    socket.once("close", () => {
      if (!this.#closed) this.#onLost?.();
    });
  }

  #open(call: HttpCall): ClientRequest {
    const secure = call.url.startsWith("https:");
    const headers = {
      accept: "application/json",
      ...(call.body === undefined
        ? {}
        : { "content-type": "application/json", "content-length": String(Buffer.byteLength(call.body)) }),
      ...call.headers,
    };
    return secure
      ? httpsRequest(call.url, { method: call.method, headers, agent: this.#httpsAgent })
      : httpRequest(call.url, { method: call.method, headers, agent: this.#httpAgent });
  }
}

function exchange(request: ClientRequest, call: HttpCall): Promise<HttpAnswer> {
  return new Promise((resolve) => {
    request.on("error", (error) => resolve(unreachable(reasonOf(error), error)));
    request.on("response", (response) => {
      readText(response, call.maxBytes ?? DEFAULT_MAX_BYTES).then(
        (text) =>
          resolve({
            outcome: "answered",
            status: response.statusCode ?? 0,
            body: asJson(text),
            requestId: requestIdOf(response),
          }),
        (error: unknown) => {
          request.destroy();
          resolve(unreachable(reasonOf(error), error));
        },
      );
    });
    request.end(call.body);
  });
}

function requestIdOf({ headers }: IncomingMessage): string | null {
  const given = headers["x-request-id"];
  return typeof given === "string" ? given : null;
}

async function readText(response: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Error(`answer longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function asJson(text: string): Json {
  if (text === "") return null;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

function unreachable(why: string, error: unknown = null): HttpAnswer {
  return { outcome: "unreachable", why, error };
}

/** The budget of a call is over. Known by its type: its message is for people. */
export class NoAnswer extends Error {
  constructor(timeoutMs: number) {
    super(`no answer within ${timeoutMs} ms`);
    this.name = "NoAnswer";
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown failure";
  return "code" in error && typeof error.code === "string" ? error.code : error.message;
}
