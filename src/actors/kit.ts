/**
 * Purpose: what every actor is given: the ports, the settings, the rules, and ways to tell the outside.
 */
import type { CoordinatorCounters, CoordinatorEvent } from "../core/events.ts";
import type { FailoverSettings } from "../core/settings.ts";
import type { CoordinatorPorts } from "../ports/coordinator-ports.ts";
import type { PeerHello } from "../ports/peer-channel.ts";
import type { Alarms } from "./alarms.ts";
import type { CoordinatorOptions } from "./options.ts";
import type { Pauses } from "./pauses.ts";
import type { Rules } from "./rules.ts";
import type { Stamps } from "./stamps.ts";

/** What the actors count, writable inside; stamps are counted by the clock that refuses them. */
export type Counters = { -readonly [Name in Exclude<keyof CoordinatorCounters, "stampsRefused">]: number };

export interface Kit {
  readonly ports: CoordinatorPorts;
  readonly options: CoordinatorOptions;
  /** Who this engine is, this time. */
  readonly self: PeerHello;
  readonly failover: FailoverSettings;
  readonly rules: Rules;
  readonly root?: ChartRoot;
  readonly alarms: Alarms;
  readonly counters: Counters;
  readonly stamps: Stamps;
  readonly pauses: Pauses;
  emit(event: CoordinatorEvent): void;
  /** The clock that decides, monotonic ms. */
  nowMs(): number;
}

/** What a statechart runs on. */
export interface MachineHost {
  readonly ports: Pick<CoordinatorPorts, "clock">;
  readonly options: Pick<CoordinatorOptions, "inspect">;
  readonly rules?: Pick<Rules, "receives"> | undefined;
  /** Whose children the charts are; left out: each stands by itself. */
  readonly root?: ChartRoot | undefined;
}

export interface ChartRoot {
  /** Where this engine is between its start and its stop. */
  readonly machineValue: unknown;
  /** Begins a chart as a child, and gives its actor. It ends with the root. */
  begin(id: string, logic: object): unknown;
}

/** What `mayAct`'s callers need of the leadership actor; everyone asks at the effect itself [VT5]. */
export interface Acting {
  mayAct(): boolean;
}

export function zeroCounters(): Counters {
  return {
    heartbeatsSent: 0,
    heartbeatsReceived: 0,
    heartbeatsRefused: 0,
    commandsAccepted: 0,
    commandsExecuted: 0,
    commandsLate: 0,
    commandsFailed: 0,
    commandsFenced: 0,
    commandsUnknown: 0,
    witnessSwaps: 0,
    witnessFailures: 0,
    roleChanges: 0,
    automaticFailovers: 0,
    splitBrains: 0,
    snapshotsApplied: 0,
  };
}
