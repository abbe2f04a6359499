/**
 * Everybody who looks at the statecharts through this engine.
 * What there is to tell is told at the same moments to all, so that it is made once; with nobody looking nothing
 * runs.
 * It does not know tokens and paths; the HTTP surface has checked them.
 */
import type { WebSocket } from "ws";
import type { Clock, TimerHandle } from "../ports/basics.ts";
import {
  GATHER_MS,
  MAX_VIEWERS,
  STATE_EVERY_MS,
  MAX_EVENTS_PER_MESSAGE,
  type HelloMessage,
  type EventsMessage,
  type Source,
  type StreamMessage,
} from "./inspected.ts";
import type { OwnSource } from "./own-source.ts";
import type { PeerSource } from "./peer-source.ts";
import { readCursors, type Cursors } from "./event-ring.ts";

/** WebSocket close code "try again later". */
const TRY_AGAIN_LATER = 1013;

export class Viewers {
  readonly #clock: Clock;
  readonly #own: OwnSource;
  readonly #peer: PeerSource | null;
  readonly #alone: readonly SharedMessages[];
  readonly #both: readonly SharedMessages[];
  readonly #viewers = new Set<Viewer>();
  #ticking: TimerHandle | null = null;
  #gathering: TimerHandle | null = null;

  constructor(components: { readonly clock: Clock; readonly own: OwnSource; readonly peer: PeerSource | null }) {
    this.#clock = components.clock;
    this.#own = components.own;
    this.#peer = components.peer;
    this.#alone = [new SharedMessages(this.#own)];
    this.#both = this.#peer === null ? this.#alone : [...this.#alone, new SharedMessages(this.#peer)];
  }

  /** How many look on. */
  get count(): number {
    return this.#viewers.size;
  }

  /**
   * Takes over an open socket.
   *
   * @param query of the request: `after=RUN:SEQ` for each run that the viewer knows already, `only=own` for an engine
   * that wants nothing relayed
   */
  open(socket: WebSocket, query: URLSearchParams): void {
    if (this.#viewers.size >= MAX_VIEWERS) {
      socket.close(TRY_AGAIN_LATER, "too many viewers");
      return;
    }
    const engines = query.get("only") === "own" ? this.#alone : this.#both;
    const viewer = new Viewer({ socket, engines, resumed: readCursors(query) });
    if (this.#viewers.size === 0) this.#begin();
    this.#viewers.add(viewer);
    if (viewer.hasPeer) this.#peer?.open(() => this.#soon());
    socket.on("close", () => this.#leave(viewer));
    viewer.pump();
  }

  /** Stops everything. Idempotent. The sockets belong to the HTTP surface. */
  close(): void {
    this.#viewers.clear();
    this.#end();
  }

  #leave(viewer: Viewer): void {
    this.#viewers.delete(viewer);
    if (![...this.#viewers].some(({ hasPeer }) => hasPeer)) this.#peer?.close();
    if (this.#viewers.size === 0) this.#end();
  }

  #begin(): void {
    this.#own.open(() => this.#soon());
    this.#tick();
  }

  #end(): void {
    for (const timer of [this.#ticking, this.#gathering]) if (timer !== null) this.#clock.clearTimeout(timer);
    this.#ticking = null;
    this.#gathering = null;
    this.#own.close();
    this.#peer?.close();
  }

  #tick(): void {
    this.#own.renew();
    this.#peer?.listen();
    this.#pump();
    this.#ticking = this.#clock.setTimeout(() => this.#tick(), untilNextState(this.#clock.unixMs()));
  }

  #soon(): void {
    this.#gathering ??= this.#clock.setTimeout(() => {
      this.#gathering = null;
      this.#pump();
    }, GATHER_MS);
  }

  #pump(): void {
    for (const viewer of this.#viewers) viewer.pump();
  }
}

/**
 * Both engines look at the same instants of the wall clock, so that what they tell of themselves can be compared. A timer
 * that fires a little early is not followed by one that fires at once.
 */
function untilNextState(unixMs: number): number {
  const waitMs = STATE_EVERY_MS - (unixMs % STATE_EVERY_MS);
  return waitMs < STATE_EVERY_MS / 4 ? waitMs + STATE_EVERY_MS : waitMs;
}

// One viewer: how far it is with each engine, and what it is to hear next. One message is under way at a time; what it
// has not read yet stays in the ring, where it costs nothing more; when the ring has gone past it, it gets a snapshot
// in place of what it missed. [a viewer can never slow the engine]

export interface ViewerInit {
  readonly socket: WebSocket;
  /** The engine that tells first, then what it relays. */
  readonly engines: readonly SharedMessages[];
  /** What it knows already. */
  readonly resumed: Cursors;
}

/** How far the viewer is with one engine. */
interface Progress {
  run: string | null;
  seq: number;
  states: number;
  reachable: boolean;
}

/** The bytes are text already. */
const AS_TEXT = { binary: false };

export class Viewer {
  readonly #socket: WebSocket;
  readonly #engines: readonly SharedMessages[];
  readonly #resumed: Cursors;
  readonly #progress = new Map<SharedMessages, Progress>();
  #isSending = false;

  constructor({ socket, engines, resumed }: ViewerInit) {
    this.#socket = socket;
    this.#engines = engines;
    this.#resumed = resumed;
  }

  /** Whether it is shown more than the engine it has asked. */
  get hasPeer(): boolean {
    return this.#engines.length > 1;
  }

  /** Tells what is to be told, one message after the other. */
  pump(): void {
    if (this.#isSending || this.#socket.readyState !== this.#socket.OPEN) return;
    const bytes = this.#next();
    if (bytes === null) return;
    this.#isSending = true;
    this.#socket.send(bytes, AS_TEXT, () => {
      this.#isSending = false;
      this.pump();
    });
  }

  /** Events of any engine come before states. */
  #next(): Uint8Array | null {
    for (const engine of this.#engines) {
      const bytes = this.#nextEvents(engine);
      if (bytes !== null) return bytes;
    }
    for (const engine of this.#engines) {
      const progress = this.#progress.get(engine);
      const { states, reachable } = engine.source;
      if (progress === undefined || progress.states === states || !reachable) continue;
      progress.states = states;
      const bytes = engine.source.stateBytes();
      if (bytes !== null) return bytes;
    }
    return null;
  }

  #nextEvents(engine: SharedMessages): Buffer | null {
    const { label, run, lastSeq, firstSeq, reachable } = engine.source;
    if (run === null) return null;
    const progress = this.#progress.get(engine);
    if (progress?.run !== run) return this.#hello(engine, run);
    if (progress.reachable !== reachable) {
      progress.reachable = reachable;
      if (!reachable) return bytesOf({ type: "gone", engine: label });
    }
    if (progress.seq >= lastSeq) return null;
    if (progress.seq < firstSeq - 1) {
      const missed = lastSeq - progress.seq;
      progress.seq = lastSeq;
      return bytesOf({ type: "snapshot", engine: label, seq: lastSeq, missed, values: engine.source.values() });
    }
    const told = engine.events(progress.seq);
    progress.seq = told.lastSeq;
    return told.bytes;
  }

  #hello(engine: SharedMessages, run: string): Buffer {
    const { source } = engine;
    const { label, firstSeq, lastSeq } = source;
    const known = Math.min(this.#resumed.get(run) ?? 0, lastSeq);
    const events = source.after(Math.max(known, firstSeq - 1), MAX_EVENTS_PER_MESSAGE);
    this.#progress.set(engine, { run, seq: events.at(-1)?.seq ?? lastSeq, states: -1, reachable: true });
    const hello: HelloMessage = { type: "hello", engine: label, run, seq: lastSeq, values: source.values(), events };
    return bytesOf(hello);
  }
}

// What is told of one engine, in the form in which it goes over the line, made once for all who look on. Viewers that
// are equally far get the very same bytes; of events only the newest message is kept.

/** Some of the events, from the one after `after` to that of `lastSeq`. */
interface Told {
  readonly run: string | null;
  readonly after: number;
  readonly lastSeq: number;
  readonly bytes: Buffer;
}

export class SharedMessages {
  readonly source: Source;
  #told: Told | null = null;

  constructor(source: Source) {
    this.source = source;
  }

  /** The next events after `after`, of which there are some in the ring. */
  events(after: number): { readonly lastSeq: number; readonly bytes: Buffer } {
    const { run, label: engine, lastSeq: newest } = this.source;
    const until = Math.min(newest, after + MAX_EVENTS_PER_MESSAGE);
    const told = this.#told;
    if (told?.run === run && told.after === after && told.lastSeq === until) return told;
    const message: EventsMessage = { type: "events", engine, events: this.source.after(after, MAX_EVENTS_PER_MESSAGE) };
    const fresh = { run, after, lastSeq: until, bytes: bytesOf(message) };
    this.#told = fresh;
    return fresh;
  }
}

export function bytesOf(message: StreamMessage): Buffer {
  return Buffer.from(JSON.stringify(message));
}
