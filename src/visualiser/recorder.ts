/**
 * Listens to XState's own inspection events of every statechart, reduces them to what is shown, and keeps the
 * last ones.
 * Without viewers only changes of state are noted; what an event carries is never kept.
 */
import type { AnyActorRef, InspectionEvent } from "xstate";
import type { Json } from "../core/canonical-json.ts";
import type { Clock } from "../ports/basics.ts";
import { EventRing } from "./event-ring.ts";
import {
  MAX_RECORDED,
  type Inspected,
  type RunningDelay,
  type ShownActor,
  chartOf,
  delayIn,
  eventName,
  nameOf,
} from "./inspected.ts";

type Microstep = Extract<InspectionEvent, { type: "@xstate.microstep" }>;
type Snapshot = Extract<InspectionEvent, { type: "@xstate.snapshot" }>;
type Action = Extract<InspectionEvent, { type: "@xstate.action" }>;

/** What XState says of the actions that start a delay and end it. */
interface DelayParams {
  readonly id?: string;
  readonly sendId?: string;
  readonly delay?: number;
  readonly event?: { readonly type: string };
}

/** A delay that runs: when it began, and how long it is. Monotonic ms. */
interface Begun {
  readonly type: string;
  readonly atMs: number;
  readonly ofMs: number;
}

/** What every statechart is told first. */
const INIT = "xstate.init";

export class Recorder {
  readonly ring = new EventRing(MAX_RECORDED);
  readonly #clock: Pick<Clock, "unixMs" | "monoMs">;
  /** Events that change nothing are noted only while someone looks. */
  #inDetail = false;
  #onEntry: () => void = () => undefined;
  /** State values are compared by identity first: XState keeps the object of a state that did not change. */
  readonly #texts = new Map<string, string>();
  /** Statecharts whose change by the present event is noted already. What one does may move others in between. */
  readonly #changed = new Set<string>();
  /** The event that each statechart was last told in vain: told again at once, it is not noted again. */
  readonly #inVain = new Map<string, string>();
  /** Actors that no other has started. */
  readonly #roots = new Set<AnyActorRef>();
  /** The delays that run, by the id that XState gave each. */
  readonly #delays = new WeakMap<object, Map<string, Begun>>();

  constructor(clock: Pick<Clock, "unixMs" | "monoMs">) {
    this.#clock = clock;
  }

  /** Goes into the coordinator's option of the same name. */
  readonly inspect = (given: object): void => {
    const inspection = given as InspectionEvent;
    if (inspection.type === "@xstate.microstep") this.#step(inspection);
    else if (inspection.type === "@xstate.snapshot") this.#settled(inspection);
    else if (inspection.type === "@xstate.action") this.#acted(inspection);
    else if (inspection.type === "@xstate.event") this.#lapsed(inspection.actorRef, inspection.event.type);
    else if (inspection.type === "@xstate.actor") {
      const actor = inspection.actorRef as AnyActorRef;
      if (actor._parent === undefined) this.#roots.add(actor);
    }
  };

  /** What runs at this moment, with the delays of each: parents before their children. */
  actors(): readonly ShownActor[] {
    const nowMs = this.#clock.monoMs();
    const isActive = (actor: AnyActorRef): boolean => (actor.getSnapshot() as { status: string }).status === "active";
    const below = (actor: AnyActorRef, parent: string | null): ShownActor[] => {
      const { value = null, children = {} } = actor.getSnapshot() as { value?: Json; children?: Children };
      const name = shownName(actor);
      const shown = { name, parent, value, delays: this.#running(actor, nowMs) };
      const started = Object.values(children).filter((child) => child !== undefined && isActive(child));
      return [shown, ...started.flatMap((child) => below(child as AnyActorRef, name))];
    };
    for (const root of this.#roots) if (!isActive(root)) this.#roots.delete(root);
    return [...this.#roots].flatMap((root) => below(root, null));
  }

  /** From now on `onEntry` is called after each entry, and events that change nothing are noted too; null: no more. */
  watch(onEntry: (() => void) | null): void {
    this.#inDetail = onEntry !== null;
    this.#onEntry = onEntry ?? (() => undefined);
  }

  #step({ actorRef, snapshot, event, _transitions: transitions }: Microstep): void {
    const machine = machineOf(actorRef);
    const { value } = snapshot as { value?: Json };
    if (machine === null || value === undefined || event.type === INIT) return;
    const from = this.ring.valueOf(machine);
    const text = JSON.stringify(value);
    if (this.#texts.get(machine) === text) return;
    this.#texts.set(machine, text);
    this.#changed.add(machine);
    this.#inVain.delete(machine);
    const [taken] = transitions;
    const name = taken?.eventType === "" ? "always" : eventName(event.type);
    const guard = taken?.guard === undefined ? undefined : nameOf(taken.guard);
    this.#add({ machine, type: "transition", event: name, guard, epoch: epochIn(event), from, to: value });
  }

  #settled({ actorRef, snapshot, event }: Snapshot): void {
    const machine = machineOf(actorRef);
    const { value } = snapshot as { value?: Json };
    if (machine === null || value === undefined) return;
    const changed = this.#changed.delete(machine);
    if (event.type === INIT) {
      this.#texts.set(machine, JSON.stringify(value));
      this.#add({ machine, type: "snapshot", event: INIT, to: value });
    } else if (event.type.startsWith("xstate.after.")) {
      // A delay that led back to where it stood says nothing, and would hide what happened last.
    } else if (this.#inDetail && !changed && this.#inVain.get(machine) !== event.type) {
      this.#inVain.set(machine, event.type);
      this.#add({ machine, type: "event", event: eventName(event.type), epoch: epochIn(event), to: value });
    }
  }

  /** A delay is an event that a statechart raises for itself later. */
  #acted({ actorRef, action: { type, params } }: Action): void {
    if (type !== "xstate.raise" && type !== "xstate.cancel") return;
    const { id, sendId, delay, event } = (params ?? {}) as DelayParams;
    if (sendId !== undefined) this.#delays.get(actorRef)?.delete(sendId);
    if (id === undefined || delay === undefined || event === undefined) return;
    const running = this.#delays.get(actorRef) ?? new Map<string, Begun>();
    this.#delays.set(actorRef, running.set(id, { type: event.type, atMs: this.#clock.monoMs(), ofMs: delay }));
  }

  #lapsed(actorRef: object, type: string): void {
    if (!type.startsWith("xstate.after.")) return;
    const running = this.#delays.get(actorRef);
    for (const [id, begun] of running ?? []) if (begun.type === type) running?.delete(id);
  }

  #running(actor: AnyActorRef, nowMs: number): RunningDelay[] {
    return [...(this.#delays.get(actor)?.values() ?? [])].flatMap(({ type, atMs, ofMs }) => {
      const delay = delayIn(type);
      const leftMs = Math.max(0, Math.round(atMs + ofMs - nowMs));
      return delay === null ? [] : [{ ...delay, leftMs, ofMs: Math.round(ofMs) }];
    });
  }

  #add(entry: Drafted): void {
    const { machine, type, event, guard, epoch, from, to } = entry;
    this.ring.add({
      seq: this.ring.lastSeq + 1,
      atUnixMs: Math.round(this.#clock.unixMs() * 1_000) / 1_000,
      ...{ machine, type, event, to },
      ...(guard === undefined ? {} : { guard }),
      ...(epoch === undefined ? {} : { epoch }),
      ...(from === undefined ? {} : { from }),
    });
    this.#onEntry();
  }
}

interface Drafted extends Pick<Inspected, "machine" | "type" | "event" | "to"> {
  readonly guard?: string | undefined;
  readonly epoch?: number | undefined;
  readonly from?: Json | undefined;
}

type Children = Readonly<Record<string, AnyActorRef | undefined>>;

/** As the chart above calls it: a step goes by what it does, `readRecord`, where its id is only its place. */
function shownName({ id, src }: AnyActorRef): string {
  return typeof src === "string" ? src : id;
}

/** Statecharts are started under the id of their definition. */
function machineOf(actorRef: object): string | null {
  const { id } = actorRef as { readonly id?: unknown };
  return typeof id === "string" ? chartOf(id) : null;
}

function epochIn(event: object): number | undefined {
  const { epoch } = event as { readonly epoch?: unknown };
  return typeof epoch === "number" ? epoch : undefined;
}
