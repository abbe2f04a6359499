/**
 * What a viewer is told of the statecharts and of the pair: the shapes of the stream, of a recorded run and of
 * the page.
 * An entry names an event and a guard, never what an event carries, so that no payload and no secret leaves
 * the engine this way; the epoch alone is told, where the event has one.
 * It does not know Node, the browser, sockets.
 */
import type { CoordinatorState } from "../coordinator/types.ts";
import type { Json } from "../core/canonical-json.ts";
import type { Label } from "../core/ids.ts";
import type { EpochRun } from "../core/command.ts";
import type { FailoverSettings } from "../core/settings.ts";
import type { LeadershipEntry } from "../ports/store.ts";

/** One thing that happened to one statechart. */
export interface Inspected {
  /** Contiguous from 1 within one run of one engine. */
  readonly seq: number;
  /** Unix ms of the engine's wall clock. */
  readonly atUnixMs: number;
  /** Name of the statechart, as in the catalogue. */
  readonly machine: string;
  /** `snapshot`: where it began; `transition`: the state has changed; `event`: it was told something and stayed. */
  readonly type: "event" | "transition" | "snapshot";
  /** Type of the XState event; `always` for an eventless transition. */
  readonly event: string;
  readonly guard?: string;
  readonly epoch?: number;
  readonly from?: Json;
  /** XState's state value afterwards. */
  readonly to: Json;
}

/** State value of each statechart by its name. */
export type Values = Readonly<Record<string, Json>>;

/** The timings that give the page's bars their length, ms. */
export type ShownSettings = Pick<
  FailoverSettings,
  "heartbeatMs" | "leaseMs" | "campaignWaitMs" | "missLimit" | "reconcileLockMs"
>;

/** A delay of a statechart that runs, as it was at the moment of its message. */
export interface RunningDelay {
  /** `quarantine`, as the chart names it. */
  readonly name: string;
  /** Path of the state that it belongs to. */
  readonly state: string;
  readonly leftMs: number;
  readonly ofMs: number;
}

/** One actor that runs: a statechart, or a step that one of them has begun. */
export interface ShownActor {
  readonly name: string;
  /** Name of the actor that started it; null: nobody did. */
  readonly parent: string | null;
  /** Where the statechart stands; null: this is a step. */
  readonly value: Json | null;
  readonly delays: readonly RunningDelay[];
}

/** The reconcile lock, no matter who holds it. */
export interface ShownLock {
  readonly holder: string;
  readonly expiresMs: number;
}

/** Begins what is told of one run of one engine. `events` are the first of those that the viewer lacks. */
export interface HelloMessage {
  readonly type: "hello";
  readonly engine: Label;
  /** Names one life of the engine's process; `seq` counts again in the next. */
  readonly run: string;
  /** Last seq at this moment; `values` are those after it. */
  readonly seq: number;
  readonly values: Values;
  readonly events: readonly Inspected[];
}

/** The events that follow those told before, without a gap. */
export interface EventsMessage {
  readonly type: "events";
  readonly engine: Label;
  readonly events: readonly Inspected[];
}

/** In place of events that a slow viewer has missed: where everything stands after `seq`. */
export interface SnapshotMessage {
  readonly type: "snapshot";
  readonly engine: Label;
  readonly seq: number;
  readonly missed: number;
  readonly values: Values;
}

/** The pair as one engine sees it, at most five times a second. */
export interface StateMessage {
  readonly type: "state";
  readonly engine: Label;
  readonly atUnixMs: number;
  readonly state: CoordinatorState;
  /** Which epoch wrote which stretch of the log, newest runs last. Absent in older recordings. */
  readonly logRuns?: readonly EpochRun[];
  readonly settings: ShownSettings;
  /** Of the engine's own, or by the witness's last answer; null: free, or not known. */
  readonly lock: ShownLock | null;
  /** What runs at this moment, parents before their children. Absent in older recordings. */
  readonly actors?: readonly ShownActor[];
  readonly conflicts: { readonly open: number; readonly total: number; readonly revision: number };
  readonly leadership: readonly LeadershipEntry[];
}

/** The engine cannot be reached or is silent; what was told of it stays as it was. */
export interface GoneMessage {
  readonly type: "gone";
  readonly engine: Label;
}

export type StreamMessage = HelloMessage | EventsMessage | SnapshotMessage | StateMessage | GoneMessage;

/** What the charts of one engine can be seen through: its own, or the peer's as it was relayed. */
export interface Source {
  readonly label: Label;
  /** null: never reached. */
  readonly run: string | null;
  readonly reachable: boolean;
  readonly firstSeq: number;
  readonly lastSeq: number;
  values(): Values;
  /** The events after `seq`, oldest first; `seq` is at least `firstSeq - 1`. */
  after(seq: number, most: number): readonly Inspected[];
  /** Counts the states, so that each is told once. */
  readonly states: number;
  /** The newest state as a message in JSON; null: none is known. Made once for all viewers. */
  stateBytes(): Uint8Array | null;
}

// The names of what stands in a statechart's definition, as people read them.

/** The name of a guard or an action, however it was given; a combined guard by its parts: `and(isReady, mayCampaign)`. */
export function nameOf(thing: unknown): string {
  if (typeof thing === "string") return thing;
  const { type, guards, name } = thing as {
    readonly type?: unknown;
    readonly guards?: unknown;
    readonly name?: string;
  };
  if (Array.isArray(guards)) return `${name}(${guards.map(nameOf).join(", ")})`;
  if (typeof type === "string") return type;
  return name ?? "inline";
}

/** The statechart of an actor: of several of one kind each has its own name after a colon. */
export function chartOf(actor: string): string {
  return actor.split(":", 1)[0] ?? actor;
}

/** A delay's name and the path of its state in `xstate.after.quarantine.leadership.follower.quarantined`; null: no delay's event. */
export function delayIn(type: string): { readonly name: string; readonly state: string } | null {
  const [, name, state] = /^xstate\.after\.([^.]+)\.[^.]+\.?(.*)$/.exec(type) ?? [];
  return name === undefined || state === undefined ? null : { name, state };
}

/** `xstate.after.600.leadership.follower` is a delay, `xstate.done.actor.lock` a step that ended, the empty name an eventless transition. */
export function eventName(type: string): string {
  const delay = delayIn(type);
  if (delay !== null) return `after ${delay.name}`;
  const [, end, step] = /^xstate\.(done|error)\.actor\.(.+)$/.exec(type) ?? [];
  if (step !== undefined) return `${step === "*" ? "a step" : step} ${end === "done" ? "done" : "failed"}`;
  return type === "" ? "always" : type;
}

// Every bound of the visualiser, by name.

/** Inspection events that one engine keeps, and that one keeps of its peer. */
export const MAX_RECORDED = 10_000;
/** Events in one message. */
export const MAX_EVENTS_PER_MESSAGE = 500;
/** Viewers of one engine; more are asked to come back later. */
export const MAX_VIEWERS = 64;
/** Bytes of one message from the peer. */
export const MAX_RELAYED_BYTES = 4_194_304;
/** Time between two pushed states. */
export const STATE_EVERY_MS = 200;
/** Time between two questions to the witness about the reconcile lock. */
export const LOCK_EVERY_MS = 1_000;
/** Events of one moment go together. */
export const GATHER_MS = 20;
/** Entries of the leadership history that are pushed. */
export const SHOWN_LEADERSHIPS = 20;
/** Conflicts that are counted. */
export const COUNTED_CONFLICTS = 1_000;
/** Time before the peer is dialled again. */
export const REDIAL_MS = 500;
/** Silence after which the relayed peer counts as gone. */
export const SILENT_MS = 1_200;

/** Runs of the command log that a viewer is told: enough to find where two logs part after several changes of leader. */
export const SHOWN_RUNS = 8;

// A run that is over, as the page shows it.

/** What a run is. */
export interface TraceHeader {
  readonly type: "changeover-trace";
  readonly version: 1;
  readonly origin: "recorded" | "simulated";
  readonly title: string;
}

/** One run that is over. */
export interface TraceFile {
  readonly header: TraceHeader;
  readonly messages: readonly StreamMessage[];
}
