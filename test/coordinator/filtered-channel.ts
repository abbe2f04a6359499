/** A peer channel on which a test can lose messages of chosen types, and see what was sent. */
import type { Heartbeat, PeerMessage } from "../../src/core/messages.ts";
import type { LinkStatus, PeerChannel } from "../../src/ports/peer-channel.ts";

export class FilteredChannel implements PeerChannel {
  readonly #inner: PeerChannel;
  /** What is lost on its way from here. */
  readonly lost = new Set<PeerMessage["type"]>();
  readonly sent: PeerMessage[] = [];

  constructor(inner: PeerChannel) {
    this.#inner = inner;
  }

  open(...asked: Parameters<PeerChannel["open"]>): void {
    this.#inner.open(...asked);
  }

  broadcast(heartbeat: Heartbeat): number {
    return this.lost.has("heartbeat") ? 0 : this.#inner.broadcast(heartbeat);
  }

  send(message: PeerMessage): boolean {
    this.sent.push(message);
    return this.lost.has(message.type) || this.#inner.send(message);
  }

  links(): readonly LinkStatus[] {
    return this.#inner.links();
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  /** How many of a type were sent. */
  count(type: PeerMessage["type"]): number {
    return this.sent.filter((message) => message.type === type).length;
  }
}
