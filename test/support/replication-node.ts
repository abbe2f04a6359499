/**
 * One place that replicates, for tests: the real parts over a memory store, a clock that is set by hand, and a way from
 * one place to another that can be cut, doubled or lie.
 */
import { MemoryDisk } from "../../src/adapters/memory-disk.ts";
import { MemoryStore } from "../../src/adapters/memory-store.ts";
import { NodeDigest } from "../../src/adapters/basics.ts";
import type { Json } from "../../src/core/canonical-json.ts";
import { makeId, type IdKind, type IdOfKind } from "../../src/core/ids.ts";
import { recordOrigin, type Op } from "../../src/core/operation.ts";
import { checksumOfOp } from "../../src/replication/record-log.ts";
import { Replication, type ReplicationInit, type ReplicationJoint } from "../../src/replication/replication.ts";
import type { ReplicationParts } from "../../src/replication/parts.ts";
import type { SyncCaller } from "../../src/replication/callers.ts";
import type { Digests } from "../../src/replication/history.ts";
import type { Clock, Ids, Signatures } from "../../src/ports/basics.ts";
import type {
  FederationPeerPort,
  PullRequest,
  PushedBase,
  SyncAnswer,
  SyncTransport,
} from "../../src/ports/sync-transport.ts";
import type { Store } from "../../src/ports/store.ts";

export const START_MS = 1_800_000_000_000;

/** A wall clock that a test sets; its timers are the process's own, so that exchanges can be waited for. */
export class SetClock implements Clock {
  /** The wall clock. */
  nowMs = START_MS;
  #passedMs: number | null = null;
  monoMs = (): number => this.#passedMs ?? performance.now();
  /** Both clocks go on by so much; the monotonic one stands still but for that. */
  pass = (ms: number): void => {
    this.nowMs += ms;
    this.#passedMs = Math.floor(this.monoMs()) + ms;
  };
  unixMs = (): number => this.nowMs;
  setTimeout = (fn: () => void, delayMs: number): object => setTimeout(fn, delayMs);
  clearTimeout = (handle: object | number): void => clearTimeout(handle as NodeJS.Timeout);
  callAt = (): never => {
    throw new Error("not needed here");
  };
  soon = (fn: () => void): void => void setImmediate(fn);
}

/** Ids that name the place that made them. */
export class NamedIds implements Ids {
  readonly #name: string;
  #count = 0;

  constructor(name: string) {
    this.#name = name;
  }

  next<K extends IdKind>(kind: K): IdOfKind[K] {
    this.#count += 1;
    return makeId(kind, `${this.#name}${kind === "engine" ? "" : this.#count}`);
  }
}

export interface Place {
  readonly name: string;
  readonly clock: SetClock;
  readonly store: Store;
  readonly replication: Replication;
  /** The way to this place from `caller`, in the same process. */
  wayFor(caller: string, token?: string): SyncTransport;
}

export interface PlaceInit {
  readonly name: string;
  readonly hub?: SyncTransport;
  readonly disk?: MemoryDisk;
  readonly store?: Store;
  readonly clock?: SetClock;
  readonly joint?: ReplicationJoint;
  readonly federation?: readonly FederationPeerPort[];
  readonly signatures?: Signatures;
  readonly init?: Partial<ReplicationInit>;
}

const silent = (): void => undefined;

/** A place; nothing runs by itself before `replication.start()`. */
export function makePlace(init: PlaceInit): Place {
  const { name, clock = new SetClock() } = init;
  const ids = new NamedIds(name);
  const store = init.store ?? new MemoryStore({ ids, disk: init.disk ?? new MemoryDisk() });
  const parts: ReplicationParts = {
    store,
    clock,
    ids,
    digest: new NodeDigest(),
    random: { next: () => 0.5 },
    logger: { debug: silent, info: silent, warn: silent, error: silent },
    hub: init.hub ?? null,
    federation: init.federation ?? [],
    signatures: init.signatures ?? null,
  };
  const settings = { hubId: name, version: "0.1.0", mode: "sync", hubIntervalMs: 3_600_000 } as const;
  const replication = new Replication(parts, { ...settings, ...init.init }, init.joint);
  return {
    name,
    clock,
    store,
    replication,
    wayFor: (origin, token) => new DirectWay(replication, { origin, token: token ?? null }),
  };
}

/** For tests that need replication only as a collaborator. */
export function aloneReplication(): Place {
  return makePlace({ name: "alone" });
}

/** The name under which the place `name` writes. */
export function originOf(name: string): string {
  return recordOrigin(makeId("engine", name));
}

/** `/sync` of a place without HTTP: everything passes through JSON, as over a wire. */
class DirectWay implements SyncTransport {
  readonly #place: Replication;
  readonly #caller: SyncCaller;

  constructor(place: Replication, caller: SyncCaller) {
    this.#place = place;
    this.#caller = caller;
  }

  async identity(challenge?: string): Promise<SyncAnswer<Json>> {
    return { outcome: "answered", value: wired(this.#place.hub.identity(challenge)) };
  }

  async pull(request: PullRequest): Promise<SyncAnswer<Json>> {
    return {
      outcome: "answered",
      value: wired(
        this.#place.hub.pull({
          caller: { ...this.#caller, ...(request.own === true ? { origin: "" } : {}) },
          ...request,
        }),
      ),
    };
  }

  async compare(heads: Digests): Promise<SyncAnswer<Json>> {
    return { outcome: "answered", value: wired({ heads: this.#place.hub.compare(this.#caller, heads) }) };
  }

  async push(ops: readonly Op[], snapshot: PushedBase | null): Promise<SyncAnswer<Json>> {
    const came = wired(ops) as unknown as readonly unknown[];
    return {
      outcome: "answered",
      value: wired(this.#place.hub.push(this.#caller, came, snapshot)),
    };
  }

  close(): void {}
}

/** A value as it is after a wire. */
export function wired(value: unknown): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}

/** `op` with other content and the checksum that belongs to it. */
export function altered(op: Op, changes: Partial<Record<keyof Op, unknown>>): Op {
  const { checksum: _checksum, ...rest } = { ...op, ...changes } as Op;
  return { ...rest, checksum: checksumOfOp(new NodeDigest(), rest) };
}

/** Everything that replicates in a place: what equal places show equally. */
export function shown(place: Place): {
  readonly records: readonly unknown[];
  readonly vector: object;
  readonly open: readonly string[];
} {
  const { records, ops } = place.store.replica;
  const open = place.store.conflicts(10_000).filter(({ kind, outcome }) => kind === "record" && outcome === "open");
  return {
    records: records.all(null, 10_000).map(({ entity, field, kind, payload }) => ({ entity, field, kind, payload })),
    vector: ops.vector(),
    open: open.map(({ id }) => id).sort(),
  };
}
