/**
 * Makes a simulator's trace into what the stream of two real engines would have told.
 * Times are those of the virtual world, from zero; a process that began again begins a new run.
 */
import type { Json } from "../core/canonical-json.ts";
import type { Label } from "../core/ids.ts";
import { MAX_EVENTS_PER_MESSAGE, type Inspected, type StreamMessage, type TraceFile, eventName } from "./inspected.ts";

/** The first line of a simulator's trace. */
export interface SimulationHeader {
  readonly seed: number;
  readonly policy: string;
}

/** Any other line. Statecharts tell `chart NAME` with event and value as JSON in `detail`. */
export interface SimulationLine {
  readonly atMs: number;
  readonly who: string;
  readonly what: string;
  readonly detail: string;
}

const CHART = "chart ";

export function isSimulationHeader(value: unknown): value is SimulationHeader {
  const { seed, policy } = (value ?? {}) as Partial<SimulationHeader>;
  return typeof seed === "number" && typeof policy === "string";
}

export function fromSimulation({ seed, policy }: SimulationHeader, lines: readonly SimulationLine[]): TraceFile {
  const engines = { a: new SimulatedEngine("a"), b: new SimulatedEngine("b") };
  const messages: StreamMessage[] = [];
  for (const line of lines) {
    // The trace of the next run of the same file.
    if (isSimulationHeader(line)) break;
    if (line.who === "a" || line.who === "b") messages.push(...engines[line.who].take(line));
  }
  messages.push(...engines.a.rest(), ...engines.b.rest());
  const title = `simulated, seed ${seed}, policy ${policy}`;
  return { header: { type: "changeover-trace", version: 1, origin: "simulated", title }, messages };
}

class SimulatedEngine {
  readonly #label: Label;
  readonly #values = new Map<string, Json>();
  #life = 0;
  #seq = 0;
  #waiting: Inspected[] = [];

  constructor(label: Label) {
    this.#label = label;
  }

  /** The messages that this line completes. */
  take({ atMs, what, detail }: SimulationLine): StreamMessage[] {
    if (what === "boot") return this.#boot();
    if (!what.startsWith(CHART)) return [];
    const machine = what.slice(CHART.length);
    const { event, value } = JSON.parse(detail) as { event: { type: string; epoch?: number }; value: Json };
    const from = this.#values.get(machine);
    const unchanged = JSON.stringify(from) === JSON.stringify(value);
    const type = from === undefined ? "snapshot" : unchanged ? "event" : "transition";
    this.#values.set(machine, value);
    this.#seq += 1;
    this.#waiting.push({
      ...{ seq: this.#seq, atUnixMs: atMs, machine, type, event: eventName(event.type), to: value },
      ...(event.epoch === undefined ? {} : { epoch: event.epoch }),
      ...(from === undefined ? {} : { from }),
    });
    return this.#waiting.length < MAX_EVENTS_PER_MESSAGE ? [] : this.rest();
  }

  /** What has not been told yet. */
  rest(): StreamMessage[] {
    const events = this.#waiting;
    this.#waiting = [];
    return events.length === 0 ? [] : [{ type: "events", engine: this.#label, events }];
  }

  #boot(): StreamMessage[] {
    const before = this.rest();
    this.#life += 1;
    this.#seq = 0;
    this.#values.clear();
    const run = `${this.#label}-life-${this.#life}`;
    return [...before, { type: "hello", engine: this.#label, run, seq: 0, values: {}, events: [] }];
  }
}
