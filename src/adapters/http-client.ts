/**
 * JSON calls to one outside HTTP server over undici, each within its own budget of time and size. A call never throws and
 * never outlives its budget or the client. Connections belong to the client and end with it. Redirects are not followed:
 * a request goes where the configuration says and nowhere else.
 */
import { Agent, errors, request } from "undici";
import type { Json } from "../core/canonical-json.ts";
import type { Clock } from "../ports/basics.ts";

/** Bytes of an answer when the call does not say. */
const DEFAULT_MAX_BYTES = 1_048_576;
/** Connections kept to the server. */
const MAX_SOCKETS = 8;
/** How long an idle connection is kept when the server does not say how long it keeps it. */
const KEEP_ALIVE_MS = 600_000;

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
  | { outcome: "answered"; status: number; body: Json; isJson: boolean; requestId: string | null }
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
  readonly #agent: Agent;
  readonly #underWay = new Set<AbortController>();
  readonly #onLost: (() => void) | undefined;
  /** Whether a server has answered. Before that no connection counts as lost. */
  #answered = false;
  #closed = false;

  /** `onLost`: a connection to a server that has answered was closed, and the server had not said that it would. */
  constructor(components: { clock: Clock }, init: { tls?: ClientTls; onLost?: () => void } = {}) {
    this.#clock = components.clock;
    this.#onLost = init.onLost;
    this.#agent = new Agent({
      connections: MAX_SOCKETS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      // The budget of a call covers both.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: { ...init.tls },
    });
    // The kernel closes a connection when the server's process ends: this is how its death is seen first.
    this.#agent.on("disconnect", (_origin, _targets, error) => {
      // Announced by the server, idle for too long, or given up by a call, which reports it itself.
      if (error.code !== "UND_ERR_INFO") this.#lost();
    });
  }

  /** Makes one call. */
  async call(call: HttpCall): Promise<HttpAnswer> {
    if (this.#closed) return unreachable("closed");
    const ending = new AbortController();
    this.#underWay.add(ending);
    const timer = this.#clock.setTimeout(() => ending.abort(new NoAnswer(call.timeoutMs)), call.timeoutMs);
    try {
      const { statusCode, headers, body } = await request(new URL(call.url), {
        method: call.method,
        headers: {
          accept: "application/json",
          ...(call.body === undefined ? {} : { "content-type": "application/json" }),
          ...call.headers,
        },
        body: call.body ?? null,
        dispatcher: this.#agent,
        signal: ending.signal,
      });
      this.#answered = true;
      const text = await readText(body, call.maxBytes ?? DEFAULT_MAX_BYTES);
      const requestId = headers["x-request-id"];
      return {
        outcome: "answered",
        status: statusCode,
        ...asJson(text),
        requestId: typeof requestId === "string" ? requestId : null,
      };
    } catch (error) {
      const cause = nodeErrorOf(error);
      if (cause instanceof NoAnswer) this.#lost();
      return unreachable(reasonOf(cause), cause);
    } finally {
      this.#clock.clearTimeout(timer);
      this.#underWay.delete(ending);
    }
  }

  /** Breaks off the calls under way; later ones are made as usual. */
  breakOff(why: string): void {
    for (const ending of this.#underWay) ending.abort(new Error(why));
  }

  /** Breaks off the calls under way and closes the connections. */
  close(): void {
    this.#closed = true;
    this.breakOff("closed");
    void this.#agent.destroy();
  }

  #lost(): void {
    if (this.#answered && !this.#closed) this.#onLost?.();
  }
}

async function readText(body: AsyncIterable<Buffer>, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    // Leaving the loop closes the connection.
    if (bytes > maxBytes) throw new Error(`answer longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** undici has its own code where the other side just ended; the rest of the program knows Node's. */
function nodeErrorOf(error: unknown): unknown {
  if (!(error instanceof errors.SocketError)) return error;
  return Object.assign(new Error(error.message, { cause: error }), { code: "ECONNRESET" });
}

function asJson(text: string): { readonly body: Json; readonly isJson: boolean } {
  if (text === "") return { body: null, isJson: false };
  try {
    return { body: JSON.parse(text) as Json, isJson: true };
  } catch {
    return { body: text, isJson: false };
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
