/**
 * Purpose: one viewer: how far it is with each engine, and what it is to hear next.
 * Keeps true: one message is under way at a time; what it has not read yet stays in the ring, where it costs nothing more;
 * when the ring has gone past it, it gets a snapshot in place of what it missed. [a viewer can never slow the engine]
 */
import type { WebSocket } from "ws";
import { MAX_EVENTS_PER_MESSAGE } from "./bounds.ts";
import type { HelloMessage } from "./inspected.ts";
import type { Cursors } from "./resume.ts";
import { bytesOf, type SharedMessages } from "./shared-messages.ts";

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
