/**
 * The shapes of what is replicated between the two engines: operations of the one log, and commands, which are
 * the operations that have a place (`seq`) in the order of the programme.
 */
import type { Json } from "./canonical-json.ts";
import type { Epoch } from "./epoch.ts";
import type { EngineId, Label } from "./ids.ts";
import type { Op } from "./operation.ts";
import type { VectorClock } from "./vector-clock.ts";

/** How far a command is safe when its caller is answered. */
export type Durability = "pair" | "local";

/** A command as both engines keep and execute it. Identity: (origin, originSeq); place: (epoch, seq). */
export interface Command {
  /** Place in the programme, contiguous from 1 across epochs. */
  readonly seq: number;
  /** Epoch of the leader that accepted it. */
  readonly epoch: Epoch;
  /** Hybrid logical clock stamp, fixed-width text whose order is its order. */
  readonly hlc: string;
  /** Instant at which both engines execute it: unix µs of the accepting leader's clock. */
  readonly executeAtUs: number;
  /** `"METHOD /path"` for engines driven over REST, or whatever the engine understands. */
  readonly kind: string;
  readonly payload: Json;
  /** Engine that accepted it. */
  readonly origin: EngineId;
  /** Contiguous per origin, from 1. */
  readonly originSeq: number;
  readonly idempotencyKey: string | null;
  /** Highest contiguous originSeq per origin, this command included. */
  readonly clock: VectorClock;
}

/** (epoch, seq) of the last command of a log; {0, 0} of an empty one. */
export interface LogPosition {
  readonly epoch: Epoch;
  readonly seq: number;
}

/** One stretch of a log that was written under one epoch: `from` to `to`, both included. */
export interface EpochRun {
  readonly epoch: Epoch;
  readonly from: number;
  readonly to: number;
}

/** The answer that an idempotency key remembers. */
export interface KeyedAnswer {
  readonly key: string;
  readonly seq: number;
  readonly epoch: Epoch;
  readonly executeAtUs: number;
  readonly atUnixMs: number;
  /** sha256 (hex) of `identityText`; null when an older version stored the key. */
  readonly digest: string | null;
}

/** What became of one divergent command or one concurrent record [SB3]. */
export type ConflictOutcome = "superseded" | "reapplied" | "open" | "resolved";

/** What diverged and does not stand, with both sides, kept until a person has dealt with it and after. */
export type Conflict = CommandConflict | RecordConflict;

interface KeptConflict {
  readonly id: string;
  readonly outcome: ConflictOutcome;
  readonly reason: string;
  readonly detectedAtUnixMs: number;
  readonly resolution: {
    readonly choice: "keep" | "reapply" | "value";
    readonly by: string;
    readonly atUnixMs: number;
  } | null;
}

/** One divergent command. */
export interface CommandConflict extends KeptConflict {
  readonly kind: "command";
  /** The side that does not stand. */
  readonly divergent: Command;
  /** The winner's commands that share its conflict key since the fork (at most 16 kept). */
  readonly standing: readonly Command[];
  readonly divergentFrom: Label;
  readonly forkSeq: number;
  readonly winnerEpoch: Epoch;
}

/** One change of a record, made apart from the one that stands and different from it. */
export interface RecordConflict extends KeptConflict {
  readonly kind: "record";
  readonly entity: string;
  readonly field: string;
  /** The side that does not stand. */
  readonly divergent: Op;
  /** The operation that stands. */
  readonly standing: readonly Op[];
}
