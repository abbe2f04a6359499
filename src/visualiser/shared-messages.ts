/**
 * Purpose: what is told of one engine, in the form in which it goes over the line, made once for all who look on.
 * Keeps true: viewers that are equally far get the very same bytes; of events only the newest message is kept.
 */
import { MAX_EVENTS_PER_MESSAGE } from "./bounds.ts";
import type { EventsMessage, Source, StreamMessage } from "./inspected.ts";

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
