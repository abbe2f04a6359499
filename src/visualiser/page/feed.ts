/**
 * One line of the page to one engine's stream.
 * The first message names the engine that tells; nothing is heard any more once it is closed.
 */
import type { Label } from "../../core/ids.ts";
import type { StreamMessage } from "../inspected.ts";
import { resumeQuery, type Cursors } from "../event-ring.ts";
import { STREAM_PROTOCOL, streamUrl } from "../stream-address.ts";

export interface FeedInit {
  /** HTTP address of an engine. */
  readonly address: string;
  /** null in open mode. */
  readonly token: string | null;
  readonly cursors: Cursors;
  readonly onMessage: (feed: Feed, message: StreamMessage) => void;
  readonly onClose: (feed: Feed) => void;
}

/** Address of the engine that served the page: the page's own without `machines/`, whatever path a proxy adds before it. */
export const HOME = new URL("..", document.baseURI).href;

export class Feed {
  /** Whether it leads to the host that served the page. */
  readonly isOwn: boolean;
  readonly openedAtMs = performance.now();
  heardAtMs = performance.now();
  /** Who tells; null: nothing has been heard yet. */
  engine: Label | null = null;
  readonly #socket: WebSocket;

  constructor({ address, token, cursors, onMessage, onClose }: FeedInit) {
    this.isOwn = address === HOME;
    const protocols = token === null ? [] : [`bearer.${base64Url(token)}`];
    this.#socket = new WebSocket(`${streamUrl(address).href}${resumeQuery(cursors)}`, [STREAM_PROTOCOL, ...protocols]);
    this.#socket.onmessage = ({ data }) => {
      const message = JSON.parse(data as string) as StreamMessage;
      this.heardAtMs = performance.now();
      this.engine ??= message.engine;
      onMessage(this, message);
    };
    this.#socket.onclose = () => onClose(this);
  }

  close(): void {
    this.#socket.onmessage = null;
    this.#socket.onclose = null;
    this.#socket.close();
  }
}

function base64Url(text: string): string {
  const bytes = String.fromCharCode(...new TextEncoder().encode(text));
  return btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
