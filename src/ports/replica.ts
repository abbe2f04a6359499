/**
 * Purpose: what an engine remembers of records and of those it replicates with: beside `Store`, in the same file, the
 * same log and the same transactions.
 * Keeps true: every writing method is one transaction, or part of the one that `transaction` runs: then all of it is
 * durable when that returns, or none of it happened. Nothing here is asynchronous.
 */
import type { Conflict } from "../core/command.ts";
import type { Hlc } from "../core/hlc.ts";
import type { OpLog } from "./op-log.ts";
import type { OutboxStore } from "./outbox-store.ts";
import type { PeerState } from "./peer-state.ts";
import type { RecordStore } from "./record-store.ts";

export interface Replica {
  readonly ops: OpLog;
  readonly records: RecordStore;
  readonly peerState: PeerState;
  readonly conflicts: ConflictStore;
  readonly outbox: OutboxStore;
  /** The highest stamp kept; what `raiseHlc` was given. Falls only by `resetHlc`. */
  hlc(): Hlc;
  raiseHlc(hlc: Hlc): void;
  /** Begins again at `hlc`: the clock was ahead and was corrected [CK2]. */
  resetHlc(hlc: Hlc): void;
  /** Runs `work` as one transaction; whatever it throws undoes all of it. Not to be nested. */
  transaction<Result>(work: () => Result): Result;
}

/** The conflicts of `Store`, for the same transaction. */
export interface ConflictStore {
  save(conflicts: readonly Conflict[]): void;
  find(id: string): Conflict | null;
}
