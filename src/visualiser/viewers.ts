/**
 * Purpose: tells viewers what the statecharts do, each at its own pace.
 * Keeps true: a viewer has one message under way at a time; what it has not read yet stays in the ring, where it costs
 * nothing more; when the ring has gone past it, it gets a snapshot in place of what it missed. With nobody looking
 * nothing runs. [a viewer can never slow the engine]
 * Does not know: tokens and paths; the HTTP surface has checked them.
 */
import type { WebSocket } from "ws";
import type { Clock, TimerHandle } from "../ports/clock.ts";
import { GATHER_MS, MAX_EVENTS_PER_MESSAGE, MAX_VIEWERS, STATE_EVERY_MS } from "./bounds.ts";
import type { Source, StreamMessage } from "./inspected.ts";
import type { OwnSource } from "./own-source.ts";
import type { PeerSource } from "./peer-source.ts";
import { type Cursors, readCursors } from "./resume.ts";

/** WebSocket close code "try again later". */
const TRY_AGAIN_LATER = 1013;

/** How far one viewer is with one engine. */
interface Progress {
  run: string | null;
  seq: number;
  states: number;
  told: boolean;
}

interface Viewer {
  readonly socket: WebSocket;
  readonly sources: readonly Source[];
  readonly resumed: Cursors;
  readonly progress: Map<Source, Progress>;
  isSending: boolean;
}

export class Viewers {
  readonly #clock: Clock;
  readonly #own: OwnSource;
  readonly #peer: PeerSource | null;
  readonly #viewers = new Set<Viewer>();
  #states = 0;
  #ticking: TimerHandle | null = null;
  #gathering: TimerHandle | null = null;

  constructor(components: { readonly clock: Clock; readonly own: OwnSource; readonly peer: PeerSource | null }) {
    this.#clock = components.clock;
    this.#own = components.own;
    this.#peer = components.peer;
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
    const peers = this.#peer === null || query.get("only") === "own" ? [] : [this.#peer];
    const viewer: Viewer = {
      socket,
      sources: [this.#own, ...peers],
      resumed: readCursors(query),
      progress: new Map(),
      isSending: false,
    };
    if (this.#viewers.size === 0) this.#begin();
    this.#viewers.add(viewer);
    if (peers.length > 0) this.#peer?.open(() => this.#soon());
    socket.on("close", () => this.#leave(viewer));
    this.#pump(viewer);
  }

  /** Stops everything. Idempotent. The sockets belong to the HTTP surface. */
  close(): void {
    this.#viewers.clear();
    this.#end();
  }

  #leave(viewer: Viewer): void {
    this.#viewers.delete(viewer);
    if (![...this.#viewers].some(({ sources }) => sources.length > 1)) this.#peer?.close();
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
    this.#states += 1;
    this.#own.renew();
    this.#peer?.listen();
    for (const viewer of this.#viewers) this.#pump(viewer);
    this.#ticking = this.#clock.setTimeout(() => this.#tick(), STATE_EVERY_MS);
  }

  #soon(): void {
    this.#gathering ??= this.#clock.setTimeout(() => {
      this.#gathering = null;
      for (const viewer of this.#viewers) this.#pump(viewer);
    }, GATHER_MS);
  }

  #pump(viewer: Viewer): void {
    const { socket } = viewer;
    if (viewer.isSending || socket.readyState !== socket.OPEN) return;
    const text = this.#next(viewer);
    if (text === null) return;
    viewer.isSending = true;
    socket.send(text, () => {
      viewer.isSending = false;
      if (this.#viewers.has(viewer)) this.#pump(viewer);
    });
  }

  /** What the viewer is to hear now; events of any engine come before states. */
  #next(viewer: Viewer): string | null {
    for (const source of viewer.sources) {
      const message = nextEvents(viewer, source);
      if (message !== null) return JSON.stringify(message);
    }
    for (const source of viewer.sources) {
      const progress = viewer.progress.get(source);
      if (progress === undefined || progress.states === this.#states || !source.reachable) continue;
      progress.states = this.#states;
      const text = source.stateText();
      if (text !== null) return text;
    }
    return null;
  }
}

function nextEvents(viewer: Viewer, source: Source): StreamMessage | null {
  const { label: engine, run, lastSeq } = source;
  if (run === null) return null;
  const progress = viewer.progress.get(source);
  if (progress?.run !== run) return hello(viewer, source, run);
  if (progress.told !== source.reachable) {
    progress.told = source.reachable;
    if (!source.reachable) return { type: "gone", engine };
  }
  if (progress.seq >= lastSeq) return null;
  if (progress.seq < source.firstSeq - 1) {
    const missed = lastSeq - progress.seq;
    progress.seq = lastSeq;
    return { type: "snapshot", engine, seq: lastSeq, missed, values: source.values() };
  }
  const events = source.after(progress.seq, MAX_EVENTS_PER_MESSAGE);
  progress.seq = events.at(-1)?.seq ?? lastSeq;
  return { type: "events", engine, events };
}

function hello(viewer: Viewer, source: Source, run: string): StreamMessage {
  const { label: engine, firstSeq, lastSeq } = source;
  const known = Math.min(viewer.resumed.get(run) ?? 0, lastSeq);
  const events = source.after(Math.max(known, firstSeq - 1), MAX_EVENTS_PER_MESSAGE);
  viewer.progress.set(source, { run, seq: events.at(-1)?.seq ?? lastSeq, states: -1, told: true });
  return { type: "hello", engine, run, seq: lastSeq, values: source.values(), events };
}
