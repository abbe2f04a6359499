/**
 * Purpose: the last inspection events of one run, and where each statechart stands after them.
 * Keeps true: the seqs in it are contiguous; it never holds more than its bound; adding one is O(1).
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
