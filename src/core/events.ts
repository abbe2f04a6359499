/** What a coordinator tells while it runs: alarms, events, counters. Codes are stable words. */
import type { Command, Conflict } from "./command.ts";
import type { Op } from "./operation.ts";
import type { Epoch } from "./epoch.ts";
import type { REMEDIES } from "./remedies.ts";
import type { SubmitOutcome } from "./outcomes.ts";
import type { LeadershipCause, Maintenance, Role } from "./messages.ts";

/** A stable word for what an engineer must know. Each is registered with its remedy. */
export type AlarmCode = keyof typeof REMEDIES;

export interface Alarm {
  readonly code: AlarmCode;
  readonly since: number;
  readonly detail: string;
}

/** What the coordinator tells while it runs. */
export type CoordinatorEvent =
  | {
      readonly type: "role";
      readonly role: Role;
      readonly epoch: Epoch;
      readonly cause: LeadershipCause | null;
      /** How long it took to lead, from the reason for it; 0 where this engine does not begin to lead. */
      readonly tookMs: number;
      readonly atUnixMs: number;
    }
  | { readonly type: "alarm"; readonly alarm: Alarm; readonly raised: boolean }
  | { readonly type: "command"; readonly command: Command }
  | {
      readonly type: "executed";
      readonly command: Command;
      readonly error: string | null;
      readonly lateMs: number;
      readonly atMonoMs: number;
    }
  /** A command that was given to this engine got its answer; `durability` is null unless it was accepted. */
  | {
      readonly type: "answered";
      readonly outcome: SubmitOutcome["outcome"];
      readonly durability: "pair" | "local" | null;
      readonly tookMs: number;
    }
  | { readonly type: "maintenance"; readonly maintenance: Maintenance }
  | { readonly type: "conflict"; readonly conflict: Conflict }
  | { readonly type: "record"; readonly op: Op; readonly via: string }
  /** Events of one stack stand in the feed. */
  | {
      readonly type: "published";
      readonly stackId: string;
      readonly events: number;
      readonly duplicates: number;
      /** From the commit of the first of them. */
      readonly latencyMs: number;
    };

/** Counters since start, for `/metrics`; names without the prefix `changeover_`. */
export interface CoordinatorCounters {
  readonly heartbeatsSent: number;
  readonly heartbeatsReceived: number;
  readonly heartbeatsRefused: number;
  readonly commandsAccepted: number;
  readonly commandsExecuted: number;
  readonly commandsLate: number;
  readonly commandsFailed: number;
  readonly commandsFenced: number;
  readonly commandsUnknown: number;
  readonly witnessSwaps: number;
  readonly witnessFailures: number;
  readonly roleChanges: number;
  readonly automaticFailovers: number;
  readonly splitBrains: number;
  readonly snapshotsApplied: number;
  readonly stampsRefused: number;
}
