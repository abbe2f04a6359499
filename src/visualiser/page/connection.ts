/**
 * The page's connection to the pair: the stream of one engine at a time, and the few calls it makes.
 * When the engine that tells goes or falls silent, the page listens to the other one, and resumes without a
 * gap; the token goes to its own host and to the peer that this host names, and is forgotten with the tab. Calls, and so
 * everything that changes anything, go to its own host alone.
 */
import type { Label } from "../../core/ids.ts";
import type { StreamMessage } from "../inspected.ts";
import { Feed, HOME } from "./feed.ts";
import type { Model } from "./model.ts";

export type LineState =
  | { readonly kind: "connecting" | "lost" | "needs-token" }
  /** Live, as `engine` tells it. */
  | { readonly kind: "open"; readonly engine: Label };

const TOKEN_KEY = "changeover.token";
const LOOK_EVERY_MS = 50;
/** An engine tells how it stands every 200 ms; after so long without a word the other one is asked too. */
const SILENT_MS = 300;
/** After so long nobody counts as reachable any more. */
const LOST_MS = 1_500;
const OPENS_WITHIN_MS = 2_000;
const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 2_000;

export class Connection {
  readonly #model: Model;
  readonly #onState: (state: LineState) => void;
  /** Who tells. */
  #present: Feed | null = null;
  /** Who is asked in its place. The present one stays until this one has spoken. */
  #next: Feed | null = null;
  /** Address of the other engine, by its own host's word. */
  #peer: string | null = null;
  /** The address that was asked last. */
  #dialled = "";
  #tries = 0;
  #notBeforeMs = 0;
  #retryMs = FIRST_RETRY_MS;
  #looking: number | undefined;

  constructor(model: Model, onState: (state: LineState) => void) {
    this.#model = model;
    this.#onState = onState;
  }

  async open(): Promise<void> {
    this.#onState({ kind: "connecting" });
    const answer = await this.call("GET", "api/state").catch(() => null);
    if (answer?.status === 401 || answer?.status === 403) {
      this.#onState({ kind: "needs-token" });
      return;
    }
    this.#looking ??= window.setInterval(() => this.#look(), LOOK_EVERY_MS);
    this.#look();
  }

  /** Takes the token that was typed. */
  useToken(token: string): void {
    sessionStorage.setItem(TOKEN_KEY, token);
    void this.open();
  }

  close(): void {
    window.clearInterval(this.#looking);
    this.#present?.close();
    this.#next?.close();
  }

  /** One call to the engine that served the page; `path` is relative to its address: `api/state`. */
  async call(method: "GET" | "POST", path: string, body?: unknown): Promise<Response> {
    const token = sessionStorage.getItem(TOKEN_KEY);
    const headers = {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    };
    return fetch(new URL(path, HOME), {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  /** Asks the other address whenever nobody speaks; the first word decides who is listened to. */
  #look(): void {
    const nowMs = performance.now();
    const silentMs = this.#present === null ? Infinity : nowMs - this.#present.heardAtMs;
    if (silentMs > LOST_MS && this.#tries >= this.#addresses.length) {
      this.#model.lost();
      this.#onState({ kind: "lost" });
    }
    if (this.#next !== null && nowMs - this.#next.openedAtMs > OPENS_WITHIN_MS) {
      this.#next.close();
      this.#next = null;
    }
    if (silentMs > SILENT_MS && this.#next === null && nowMs >= this.#notBeforeMs) this.#dial(nowMs);
  }

  get #addresses(): readonly string[] {
    return this.#peer === null ? [HOME] : [HOME, this.#peer];
  }

  #dial(nowMs: number): void {
    const addresses = this.#addresses;
    this.#dialled = addresses[(addresses.indexOf(this.#dialled) + 1) % addresses.length] ?? HOME;
    this.#tries += 1;
    if (this.#tries % addresses.length === 0) {
      this.#notBeforeMs = nowMs + this.#retryMs;
      this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
    }
    this.#next = new Feed({
      address: this.#dialled,
      token: sessionStorage.getItem(TOKEN_KEY),
      cursors: this.#model.cursors(),
      onMessage: (feed, message) => this.#heard(feed, message),
      onClose: (feed) => this.#drop(feed),
    });
  }

  #heard(feed: Feed, message: StreamMessage): void {
    if (feed === this.#next) this.#adopt(feed, message.engine);
    // The present one has found its voice again.
    this.#next?.close();
    this.#next = null;
    this.#tries = 0;
    this.#retryMs = FIRST_RETRY_MS;
    if (message.type === "state" && feed.isOwn && message.engine === feed.engine) this.#peer = message.state.peer.url;
    this.#model.apply(message);
  }

  #adopt(feed: Feed, engine: Label): void {
    const before = this.#present?.engine ?? null;
    this.#present?.close();
    if (before !== null && before !== engine) this.#model.gone(before);
    this.#present = feed;
    this.#next = null;
    this.#onState({ kind: "open", engine });
  }

  #drop(feed: Feed): void {
    feed.close();
    if (feed === this.#next) this.#next = null;
    if (feed === this.#present) {
      this.#present = null;
      if (feed.engine !== null) this.#model.gone(feed.engine);
    }
    this.#look();
  }
}
