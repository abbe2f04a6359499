/**
 * Anyone who keeps something more of every change, in the change's own transaction.
 * Called inside the transaction, after the change was written: what it writes to the same store is durable
 * with the change, or neither is. What it throws undoes both.
 */
import type { Command, Conflict, LogPosition } from "../core/command.ts";
import type { ControlEvent } from "../core/control-event.ts";
import type { Epoch } from "../core/epoch.ts";
import type { Label } from "../core/ids.ts";
import type { LeadershipOrigin } from "../core/messages.ts";

/** What an adopted log brings. */
export interface AdoptedLog {
  readonly commands: readonly Command[];
  /** Events of commands that do not come along, not yet published. */
  readonly outbox: readonly ControlEvent[];
}

/** Where an adopted log parts from the one before. */
export interface AdoptedAt {
  /** Through here both are the same. */
  readonly forkSeq: number;
  /** What the first adopted command follows. */
  readonly before: LogPosition;
}

/** A leadership, as it began. */
export interface BegunLeadership extends LeadershipOrigin {
  readonly epoch: Epoch;
  readonly leader: Label;
}

export interface Journal {
  /** Commands were appended behind `before`. */
  appended(commands: readonly Command[], before: LogPosition): void;
  /** The log's end was replaced. Its conflicts are told by `conflicted`. */
  adopted(log: AdoptedLog, at: AdoptedAt): void;
  /** A leadership began that was not known. */
  led(leadership: BegunLeadership): void;
  /** These conflicts are new, or have come to another outcome. */
  conflicted(conflicts: readonly Conflict[]): void;
}
