/**
 * `/sync` of another place over HTTP.
 * Each call has its time and its size; the token goes to this one address and nowhere else.
 */
import type { Json } from "../core/canonical-json.ts";
import { MAX_VALUE_CHARS, type Op } from "../core/operation.ts";
import type { Clock } from "../ports/basics.ts";
import type { PullRequest, PushedBase, SyncAnswer, SyncTransport } from "../ports/sync-transport.ts";
import { type ClientTls, HttpClient, NoAnswer } from "./http-client.ts";

export interface HttpSyncTransportInit {
  /** `http://host:port`, with or without a path before `/sync`. */
  readonly url: string;
  /** Bearer of role `spoke`; null in open mode. */
  readonly token: string | null;
  /** The name under which this engine writes: its own operations are not sent back to it. */
  readonly origin: string | (() => string);
  readonly timeoutMs?: number;
  /** For `https:` with a private authority, or with a certificate of this engine's own. */
  readonly tls?: ClientTls;
}

/** A page may take this long over a slow line. */
const TIMEOUT_MS = 15_000;
/** An operation that is larger than its page still comes. */
const MAX_OP_CHARS = 2 * MAX_VALUE_CHARS;
/** A page is measured in characters; on the wire each has up to three bytes. */
const BYTES_OF_CHAR = 3;
const MAX_REPORT_BYTES = 1_048_576;
/** A clock that is far too large is read, so that it can be told apart. */
const MAX_IDENTITY_BYTES = 1_048_576;

export class HttpSyncTransport implements SyncTransport {
  readonly #clock: Clock;
  readonly #client: HttpClient;
  readonly #init: HttpSyncTransportInit;
  readonly #base: string;

  constructor({ clock }: { readonly clock: Clock }, init: HttpSyncTransportInit) {
    this.#clock = clock;
    this.#client = new HttpClient({ clock }, init.tls === undefined ? {} : { tls: init.tls });
    this.#init = init;
    this.#base = init.url.replace(/\/+$/, "");
  }

  identity(challenge = ""): Promise<SyncAnswer<Json>> {
    const query = challenge === "" ? "" : `?challenge=${encodeURIComponent(challenge)}`;
    return this.#call("GET", `/sync/identity${query}`, MAX_IDENTITY_BYTES);
  }

  compare(heads: object): Promise<SyncAnswer<Json>> {
    return this.#call("POST", "/sync/compare", MAX_IDENTITY_BYTES, JSON.stringify({ heads }));
  }

  pull({ after, held, limit, maxBytes, own = false }: PullRequest): Promise<SyncAnswer<Json>> {
    const query = new URLSearchParams({ after, limit: String(limit), maxBytes: String(maxBytes) });
    if (held !== undefined) query.set("held", held);
    const boundBytes = BYTES_OF_CHAR * (maxBytes + MAX_OP_CHARS);
    return this.#call("GET", `/sync/pull?${query.toString()}`, boundBytes, undefined, own);
  }

  push(ops: readonly Op[], snapshot: PushedBase | null): Promise<SyncAnswer<Json>> {
    const body = JSON.stringify(snapshot === null ? { ops } : { ops, snapshot });
    return this.#call("POST", "/sync/push", MAX_REPORT_BYTES, body);
  }

  close(): void {
    this.#client.close();
  }

  async #call(
    method: string,
    path: string,
    maxBytes: number,
    body?: string,
    anonymous = false,
  ): Promise<SyncAnswer<Json>> {
    const { token, origin, timeoutMs = TIMEOUT_MS } = this.#init;
    const answer = await this.#client.call({
      method,
      url: this.#base + path,
      headers: {
        ...(anonymous ? {} : { "x-sync-origin": typeof origin === "string" ? origin : origin() }),
        "x-sync-unix-ms": String(Math.floor(this.#clock.unixMs())),
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body }),
      timeoutMs,
      maxBytes,
    });
    if (answer.outcome === "unreachable") {
      const error =
        answer.error instanceof NoAnswer ? Object.assign(answer.error, { code: "ETIMEDOUT" }) : answer.error;
      return { outcome: "failed", error };
    }
    const { status, requestId } = answer;
    if (status >= 200 && status < 300) return { outcome: "answered", value: answer.body };
    const refused = { outcome: "refused", status, code: codeOf(answer.body) } as const;
    return requestId === null ? refused : { ...refused, requestId: requestId.slice(0, 128) };
  }
}

/** The stable word of a problem document. */
function codeOf(body: Json): string {
  const code = body !== null && typeof body === "object" && !Array.isArray(body) ? (body as { code?: Json }).code : "";
  return typeof code === "string" ? code.slice(0, 64) : "";
}
