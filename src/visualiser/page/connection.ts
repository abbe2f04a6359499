/**
 * Purpose: the page's line to its engine: the stream, and the few calls it makes.
 * Keeps true: it comes back by itself and resumes without a gap; the token is sent to the own host alone and is
 * forgotten with the tab.
 */
import { resumeQuery } from "../resume.ts";
import type { StreamMessage } from "../inspected.ts";
import type { Model } from "./model.ts";

export type LineState = "connecting" | "open" | "lost" | "needs-token";

const PROTOCOL = "changeover.machines.v1";
const TOKEN_KEY = "changeover.token";
const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 2_000;

export class Connection {
  readonly #model: Model;
  readonly #onState: (state: LineState) => void;
  #socket: WebSocket | null = null;
  #retryMs = FIRST_RETRY_MS;
  #timer: number | undefined;
  #closed = false;

  constructor(model: Model, onState: (state: LineState) => void) {
    this.#model = model;
    this.#onState = onState;
  }

  async open(): Promise<void> {
    this.#onState("connecting");
    const answer = await this.call("GET", "/api/state").catch(() => null);
    if (this.#closed) return;
    if (answer?.status === 401 || answer?.status === 403) this.#onState("needs-token");
    else if (answer?.ok) this.#dial();
    else this.#again();
  }

  /** Takes the token that was typed. */
  useToken(token: string): void {
    sessionStorage.setItem(TOKEN_KEY, token);
    void this.open();
  }

  close(): void {
    this.#closed = true;
    window.clearTimeout(this.#timer);
    this.#socket?.close();
  }

  /** One call to the own engine. */
  async call(method: "GET" | "POST", path: string, body?: unknown): Promise<Response> {
    const token = sessionStorage.getItem(TOKEN_KEY);
    const headers = {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    };
    return fetch(path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  }

  #dial(): void {
    const token = sessionStorage.getItem(TOKEN_KEY);
    const url = `${location.origin.replace(/^http/, "ws")}/api/machines/stream${resumeQuery(this.#model.cursors())}`;
    const socket = new WebSocket(url, token === null ? [PROTOCOL] : [PROTOCOL, `bearer.${base64Url(token)}`]);
    this.#socket = socket;
    socket.onopen = () => {
      this.#retryMs = FIRST_RETRY_MS;
      this.#onState("open");
    };
    socket.onmessage = ({ data }) => this.#model.apply(JSON.parse(data as string) as StreamMessage);
    socket.onclose = () => this.#again();
  }

  #again(): void {
    if (this.#closed) return;
    this.#model.lost();
    this.#onState("lost");
    this.#timer = window.setTimeout(() => this.#dial(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
  }
}

function base64Url(text: string): string {
  const bytes = String.fromCharCode(...new TextEncoder().encode(text));
  return btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
