/**
 * Purpose: whoever keeps something more of every change, in the change's own transaction.
 * Keeps true: called inside the transaction, after the change was written: what it writes to the same store is durable
 * with the change, or neither is. What it throws undoes both.
 */
import type { Command, Conflict, LogPosition } from "../core/command.ts";
import type { Adoption, LeadershipEntry } from "./store.ts";

/** Where an adopted log parts from the one before. */
export interface AdoptedAt {
  /** Through here both are the same. */
  readonly forkSeq: number;
  /** What the first adopted command follows. */
  readonly before: LogPosition;
}

export interface Journal {
  /** Commands were appended behind `before`. */
  appended(commands: readonly Command[], before: LogPosition): void;
  /** The log's end was replaced. Its conflicts are told by `conflicted`. */
  adopted(adoption: Adoption, at: AdoptedAt): void;
  /** A leadership began that was not known. */
  led(entry: LeadershipEntry): void;
  /** These conflicts are new, or have come to another outcome. */
  conflicted(conflicts: readonly Conflict[]): void;
}
