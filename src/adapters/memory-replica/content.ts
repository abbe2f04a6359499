/** What of a memory disk belongs to records and replication. */
import type { StackMark } from "../../core/control-event.ts";
import type { Heads } from "../../core/operation.ts";
import type { ArrivedOp, CompactionFloor, SetAside, OutboxRow } from "../../ports/replica.ts";

/** A claim to an identity that another operation has. */
export type Claim = Omit<SetAside, "attempts" | "dead">;

/** All that a `MemoryReplica` keeps. */
export interface ReplicaContent {
  /** By origin and originSeq. */
  readonly ops: Map<string, ArrivedOp>;
  /** The same, by arrival. */
  arrivals: ArrivedOp[];
  readonly vector: Map<string, number>;
  /** The digest of an origin's history, by origin and originSeq. */
  readonly chains: Map<string, string>;
  readonly heads: Map<string, Heads>;
  readonly peerState: Map<string, string>;
  readonly aside: Map<string, SetAside>;
  claims: Claim[];
  floor: CompactionFloor | null;
  /** By eventId, oldest first. */
  readonly outbox: Map<string, OutboxRow>;
  /** Those of them that are not published. */
  readonly waiting: Map<string, OutboxRow>;
  /** By stack. */
  readonly marks: Map<string, StackMark>;
}

export function emptyReplica(): ReplicaContent {
  return {
    ops: new Map(),
    arrivals: [],
    vector: new Map(),
    chains: new Map(),
    heads: new Map(),
    peerState: new Map(),
    aside: new Map(),
    claims: [],
    floor: null,
    outbox: new Map(),
    waiting: new Map(),
    marks: new Map(),
  };
}
