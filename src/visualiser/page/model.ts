/**
 * Everything that the page knows of both engines, from the stream or from a file.
 * What is kept is bounded, so that a page that stays open does not grow; the past is never rewritten.
 */
import type { Json } from "../../core/canonical-json.ts";
import { findFork } from "../../core/fork.ts";
import { otherLabel, type Label } from "../../core/ids.ts";
import { isOnAir, type LastOnAir } from "./on-air.ts";
import type { Inspected, StateMessage, StreamMessage, Values } from "../inspected.ts";

/** Entries that are kept of one engine. */
const MAX_ENTRIES = 10_000;
/** States that are kept for looking back, one a second. */
const MAX_STATES = 900;
const STATE_EVERY_MS = 1_000;
/** Two looks that are no farther apart are of the same moment. */
const SAME_MOMENT_MS = 60;
/** Looks at the heartbeat that the strip shows: 30 s. */
export const STRIP_SAMPLES = 150;

/** One look at the heartbeat. */
export interface HeartSample {
  readonly roundTripMs: number | null;
  readonly lastHeardMs: number | null;
}

/** One engine at one moment. */
export interface EngineAt {
  readonly label: Label;
  readonly known: boolean;
  readonly reachable: boolean;
  /** Its last word was before the other one came on air: what it said of itself may not hold any more. */
  readonly outdated: boolean;
  readonly values: Values;
  readonly state: StateMessage | null;
  /** Commands that it has more than the other one, at one and the same moment; null: not known. */
  readonly gap: number | null;
  /** Commands that only this engine holds since the two logs parted; null: they have not parted, or it is not known. */
  readonly divergent: number | null;
  readonly last: Readonly<Record<string, Inspected>>;
  readonly heart: readonly HeartSample[];
}

class EngineModel {
  run: string | null = null;
  /** Seq of the last event of this run that is known. */
  lastSeq = 0;
  reachable = false;
  /** Which message of all was its last state, and with which it came on air. */
  heardAt = 0;
  onAirAt = 0;
  entries: Inspected[] = [];
  values: Record<string, Json> = {};
  last: Record<string, Inspected> = {};
  states: StateMessage[] = [];
  state: StateMessage | null = null;
  before: StateMessage | null = null;
  heart: HeartSample[] = [];
}

export class Model {
  readonly #engines: Readonly<Record<Label, EngineModel>> = { a: new EngineModel(), b: new EngineModel() };
  #lastOnAir: LastOnAir | null = null;
  readonly #listeners = new Set<() => void>();
  #told = 0;

  /** Calls `listener` after each change until the returned function is called. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Last seq of each run, for coming back without a gap. */
  cursors(): ReadonlyMap<string, number> {
    const known = Object.values(this.#engines).filter(({ run }) => run !== null);
    return new Map(known.map(({ run, lastSeq }) => [run ?? "", lastSeq]));
  }

  apply(message: StreamMessage): void {
    const engine = this.#engines[message.engine];
    this.#told += 1;
    engine.reachable = message.type !== "gone";
    switch (message.type) {
      case "hello":
        if (message.run !== engine.run) Object.assign(engine, { run: message.run, lastSeq: 0, values: {}, last: {} });
        addAll(engine, message.events);
        break;
      case "events":
        addAll(engine, message.events);
        break;
      case "snapshot":
        Object.assign(engine, { lastSeq: message.seq, values: { ...message.values }, last: {} });
        break;
      case "state":
        addState(engine, message, this.#told);
        break;
      case "gone":
        break;
    }
    this.#noteOnAir();
    this.changed();
  }

  get lastOnAir(): LastOnAir | null {
    return this.#lastOnAir;
  }

  #noteOnAir(): void {
    const onAir = (["a", "b"] as const).find((label) => isOnAir(this.live(label), true));
    if (onAir !== undefined) this.#lastOnAir = { label: onAir, atMs: Date.now() };
  }

  /** One engine cannot be heard any more. */
  gone(label: Label): void {
    this.apply({ type: "gone", engine: label });
  }

  /** The stream itself has broken off: nothing is known to be reachable. */
  lost(): void {
    for (const engine of Object.values(this.#engines)) engine.reachable = false;
    this.changed();
  }

  changed(): void {
    for (const listener of this.#listeners) listener();
  }

  /** First and last moment of which anything is known, unix ms; null: nothing yet. */
  span(): { readonly fromMs: number; readonly toMs: number } | null {
    const all = Object.values(this.#engines);
    const firsts = all.flatMap(({ entries }) => entries.slice(0, 1));
    const lasts = all.flatMap(({ entries, states }) => [entries.at(-1), states.at(-1)]);
    const times = [...firsts, ...lasts].flatMap((one) => (one === undefined ? [] : [one.atUnixMs]));
    return firsts.length === 0 ? null : { fromMs: Math.min(...times), toMs: Math.max(...times) };
  }

  /** Every entry of both engines up to a moment, newest first, at most `most`. */
  entriesUpTo(atMs: number, most: number): (Inspected & { readonly engine: Label })[] {
    const labels: Label[] = ["a", "b"];
    const found = labels.flatMap((engine) => {
      const { entries } = this.#engines[engine];
      return entries
        .slice(Math.max(0, countUpTo(entries, atMs) - most), countUpTo(entries, atMs))
        .map((entry) => ({ ...entry, engine }));
    });
    return found.sort((one, other) => other.atUnixMs - one.atUnixMs || other.seq - one.seq).slice(0, most);
  }

  /** The moment of the next or previous change of state, seen from `atMs`. */
  stepFrom(atMs: number, direction: 1 | -1): number | null {
    const times = Object.values(this.#engines).flatMap(({ entries }) => {
      const changes = entries.filter(({ type }) => type === "transition");
      const before = countUpTo(changes, direction === 1 ? atMs : atMs - 0.001);
      const next = changes[direction === 1 ? before : before - 1];
      return next === undefined ? [] : [next.atUnixMs];
    });
    if (times.length === 0) return null;
    return direction === 1 ? Math.min(...times) : Math.max(...times);
  }

  live(label: Label): EngineAt {
    const { run, reachable, values, state, last, heart, heardAt } = this.#engines[label];
    const other = this.#engines[otherLabel(label)];
    const outdated = heardAt < other.onAirAt;
    const { gap, divergent } = compareLogs(this.#engines[label], other);
    return { label, known: run !== null, reachable, outdated, values, state, gap, divergent, last, heart };
  }

  /** One engine as it was. */
  at(label: Label, atMs: number): EngineAt {
    const { run, entries, states } = this.#engines[label];
    const values: Record<string, Json> = {};
    const last: Record<string, Inspected> = {};
    const until = countUpTo(entries, atMs);
    // What is older than the ring is known by where the first change of each statechart came from.
    for (const entry of entries) if (!(entry.machine in values)) values[entry.machine] = entry.from ?? entry.to;
    for (let index = 0; index < until; index += 1) {
      const entry = entries[index] as Inspected;
      values[entry.machine] = entry.to;
      last[entry.machine] = entry;
    }
    const state = states[countUpTo(states, atMs) - 1] ?? null;
    const known = run !== null;
    const unknown = { gap: null, divergent: null, heart: [] };
    return { label, known, reachable: true, outdated: false, values, state, last, ...unknown };
  }
}

function addAll(engine: EngineModel, entries: readonly Inspected[]): void {
  for (const entry of entries) {
    // Two engines tell the same: what is known already is not told again.
    if (entry.seq <= engine.lastSeq) continue;
    engine.lastSeq = entry.seq;
    engine.entries.push(entry);
    engine.values = { ...engine.values, [entry.machine]: entry.to };
    engine.last = { ...engine.last, [entry.machine]: entry };
  }
  if (engine.entries.length > MAX_ENTRIES * 1.1) engine.entries = engine.entries.slice(-MAX_ENTRIES);
}

function addState(engine: EngineModel, message: StateMessage, told: number): void {
  engine.heardAt = told;
  if (!message.state.mayAct) engine.onAirAt = 0;
  else if (engine.state?.state.mayAct !== true) engine.onAirAt = told;
  engine.before = engine.state;
  engine.state = message;
  const newest = engine.states.at(-1);
  if (newest === undefined || message.atUnixMs - newest.atUnixMs >= STATE_EVERY_MS) engine.states.push(message);
  if (engine.states.length > MAX_STATES) engine.states.shift();
  const { roundTripMs, lastHeardMs } = message.state.peer;
  engine.heart = [...engine.heart.slice(1 - STRIP_SAMPLES), { roundTripMs, lastHeardMs }];
}

/** Compares both logs at one moment; what the engines saw at different ones is not compared. */
function compareLogs(own: EngineModel, other: EngineModel): Pick<EngineAt, "gap" | "divergent"> {
  for (const mine of [own.state, own.before]) {
    for (const theirs of [other.state, other.before]) {
      if (mine === null || theirs === null || Math.abs(mine.atUnixMs - theirs.atUnixMs) > SAME_MOMENT_MS) continue;
      const [ours, others] = [mine.state.lastCommandSeq, theirs.state.lastCommandSeq];
      const fork = findFork(mine.logRuns ?? [], theirs.logRuns ?? []);
      const haveParted = fork > 0 && fork < Math.min(ours, others);
      return { gap: ours - others, divergent: haveParted ? ours - fork : null };
    }
  }
  return { gap: null, divergent: null };
}

/** How many of a list that is in order of time are not after a moment. */
function countUpTo(list: readonly { readonly atUnixMs: number }[], atMs: number): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((list[middle] as { atUnixMs: number }).atUnixMs <= atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
