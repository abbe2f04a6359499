/**
 * Replication that breaks its promises, one at a time, for planted bugs: the faults of which replication.md says
 * that they must not come back. What a spoke or an engine stands on is replaced by something that lies.
 */
import { Stamps } from "../../actors/stamps.ts";
import type { MemoryDisk } from "../../adapters/memory-disk.ts";
import type { CoordinatorPorts } from "../../coordinator/types.ts";
import type { Json } from "../../core/canonical-json.ts";
import { recordOrigin } from "../../core/operation.ts";
import type { ArrivedOp, OpLog, Replica } from "../../ports/replica.ts";
import type { Store } from "../../ports/store.ts";
import type { SyncTransport } from "../../ports/sync-transport.ts";
import { overriding } from "./overriding.ts";
import type { PlaceParts } from "../world/place-parts.ts";

export type Liar = (replica: Replica, origin: string) => Replica;

const KNOWN_KINDS: readonly string[] = ["set", "delete", "skip"];
const OWN_ORIGINS = "own:origins";
const EVERYTHING = 1_000_000;
const UNSYNCED_MS = 400;
const EMPTY_STAMP = 17;

/** An engine whose replica lies. */
export function onEngine(liar: Liar): (ports: CoordinatorPorts) => CoordinatorPorts {
  return (ports) => ({ ...ports, store: withReplica(ports.store, liar) });
}

/** A spoke whose replica lies. */
export function onSpoke(liar: Liar): (given: PlaceParts) => PlaceParts {
  return (given) => {
    const store = withReplica(given.parts.store, liar);
    return { ...given, parts: { ...given.parts, store } };
  };
}

/** A spoke to which its hub is told wrongly. */
export function overWay(lie: (way: SyncTransport) => SyncTransport): (given: PlaceParts) => PlaceParts {
  return (given) => {
    const { hub = null } = given.parts;
    return { ...given, parts: { ...given.parts, hub: hub && lie(hub) } };
  };
}

/** Whoever asks is given everything, what is its own too. */
export const echoes: Liar = withOps((ops) => ({
  arrivedAfter: (after, limit, maxBytes) => ops.arrivedAfter(after, limit, maxBytes),
}));

/** Pages go by when operations were made, not by when they came. */
export const pagesByBirth: Liar = withOps((ops) => ({
  arrivedAfter: (after, limit, _maxBytes, exceptVia) =>
    pageOf(everything(ops, exceptVia), ({ op }) => op.hlc, after, limit),
  lastArrival: () => everything(ops).reduce((last, { op }) => (op.hlc > last ? op.hlc : last), ""),
}));

/** Pages go by stamps whose counters are not padded, in the order of their text. */
export const pagesByUnpadded: Liar = withOps((ops) => ({
  arrivedAfter: (after, limit, _maxBytes, exceptVia) =>
    pageOf(
      everything(ops, exceptVia),
      ({ arrival }) => unpadded(arrival),
      unpadded(after),
      limit,
      ({ arrival }) => arrival,
    ),
}));

/** What is taken in from others is not counted. */
export const forgetsVector: Liar = withOps((ops, own) => ({
  raiseVector: (origin, originSeq) => {
    if (origin === own) ops.raiseVector(origin, originSeq);
  },
}));

/** What others made counts as one less than is held, and what is held already is kept again. */
export const takesTwice: Liar = withOps((ops, own) => ({
  vector: () =>
    Object.fromEntries(
      Object.entries(ops.vector()).map(([origin, seq]) => [origin, origin === own ? seq : Math.max(0, seq - 1)]),
    ),
  add: (arrived) => {
    if (ops.find(arrived.op.origin, arrived.op.originSeq) === null) ops.add(arrived);
  },
}));

/** Compaction does not ask who has what. */
export const compactsAll: Liar = withOps((ops) => ({
  compact: (_through, limit) => ops.compact(ops.lastArrival(), limit),
}));

/** What one engine of the pair has taken counts as had by both. */
export const oneIsBoth: Liar = withOps((ops) => ({ coveredBy: () => ops.lastArrival() }));

/** The holes that compaction leaves are not told. */
export const hidesHoles: Liar = withOps(() => ({ floor: () => null }));

/** Nothing is known of what histories hold, only how much. */
export const forgetsHistory: Liar = withOps(() => ({ heads: () => ({}), headAt: () => null }));

/** What was issued again under a later origin is not recognised, so nothing gives way to it. */
export const missesIssuedAgain: Liar = withOps(() => ({ ofField: () => [] }));

/** Under which origin this engine went on is not kept. */
export const forgetsOrigin: Liar = (replica) => {
  const { peerState } = replica;
  const get = (key: string): string | null => (key === OWN_ORIGINS ? null : peerState.get(key));
  return overriding(replica, { peerState: overriding(peerState, { get }) });
};

/** The highest stamp is not kept. */
export const forgetsStamp: Liar = (replica) => overriding(replica, { raiseHlc: () => undefined, hlc: () => "" });

/** Stamps from outside are believed, however far ahead. */
export function believesAnyStamp(given: PlaceParts): PlaceParts {
  const { engineId, hlc } = given.parts.store.load();
  return { ...given, stamps: new Stamps(given.parts, { origin: engineId, last: hlc, maxDriftMs: Infinity }) };
}

/** The clock is taken for right, whatever it shows. */
export function vouchesForAnyClock(ports: CoordinatorPorts): CoordinatorPorts {
  const reading = { mode: "ntp", offsetNs: 0, jitterNs: 0 } as const;
  return { ...ports, clockSource: { reading: () => reading, close: () => Promise.resolve() } };
}

/** Nobody notices that another log answers than before: cursors are kept by address. */
export function generationHidden(way: SyncTransport): SyncTransport {
  const hidden = (value: Json): Json => ({ ...(value as object), generation: "gen_always" });
  return overriding(way, {
    identity: async () => mapped(await way.identity(), hidden),
    pull: async (request) => mapped(await way.pull(request), hidden),
  });
}

/** Whoever asks for more is taken to have all before it, what it holds back too. */
export function heldBackIsHad(way: SyncTransport): SyncTransport {
  return overriding(way, { pull: ({ held: _held, ...request }) => way.pull(request) });
}

/** One operation that cannot be taken, and the whole push has failed. */
export function poisonFailsAll(way: SyncTransport): SyncTransport {
  return overriding(way, {
    push: async (ops, snapshot) =>
      ops.some(({ kind }) => !KNOWN_KINDS.includes(kind))
        ? { outcome: "refused", status: 500, code: "internal" }
        : way.push(ops, snapshot),
  });
}

/** The cursor is on the disk at once, the operations some time later: what a crash in between leaves. */
export function cursorFirst(given: PlaceParts): PlaceParts {
  const { disk, parts } = given;
  loseUnsynced(disk);
  const liar: Liar = (replica) =>
    overriding(replica, {
      transaction: (work) => {
        const content = disk.content?.replica;
        if (content !== undefined && !unsynced.has(disk)) unsynced.set(disk, copyOf(content));
        parts.clock.setTimeout(() => void unsynced.delete(disk), UNSYNCED_MS);
        return replica.transaction(work);
      },
    });
  return onSpoke(liar)(given);
}

type Content = NonNullable<MemoryDisk["content"]>["replica"];

/** What was on a disk before the operations that have not reached it yet. */
const unsynced = new WeakMap<MemoryDisk, Content>();

function copyOf({ ops, vector, heads, peerState, aside, ...rest }: Content): Content {
  const maps = { ops: new Map(ops), vector: new Map(vector), heads: new Map(heads) };
  return { ...rest, ...maps, peerState: new Map(peerState), aside: new Map(aside) };
}

/** At the start after a crash: the operations are gone, the cursor is not; what was made here had been waited for. */
function loseUnsynced(disk: MemoryDisk): void {
  const before = unsynced.get(disk);
  const { content } = disk;
  unsynced.delete(disk);
  if (before === undefined || content === null) return;
  const own = recordOrigin(content.engineId);
  if (before.vector.get(own) !== content.replica.vector.get(own)) return;
  const cursor = content.replica.peerState.get("peer:hub:cursor");
  Object.assign(content.replica, before);
  if (cursor !== undefined) content.replica.peerState.set("peer:hub:cursor", cursor);
}

function withReplica<Port extends Pick<Store, "replica" | "load">>(store: Port, liar: Liar): Port {
  const { replica } = store;
  const lying = liar(replica, recordOrigin(store.load().engineId));
  return overriding(store, { replica: lying } as Partial<Port>);
}

export function withOps(lies: (ops: OpLog, origin: string) => Partial<OpLog>): Liar {
  return (replica, origin) => overriding(replica, { ops: overriding(replica.ops, lies(replica.ops, origin)) });
}

function mapped<Answer extends { readonly outcome: string; readonly value?: Json }>(
  answer: Answer,
  change: (value: Json) => Json,
): Answer {
  return answer.outcome === "answered" ? { ...answer, value: change(answer.value ?? null) } : answer;
}

function everything(ops: OpLog, exceptVia?: string): readonly ArrivedOp[] {
  return ops.arrivedAfter("", EVERYTHING, Infinity, exceptVia);
}

function pageOf(
  all: readonly ArrivedOp[],
  orderOf: (one: ArrivedOp) => string,
  after: string,
  limit: number,
  cursorOf = orderOf,
): readonly ArrivedOp[] {
  const later = all.filter((one) => orderOf(one) > after);
  const sorted = later.sort((left, right) => (orderOf(left) < orderOf(right) ? -1 : 1));
  return sorted.slice(0, limit).map((one) => ({ ...one, arrival: cursorOf(one) }));
}

function unpadded(stamp: string): string {
  const counter = stamp.slice(EMPTY_STAMP - 5, EMPTY_STAMP - 1).replace(/^0+(?=.)/, "");
  return stamp === "" ? "" : stamp.slice(0, EMPTY_STAMP - 5) + counter + stamp.slice(EMPTY_STAMP - 1);
}
