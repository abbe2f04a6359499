/**
 * The peer as viewers of this engine see it: follows the peer's own stream as a viewer among others.
 * It is connected only while someone looks; a break loses nothing, for it resumes where it was; a peer that
 * is silent counts as gone, and so does one that says what no engine says. Nothing here has any bearing on the pair.
 */
import { WebSocket } from "ws";
import { otherLabel, type Label } from "../core/ids.ts";
import type { Clock, TimerHandle } from "../ports/basics.ts";
import {
  MAX_RECORDED,
  MAX_RELAYED_BYTES,
  REDIAL_MS,
  SILENT_MS,
  type Inspected,
  type Source,
  type Values,
} from "./inspected.ts";
import { EventRing } from "./event-ring.ts";
import { STREAM_PROTOCOL, streamUrl } from "./stream-address.ts";
import { parseMessage } from "./stream-message.ts";

export interface PeerSourceInit {
  /** Of this engine; what is followed is the other one. */
  readonly label: Label;
  /** Where the peer's HTTP surface is: `http://host:port`. */
  readonly url: string;
  /** null in open mode. */
  readonly token: string | null;
  /** Authorities of the peer's certificate, PEM; left out: the system's. */
  readonly ca?: string;
}

export class PeerSource implements Source {
  readonly label: Label;
  readonly #clock: Clock;
  readonly #url: URL;
  readonly #token: string | null;
  readonly #tls: { readonly ca?: string };
  readonly #ring = new EventRing(MAX_RECORDED);
  #run: string | null = null;
  #state: Buffer | null = null;
  #states = 0;
  #reachable = false;
  #heardAtMs = Number.NEGATIVE_INFINITY;
  #onNews: (() => void) | null = null;
  #socket: WebSocket | null = null;
  #redial: TimerHandle | null = null;

  constructor(components: { readonly clock: Clock }, init: PeerSourceInit) {
    this.#clock = components.clock;
    this.label = otherLabel(init.label);
    this.#url = streamUrl(init.url);
    this.#token = init.token;
    this.#tls = init.ca === undefined ? {} : { ca: init.ca };
  }

  get run(): string | null {
    return this.#run;
  }

  get reachable(): boolean {
    return this.#reachable;
  }

  get firstSeq(): number {
    return this.#ring.firstSeq;
  }

  get lastSeq(): number {
    return this.#ring.lastSeq;
  }

  get states(): number {
    return this.#states;
  }

  values(): Values {
    return this.#ring.values();
  }

  after(seq: number, most: number): readonly Inspected[] {
    return this.#ring.after(seq, most);
  }

  stateBytes(): Buffer | null {
    return this.#state;
  }

  /** Follows the peer until `close`; calls `onNews` whenever there is something new. */
  open(onNews: () => void): void {
    this.#onNews = onNews;
    if (this.#socket !== null || this.#redial !== null) return;
    // Nobody has looked since the last time: that it was not heard says nothing about it.
    this.#reachable = this.#run !== null;
    this.#heardAtMs = this.#clock.monoMs();
    this.#dial();
  }

  /** Idempotent. The events that are known stay, for anyone who looks next. */
  close(): void {
    this.#onNews = null;
    this.#state = null;
    if (this.#redial !== null) this.#clock.clearTimeout(this.#redial);
    this.#redial = null;
    this.#socket?.terminate();
    this.#socket = null;
    this.#reachable = false;
  }

  /** Called now and then: notices silence. */
  listen(): void {
    if (this.#reachable && this.#clock.monoMs() - this.#heardAtMs > SILENT_MS) this.#lost();
  }

  #dial(): void {
    this.#redial = null;
    const url = new URL(this.#url);
    url.searchParams.set("only", "own");
    if (this.#run !== null) url.searchParams.set("after", `${this.#run}:${this.#ring.lastSeq}`);
    const headers = this.#token === null ? {} : { authorization: `Bearer ${this.#token}` };
    const socket = new WebSocket(url, STREAM_PROTOCOL, {
      headers,
      ...this.#tls,
      maxPayload: MAX_RELAYED_BYTES,
      perMessageDeflate: false,
    });
    this.#socket = socket;
    socket.on("message", (data: Buffer, isBinary) => {
      if (this.#socket !== socket) return;
      // Something else than the peer may answer at its address. It is dialled again as if it had not answered.
      if (isBinary || !this.#take(data)) socket.terminate();
    });
    // Every error is followed by a close.
    socket.on("error", () => undefined);
    socket.on("close", () => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      this.#lost();
      this.#redial = this.#clock.setTimeout(() => this.#dial(), REDIAL_MS);
    });
  }

  /** Whether that was a message of an engine's stream. */
  #take(bytes: Buffer): boolean {
    const message = parseMessage(bytes.toString());
    if (message === null) return false;
    if (message.engine !== this.label) return true;
    this.#heardAtMs = this.#clock.monoMs();
    this.#reachable = true;
    switch (message.type) {
      case "hello":
        if (message.run !== this.#run) this.#ring.restart((message.events[0]?.seq ?? message.seq + 1) - 1, {});
        this.#run = message.run;
        this.#add(message.events);
        break;
      case "events":
        this.#add(message.events);
        break;
      case "snapshot":
        this.#ring.restart(message.seq, message.values);
        break;
      case "state":
        this.#state = bytes;
        this.#states += 1;
        break;
      case "gone":
        return true;
    }
    this.#onNews?.();
    return true;
  }

  #add(events: readonly Inspected[]): void {
    for (const event of events) {
      if (event.seq > this.#ring.lastSeq + 1) this.#ring.restart(event.seq - 1, this.#ring.values());
      if (event.seq > this.#ring.lastSeq) this.#ring.add(event);
    }
  }

  #lost(): void {
    if (!this.#reachable) return;
    this.#reachable = false;
    this.#onNews?.();
  }
}
