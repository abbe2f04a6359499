/**
 * Purpose: what happened, step by step: a running hash that tells two histories apart, and, when someone listens, every
 * step as a line.
 * Keeps true: two runs with equal hashes took the same steps in the same order at the same true times.
 * Source of the hash: FNV-1a, two lanes of 32 bits with different bases.
 */

/** One step, as it is written to a trace file (one JSON object a line). */
export interface TraceLine {
  /** True time, ms. */
  readonly atMs: number;
  /** `a`, `b`, `world`, `witness`, or the name of a client. */
  readonly who: string;
  readonly what: string;
  readonly detail: string;
}

/** Gets every line of a run. */
export type TraceSink = (line: TraceLine) => void;

/** What a step is told with: a text, or a way to make one that costs nothing unless someone listens. */
export type Detail = string | (() => string);

/** The trace of one run. */
export class Trace {
  readonly #sink: TraceSink | null;
  readonly #time = new Float64Array(1);
  readonly #timeBits = new Uint32Array(this.#time.buffer);
  readonly #words = new Map<string, number>();
  #laneA = 0x811c9dc5;
  #laneB = 0x01000193;
  #steps = 0;

  constructor(sink: TraceSink | null) {
    this.#sink = sink;
  }

  /** Whether lines are wanted, for callers whose details are costly. */
  get listening(): boolean {
    return this.#sink !== null;
  }

  get steps(): number {
    return this.#steps;
  }

  /** Notes a step. `value` is the number that tells it from others of its kind (an epoch, a seq); it goes into the hash. */
  note(atMs: number, who: string, what: string, value = 0, detail: Detail = ""): void {
    this.#steps += 1;
    this.#time[0] = atMs;
    this.#mix(this.#timeBits[0] as number);
    this.#mix(this.#timeBits[1] as number);
    this.#mix(this.#word(who));
    this.#mix(this.#word(what));
    this.#time[0] = value;
    this.#mix(this.#timeBits[0] as number);
    this.#mix(this.#timeBits[1] as number);
    this.#sink?.({ atMs: round(atMs), who, what, detail: typeof detail === "string" ? detail : detail() });
  }

  /** Tells a listener more without any bearing on the hash: log lines, statechart transitions. */
  aside(atMs: number, who: string, what: string, detail: string): void {
    this.#sink?.({ atMs: round(atMs), who, what, detail });
  }

  /** 16 hexadecimal characters. */
  hash(): string {
    return hex(this.#laneA) + hex(this.#laneB);
  }

  #mix(word: number): void {
    this.#laneA = Math.imul(this.#laneA ^ word, 0x01000193);
    this.#laneA ^= this.#laneA >>> 15;
    this.#laneB = Math.imul(this.#laneB ^ word, 0x85ebca6b);
    this.#laneB ^= this.#laneB >>> 13;
  }

  #word(text: string): number {
    const known = this.#words.get(text);
    if (known !== undefined) return known;
    let hash = 0x811c9dc5;
    for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
    this.#words.set(text, hash >>> 0);
    return hash >>> 0;
  }
}

/** One hash over the traces of a sweep, run by run: `sweep` is the hash so far, "" at the beginning. */
export function sweepHash(sweep: string, runHash: string): string {
  const trace = new Trace(null);
  trace.note(0, sweep, runHash);
  return trace.hash();
}

function hex(lane: number): string {
  return (lane >>> 0).toString(16).padStart(8, "0");
}

function round(atMs: number): number {
  return Math.round(atMs * 1_000) / 1_000;
}
