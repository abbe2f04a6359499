/**
 * Pushes the state to clients as it changes.
 * A client has at most one state under way; one that is slow gets the latest when it has read that, and the
 * states between are lost to it alone. All clients together cost one look at the state per `STATE_PUSH_MS`.
 */
import type { WebSocket } from "ws";
import type { Coordinator } from "../coordinator/types.ts";
import type { Clock, TimerHandle } from "../ports/basics.ts";
import { STATE_PUSH_MS } from "./limits.ts";

interface Reader {
  readonly socket: WebSocket;
  isReading: boolean;
  isBehind: boolean;
}

export class StateFeed {
  readonly #coordinator: Coordinator;
  readonly #clock: Clock;
  readonly #readers = new Set<Reader>();
  #unsubscribe: (() => void) | null = null;
  #timer: TimerHandle | null = null;

  constructor(components: { readonly coordinator: Coordinator; readonly clock: Clock }) {
    this.#coordinator = components.coordinator;
    this.#clock = components.clock;
  }

  /** Sends the state to `socket` now and whenever it has changed, until the returned function is called. */
  add(socket: WebSocket): () => void {
    const reader: Reader = { socket, isReading: false, isBehind: false };
    this.#readers.add(reader);
    this.#unsubscribe ??= this.#coordinator.subscribe(() => this.#soon());
    this.#send(reader, this.#text());
    return () => {
      this.#readers.delete(reader);
      if (this.#readers.size === 0) this.close();
    };
  }

  /** Stops listening to the coordinator. Idempotent. */
  close(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = null;
    if (this.#timer !== null) this.#clock.clearTimeout(this.#timer);
    this.#timer = null;
  }

  #soon(): void {
    this.#timer ??= this.#clock.setTimeout(() => {
      this.#timer = null;
      const text = this.#text();
      for (const reader of this.#readers) this.#send(reader, text);
    }, STATE_PUSH_MS);
  }

  #send(reader: Reader, text: string): void {
    if (reader.isReading) {
      reader.isBehind = true;
      return;
    }
    reader.isReading = true;
    reader.socket.send(text, () => {
      reader.isReading = false;
      if (!reader.isBehind || !this.#readers.has(reader)) return;
      reader.isBehind = false;
      this.#send(reader, this.#text());
    });
  }

  #text(): string {
    return JSON.stringify({ type: "state", ...this.#coordinator.state() });
  }
}
