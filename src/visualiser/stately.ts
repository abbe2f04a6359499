/**
 * Tells of the statecharts in the shapes of `@statelyai/inspect`, so that Stately's inspector, or any program
 * that understands it, can be attached to a running pair.
 * What it tells is what viewers hear, nothing more; one actor per statechart and run.
 * Source of the shapes: `StatelyInspectionEvent` of `@statelyai/inspect` 0.7.
 */
import { actorTree } from "../../machines/index.ts";
import type { Json } from "../core/canonical-json.ts";
import type { Label } from "../core/ids.ts";
import type { Inspected, StreamMessage, Values } from "./inspected.ts";

/** An event as `@statelyai/inspect` sends it. */
export interface StatelyEvent {
  readonly type: "@xstate.actor" | "@xstate.event" | "@xstate.snapshot";
  readonly name?: string;
  readonly sessionId: string;
  readonly rootId: string;
  readonly createdAt: string;
  readonly id: string;
  readonly _version: string;
  readonly event?: { readonly type: string };
  readonly sourceId?: undefined;
  readonly parentId?: string;
  readonly definition?: string;
  readonly snapshot?: { readonly status: "active"; readonly value: Json; readonly context: object };
}

const VERSION = "0.7.2";

/** Makes Stately's events of the stream's messages. `definitions`: XState's JSON form of each statechart, by name. */
export class StatelyAdapter {
  readonly #definitions: Readonly<Record<string, Json>>;
  /** Which chart starts which. */
  readonly #parents = new Map<string, string | null>(actorTree().map(({ name, parent }) => [name, parent]));
  readonly #runs = new Map<Label, string>();
  #told = 0;

  constructor(definitions: Readonly<Record<string, Json>>) {
    this.#definitions = definitions;
  }

  /** The events that a message of the stream stands for; none for states of the pair. */
  translate(message: StreamMessage, nowUnixMs: number): StatelyEvent[] {
    switch (message.type) {
      case "hello":
        if (this.#runs.get(message.engine) === message.run) return this.#happened(message.engine, message.events);
        this.#runs.set(message.engine, message.run);
        return this.#actors(message.engine, message.values, nowUnixMs);
      case "events":
        return this.#happened(message.engine, message.events);
      case "snapshot":
        return this.#actors(message.engine, message.values, nowUnixMs);
      case "state":
      case "gone":
        return [];
    }
  }

  #actors(engine: Label, values: Values, atUnixMs: number): StatelyEvent[] {
    return Object.entries(values).map(([machine, value]) => ({
      ...this.#base("@xstate.actor", engine, machine, atUnixMs),
      name: `${engine} ${machine}`,
      ...this.#parent(engine, machine),
      definition: JSON.stringify(this.#definitions[machine] ?? {}),
      snapshot: snapshotOf(value),
    }));
  }

  #happened(engine: Label, events: readonly Inspected[]): StatelyEvent[] {
    return events.flatMap(({ machine, event, atUnixMs, to }) => [
      { ...this.#base("@xstate.event", engine, machine, atUnixMs), event: { type: event } },
      {
        ...this.#base("@xstate.snapshot", engine, machine, atUnixMs),
        event: { type: event },
        snapshot: snapshotOf(to),
      },
    ]);
  }

  #parent(engine: Label, machine: string): Pick<StatelyEvent, "parentId"> {
    const parent = this.#parents.get(machine) ?? null;
    return parent === null ? {} : { parentId: this.#session(engine, parent) };
  }

  #session(engine: Label, machine: string): string {
    return `${this.#runs.get(engine) ?? engine}:${machine}`;
  }

  #root(machine: string): string {
    const parent = this.#parents.get(machine) ?? null;
    return parent === null ? machine : this.#root(parent);
  }

  #base(type: StatelyEvent["type"], engine: Label, machine: string, atUnixMs: number) {
    const sessionId = this.#session(engine, machine);
    const rootId = this.#session(engine, this.#root(machine));
    this.#told += 1;
    const createdAt = String(Math.round(atUnixMs));
    return { type, sessionId, rootId, createdAt, id: String(this.#told), _version: VERSION } as const;
  }
}

function snapshotOf(value: Json): NonNullable<StatelyEvent["snapshot"]> {
  return { status: "active", value, context: {} };
}
