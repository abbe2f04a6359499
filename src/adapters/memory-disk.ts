/**
 * What survives the death of a process whose store is a `MemoryStore`: a disk for simulated worlds and tests.
 * At most one living owner. It does not know what the content means.
 */
import { assert, ChangeoverError } from "../core/errors.ts";
import type { Command, Conflict, KeyedAnswer, LogPosition } from "../core/command.ts";
import type { LogShape } from "../core/fork.ts";
import { hlcZero } from "../core/hlc.ts";
import type { EngineId } from "../core/ids.ts";
import type { Maintenance } from "../core/messages.ts";
import type { VectorClock } from "../core/vector-clock.ts";
import type { PinnedPeer } from "../ports/peer-channel.ts";
import type { LeadershipEntry, RequestEntry, StateDraft } from "../ports/store.ts";
import type { StackMark } from "../core/control-event.ts";
import type { Heads } from "../core/operation.ts";
import type { ArrivedOp, CompactionFloor, SetAside, OutboxRow } from "../ports/replica.ts";

/** All that a `MemoryStore` keeps. */
export interface DiskContent {
  readonly engineId: EngineId;
  pinnedPeer: PinnedPeer | null;
  highestEpoch: number;
  acceptedEpoch: number;
  hlc: string;
  clock: VectorClock;
  /** The clock of the commands below `firstHeldSeq`. */
  baseClock: VectorClock;
  highestOwnSeq: number;
  shape: LogShape;
  /** Commands `firstHeldSeq`, `firstHeldSeq + 1`, … */
  commands: Command[];
  firstHeldSeq: number;
  lastExecutedSeq: number;
  /** `state` as JSON text, so that nobody can change it in place. */
  checkpoint: { readonly position: LogPosition; readonly state: string } | null;
  lockFence: number;
  maintenance: Maintenance | null;
  /** Oldest first. */
  readonly keys: Map<string, KeyedAnswer>;
  readonly conflicts: Map<string, Conflict>;
  /** By epoch, lowest first. */
  leadership: readonly LeadershipEntry[];
  readonly requests: Map<string, RequestEntry>;
  readonly replica: ReplicaContent;
}

/** A disk in memory. */
export class MemoryDisk {
  /** While true, every write throws `store_full` and changes nothing. */
  full = false;
  /** What is on it; `null` until its first owner. */
  content: DiskContent | null = null;
  /** Whether `markExecuted` is lost by the owner's death until another write takes it along. */
  readonly loseUnsynced: boolean;
  #owner: object | null = null;

  constructor(init: { readonly loseUnsynced?: boolean } = {}) {
    this.loseUnsynced = init.loseUnsynced ?? false;
  }

  /** Makes `owner` the only one that may write. Throws `store_in_use` while another one lives. */
  claim(owner: object): void {
    if (this.#owner !== null) throw new ChangeoverError("store_in_use", "another store has this memory disk open");
    this.#owner = owner;
  }

  /** Whether `owner` still has the disk. */
  isOwnedBy(owner: object): boolean {
    return this.#owner === owner;
  }

  /** `owner` gives the disk back; somebody else's claim stays. */
  release(owner: object): void {
    if (this.#owner === owner) this.#owner = null;
  }

  /** The owner's process died: its store can do nothing any more, and the disk can be opened again. */
  ownerDied(): void {
    this.#owner = null;
  }
}

/** What a new disk holds. */
export function emptyContent(engineId: EngineId): DiskContent {
  return {
    engineId,
    pinnedPeer: null,
    highestEpoch: 0,
    acceptedEpoch: 0,
    hlc: hlcZero(engineId),
    clock: {},
    baseClock: {},
    highestOwnSeq: 0,
    shape: [],
    commands: [],
    firstHeldSeq: 1,
    lastExecutedSeq: 0,
    checkpoint: null,
    lockFence: 0,
    maintenance: null,
    keys: new Map(),
    conflicts: new Map(),
    leadership: [],
    requests: new Map(),
    replica: emptyReplica(),
  };
}

/** The text of a state on its way to the disk. */
export class TextInMemory implements StateDraft {
  text = "";

  add(piece: string): void {
    this.text += piece;
  }

  discard(): void {
    this.text = "";
  }
}

/** What `draft` holds, which a `MemoryStore` has made. */
export function textOf(draft: StateDraft): string {
  assert(draft instanceof TextInMemory, "a draft is kept by the store that made it");
  return draft.text;
}

// What of a memory disk belongs to records and replication.

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
