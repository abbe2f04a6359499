/**
 * The last inspection events of one run, and where each statechart stands after them.
 * The seqs in it are contiguous; it never holds more than its bound; adding one is O(1).
 */
import type { Json } from "../core/canonical-json.ts";
import type { Inspected, Values } from "./inspected.ts";

export class EventRing {
  readonly #most: number;
  readonly #slots: Inspected[] = [];
  readonly #values = new Map<string, Json>();
  #firstSeq = 1;
  #lastSeq = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Seq of the oldest that is kept; one above `lastSeq` when there is none. */
  get firstSeq(): number {
    return this.#firstSeq;
  }

  get lastSeq(): number {
    return this.#lastSeq;
  }

  values(): Values {
    return Object.fromEntries(this.#values);
  }

  valueOf(machine: string): Json | undefined {
    return this.#values.get(machine);
  }

  /** Adds the next one; its seq is `lastSeq + 1`. */
  add(entry: Inspected): void {
    this.#lastSeq = entry.seq;
    this.#slots[entry.seq % this.#most] = entry;
    if (this.#lastSeq - this.#firstSeq >= this.#most) this.#firstSeq += 1;
    this.#values.set(entry.machine, entry.to);
  }

  /** The events after `seq`, oldest first, at most `most`. */
  after(seq: number, most: number): readonly Inspected[] {
    const events: Inspected[] = [];
    const from = Math.max(seq + 1, this.#firstSeq);
    for (let at = from; at <= Math.min(this.#lastSeq, from + most - 1); at += 1) {
      const entry = this.#slots[at % this.#most];
      if (entry !== undefined) events.push(entry);
    }
    return events;
  }

  /** Forgets everything: what follows begins after `seq`, from `values`. */
  restart(seq: number, values: Values): void {
    this.#slots.length = 0;
    this.#values.clear();
    for (const [machine, value] of Object.entries(values)) this.#values.set(machine, value);
    this.#firstSeq = seq + 1;
    this.#lastSeq = seq;
  }
}

// How a viewer that was cut off says what it has already, in the query of its request.

/** Last seq that is known of each run. */
export type Cursors = ReadonlyMap<string, number>;

/** Runs that one viewer may name: the present and the last few of two engines. */
const MAX_CURSORS = 16;

/** Reads `after=RUN:SEQ`, as often as it stands there; what makes no sense is passed over. */
export function readCursors(query: URLSearchParams): Cursors {
  const cursors = new Map<string, number>();
  for (const text of query.getAll("after").slice(0, MAX_CURSORS)) {
    const [, run, seq] = /^([a-z0-9-]{1,64}):(\d{1,15})$/.exec(text) ?? [];
    if (run !== undefined && seq !== undefined) cursors.set(run, Number(seq));
  }
  return cursors;
}

/** The query for a viewer that knows `cursors`, with its question mark; empty when it knows nothing. */
export function resumeQuery(cursors: Cursors): string {
  const parts = [...cursors].map(([run, seq]) => `after=${encodeURIComponent(`${run}:${seq}`)}`);
  return parts.length === 0 ? "" : `?${parts.slice(-MAX_CURSORS).join("&")}`;
}
