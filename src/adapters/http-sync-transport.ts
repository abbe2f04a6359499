/**
 * Purpose: `/sync` of another place over HTTP.
 * Keeps true: each call has its time and its size; the token goes to this one address and nowhere else.
 */
import type { Json } from "../core/canonical-json.ts";
import type { Op } from "../core/operation.ts";
import type { Clock } from "../ports/clock.ts";
import type { PullRequest, PushedBase, SyncAnswer, SyncTransport } from "../ports/sync-transport.ts";
import { HttpClient, NoAnswer } from "./http-client.ts";

export interface HttpSyncTransportInit {
  /** `http://host:port`, with or without a path before `/sync`. */
  readonly url: string;
  /** Bearer of role `peer`; null in open mode. */
  readonly token: string | null;
  /** The name under which this engine writes: its own operations are not sent back to it. */
  readonly origin: string;
  readonly timeoutMs?: number;
}

/** A page may take this long over a slow line. */
const TIMEOUT_MS = 15_000;
/** A page is asked for in far fewer bytes; a single operation may be larger than the page. */
const MAX_PAGE_BYTES = 33_554_432;
const MAX_SMALL_BYTES = 65_536;

export class HttpSyncTransport implements SyncTransport {
  readonly #client: HttpClient;
  readonly #init: HttpSyncTransportInit;
  readonly #base: string;

  constructor({ clock }: { readonly clock: Clock }, init: HttpSyncTransportInit) {
    this.#client = new HttpClient({ clock });
    this.#init = init;
    this.#base = init.url.replace(/\/+$/, "");
  }

  identity(): Promise<SyncAnswer<Json>> {
    return this.#call("GET", "/sync/identity", MAX_SMALL_BYTES);
  }

  pull({ after, limit, maxBytes }: PullRequest): Promise<SyncAnswer<Json>> {
    const query = new URLSearchParams({ after, limit: String(limit), maxBytes: String(maxBytes) });
    return this.#call("GET", `/sync/pull?${query.toString()}`, MAX_PAGE_BYTES);
  }

  push(ops: readonly Op[], snapshot: PushedBase | null): Promise<SyncAnswer<Json>> {
    const body = JSON.stringify(snapshot === null ? { ops } : { ops, snapshot });
    return this.#call("POST", "/sync/push", MAX_PAGE_BYTES, body);
  }

  close(): void {
    this.#client.close();
  }

  async #call(method: string, path: string, maxBytes: number, body?: string): Promise<SyncAnswer<Json>> {
    const { token, origin, timeoutMs = TIMEOUT_MS } = this.#init;
    const answer = await this.#client.call({
      method,
      url: this.#base + path,
      headers: { "x-sync-origin": origin, ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
      ...(body === undefined ? {} : { body }),
      timeoutMs,
      maxBytes,
    });
    if (answer.outcome === "unreachable") {
      const error =
        answer.error instanceof NoAnswer ? Object.assign(answer.error, { code: "ETIMEDOUT" }) : answer.error;
      return { outcome: "failed", error };
    }
    const { status } = answer;
    return status >= 200 && status < 300
      ? { outcome: "answered", value: answer.body }
      : { outcome: "refused", status, code: codeOf(answer.body) };
  }
}

/** The stable word of a problem document. */
function codeOf(body: Json): string {
  const code = body !== null && typeof body === "object" && !Array.isArray(body) ? (body as { code?: Json }).code : "";
  return typeof code === "string" ? code.slice(0, 64) : "";
}
