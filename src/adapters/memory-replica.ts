/**
 * The replica port in memory, as part of a `MemoryStore`: the same contract as the SQLite one.
 * A transaction that throws leaves nothing behind: every write notes how it is undone.
 */
import type { Conflict } from "../core/command.ts";
import { chainAfter, isGivenUp, type Op } from "../core/operation.ts";
import { counterOf, type VectorClock } from "../core/vector-clock.ts";
import {
  type ArrivedOp,
  type Compacted,
  type CompactionFloor,
  lowered,
  mergeFloors,
  type OpLog,
  type OutboxStore,
  type PeerState,
  type RecordPlace,
  type RecordStore,
  type ConflictStore,
  type Replica,
  type OutboxRow,
  type FailureNote,
  type OutboxDepth,
  type WaitingBounds,
} from "../ports/replica.ts";
import { sha256Of } from "./basics.ts";
import { type CompactedLog, type LookedAt, OpCompaction } from "./op-compaction.ts";
import type { Claim, DiskContent, ReplicaContent } from "./memory-disk.ts";
import { QUARANTINED_KEPT, opBytes } from "./store-bounds.ts";
import type { StackMark, ControlEvent } from "../core/control-event.ts";
import type { Published } from "../ports/feed-sink.ts";

/** How the store lets its replica in. Both throw like the store's own reads and writes. */
export interface MemoryAccess {
  read(): DiskContent;
  write(changes: Partial<DiskContent>): void;
  /** Called with conflicts whose outcome is news. */
  conflicted(conflicts: readonly Conflict[]): void;
}

export class MemoryReplica implements Replica {
  readonly #access: MemoryAccess;
  /** How to undo the transaction under way, newest last; null outside of one. */
  #undo: (() => void)[] | null = null;
  /** Maps of which the transaction under way has a copy. */
  readonly #copied = new Set<object>();
  readonly outbox: OutboxStore;
  readonly #compaction = new OpCompaction(this.#compactedLog());

  constructor(access: MemoryAccess) {
    this.#access = access;
    this.outbox = new MemoryOutbox({
      content: () => this.#content,
      put: (map, key, value) => this.#put(map, key, value),
      drop: (map, key) => this.#dropInOrder(map, key),
    });
  }

  hlc(): string {
    return this.#access.read().hlc;
  }

  raiseHlc(hlc: string): void {
    const before = this.#access.read().hlc;
    if (hlc <= before) return;
    this.#write(() => {
      this.#access.write({ hlc });
      return () => this.#access.write({ hlc: before });
    });
  }

  resetHlc(hlc: string): void {
    const before = this.#access.read().hlc;
    this.#write(() => {
      this.#access.write({ hlc });
      return () => this.#access.write({ hlc: before });
    });
  }

  transaction<Result>(work: () => Result): Result {
    this.#access.write({});
    if (this.#undo !== null) throw new Error("broken invariant: transactions are not nested");
    const undo: (() => void)[] = (this.#undo = []);
    this.#copied.clear();
    try {
      return work();
    } catch (error) {
      for (const back of undo.reverse()) back();
      this.#compaction.beginAgain();
      throw error;
    } finally {
      this.#undo = null;
    }
  }

  readonly conflicts: ConflictStore = {
    save: (conflicts) => {
      const kept = this.#access.read().conflicts;
      const news = conflicts.filter(({ id, outcome }) => kept.get(id)?.outcome !== outcome);
      for (const conflict of conflicts) this.#put<Conflict>(kept, conflict.id, conflict);
      if (news.length > 0) this.#access.conflicted(news);
    },
    find: (id) => this.#access.read().conflicts.get(id) ?? null,
  };

  readonly peerState: PeerState = {
    get: (key) => this.#content.peerState.get(key) ?? null,
    set: (key, value) => this.#put(this.#content.peerState, key, value),
    delete: (key) => this.#drop(this.#content.peerState, key),
    withPrefix: (prefix) =>
      [...this.#content.peerState]
        .filter(([key]) => key.startsWith(prefix))
        .sort(([left], [right]) => (left < right ? -1 : 1)),
  };

  readonly records: RecordStore = {
    standing: (entity, field) => this.#content.heads.get(place({ entity, field }))?.[0] ?? null,
    heads: (entity, field) => this.#content.heads.get(place({ entity, field })) ?? [],
    saveHeads: (heads) => {
      if (heads[0] === undefined) return;
      const at = place(heads[0]);
      this.#compaction.moved(this.#content.heads.get(at) ?? [], heads);
      this.#put(this.#content.heads, at, heads);
    },
    replaceHeads: (at, heads) => {
      this.#compaction.moved(this.#content.heads.get(place(at)) ?? [], heads);
      if (heads.length === 0) this.#drop(this.#content.heads, place(at));
      else this.#put(this.#content.heads, place(at), heads);
    },
    list: (entity, after, limit) => this.#sorted(after, entity, ({ kind }) => kind === "set").slice(0, limit),
    all: (after, limit) => this.#sorted(after, null, () => true).slice(0, limit),
  };

  readonly ops: OpLog = {
    vector: () => this.#vector,
    raiseVector: (origin, originSeq) => {
      const { vector, ops, chains } = this.#content;
      const before = vector.get(origin) ?? 0;
      if (originSeq <= before) return;
      this.#put(vector, origin, originSeq);
      // Kept for the newest operation alone once the operation itself was compacted away.
      if (!ops.has(`${origin}/${before}`)) this.#drop(chains, `${origin}/${before}`);
    },
    heads: () =>
      Object.fromEntries([...this.#content.vector].map(([origin, seq]) => [origin, this.ops.headAt(origin, seq)])),
    headAt: (origin, originSeq) =>
      originSeq === 0 ? "" : (this.#content.chains.get(`${origin}/${originSeq}`) ?? null),
    adoptHead: (origin, originSeq, head) => {
      if (this.#content.vector.get(origin) !== originSeq || this.ops.headAt(origin, originSeq) !== null) return;
      this.#put(this.#content.chains, `${origin}/${originSeq}`, head);
    },
    add: (arrived) => this.#add(arrived),
    find: (origin, originSeq) => this.#content.ops.get(`${origin}/${originSeq}`) ?? null,
    withdraw: (origin, keepThrough) => this.#withdraw(origin, keepThrough),
    ofField: (entity, field) =>
      this.#content.arrivals.flatMap(({ op }) => (op.entity === entity && op.field === field ? [op] : [])),
    arrivedAfter: (after, limit, maxBytes, exceptVia = "", alsoVia = exceptVia) =>
      this.#arrivedAfter(after, limit, maxBytes, exceptVia, alsoVia),
    lackedBy: (vector, limit, maxBytes) => lackedFrom(this.#content.ops, this.#vector, vector, { limit, maxBytes }),
    lastArrival: () => this.#content.arrivals.at(-1)?.arrival ?? "",
    arrivalBefore: (count) => this.#content.arrivals.at(-1 - count)?.arrival ?? "",
    newest: (limit, maxBytes = Infinity) => within(lastOf(this.#content.arrivals, limit).reverse(), maxBytes),
    count: () => this.#content.ops.size,
    coveredBy: (clock, after, limit) => coveredBy(this.#content.arrivals, clock, { after, limit }),
    compact: (through, limit) => this.#compact(through, limit),
    floor: () => this.#content.floor,
    raiseFloor: (floor) => this.#raiseFloor(floor),
    setAside: (note) => this.#put(this.#content.aside, `${note.origin}/${note.originSeq}`, note),
    findSetAside: (origin, originSeq) => this.#content.aside.get(`${origin}/${originSeq}`) ?? null,
    forgetSetAside: (origin, originSeq) => this.#dropInOrder(this.#content.aside, `${origin}/${originSeq}`),
    allSetAside: (limit) =>
      [...this.#content.aside.values()]
        .reverse()
        .sort((left, right) => Number(right.dead) - Number(left.dead))
        .slice(0, limit),
    quarantine: (claim) => this.#claim(claim),
    quarantined: (limit) => lastOf(this.#content.claims, limit).reverse(),
  };

  get #content(): ReplicaContent {
    return this.#access.read().replica;
  }

  get #vector(): VectorClock {
    return Object.fromEntries(this.#content.vector);
  }

  #add(arrived: ArrivedOp): void {
    const content = this.#content;
    const key = `${arrived.op.origin}/${arrived.op.originSeq}`;
    if (content.ops.has(key)) throw new Error(`broken invariant: the operation ${key} is held already`);
    if (outOfOrder(content.arrivals, arrived)) throw new Error(`broken invariant: ${key} arrived before the last one`);
    this.#put(content.ops, key, arrived);
    const { origin, originSeq, checksum } = arrived.op;
    const before = this.ops.headAt(origin, originSeq - 1);
    if (before !== null && !isGivenUp(arrived.op))
      this.#put(content.chains, key, chainAfter(before, checksum, sha256Of));
    // Kept for the newest operation alone once the operation itself was compacted away.
    const previous = `${origin}/${originSeq - 1}`;
    if (!content.ops.has(previous)) this.#drop(content.chains, previous);
    this.#write(() => {
      content.arrivals.push(arrived);
      return () => void content.arrivals.pop();
    });
  }

  #withdraw(origin: string, keepThrough: number): readonly ArrivedOp[] {
    const content = this.#content;
    const { arrivals, vector } = content;
    const gone = arrivals.filter(({ op }) => op.origin === origin && op.originSeq > keepThrough);
    for (const { op } of gone) {
      this.#drop(content.ops, `${op.origin}/${op.originSeq}`);
      this.#drop(content.chains, `${op.origin}/${op.originSeq}`);
    }
    if (keepThrough === 0) this.#drop(vector, origin);
    else if ((vector.get(origin) ?? 0) > keepThrough) this.#put(vector, origin, keepThrough);
    const { floor } = content;
    this.#write(() => {
      content.arrivals = arrivals.filter((arrived) => !gone.includes(arrived));
      content.floor = floor === null ? null : lowered(floor, origin, keepThrough);
      return () => Object.assign(content, { arrivals, floor });
    });
    this.#compaction.beginAgain();
    return gone.sort((left, right) => left.op.originSeq - right.op.originSeq);
  }

  #arrivedAfter(
    after: string,
    limit: number,
    maxBytes: number,
    origin: string,
    alsoVia: string | null,
  ): readonly ArrivedOp[] {
    const found: ArrivedOp[] = [];
    let bytes = 0;
    const { arrivals } = this.#content;
    for (let index = firstAfter(arrivals, after); index < arrivals.length; index += 1) {
      const arrived = arrivals[index] as ArrivedOp;
      const isBrought = alsoVia !== null && [origin, alsoVia].includes(arrived.via);
      if (origin !== "" && (isBrought || arrived.op.origin === origin)) continue;
      bytes += bytesOf(arrived.op);
      if (found.length >= limit || (found.length > 0 && bytes > maxBytes)) break;
      found.push(arrived);
    }
    return found;
  }

  #compact(through: string, limit: number): Compacted {
    try {
      this.#access.write({});
      return this.#compaction.step(through, limit);
    } catch (error) {
      this.#compaction.beginAgain();
      throw error;
    }
  }

  #compactedLog(): CompactedLog {
    const looked = ({ op, arrival }: ArrivedOp): LookedAt => {
      const { origin, originSeq } = op;
      const { heads, vector } = this.#content;
      const here = heads.get(place(op)) ?? [];
      const stands = here.some((head) => head.origin === origin && head.originSeq === originSeq);
      const waits = here.some((head) => head.originSeq > (vector.get(head.origin) ?? 0));
      return { origin, originSeq, arrival, stands, waits };
    };
    return {
      next: (after, through, limit) =>
        this.#content.arrivals
          .filter(({ arrival }) => arrival > after && arrival <= through)
          .slice(0, limit)
          .map(looked),
      find: (origin, originSeq) => {
        const found = this.#content.ops.get(`${origin}/${originSeq}`);
        return found === undefined ? null : looked(found);
      },
      drop: (gone) => this.#dropAll(gone),
      floor: () => this.#content.floor,
      held: () => this.#vector,
      raiseFloor: (floor) => this.#raiseFloor(floor),
    };
  }

  #dropAll(gone: readonly LookedAt[]): void {
    const content = this.#content;
    const { arrivals } = content;
    const held = this.#vector;
    const keys = new Set(gone.map(({ origin, originSeq }) => `${origin}/${originSeq}`));
    for (const { origin, originSeq } of gone) {
      this.#drop(content.ops, `${origin}/${originSeq}`);
      if (originSeq < counterOf(held, origin)) this.#drop(content.chains, `${origin}/${originSeq}`);
    }
    this.#write(() => {
      content.arrivals = arrivals.filter(({ op }) => !keys.has(`${op.origin}/${op.originSeq}`));
      return () => Object.assign(content, { arrivals });
    });
  }

  #raiseFloor(given: CompactionFloor): void {
    const content = this.#content;
    const { floor } = content;
    this.#write(() => {
      content.floor = mergeFloors(floor, given);
      return () => (content.floor = floor);
    });
  }

  #claim(claim: Claim): void {
    const content = this.#content;
    const { claims } = content;
    const same = (known: Claim): boolean =>
      known.origin === claim.origin &&
      known.originSeq === claim.originSeq &&
      JSON.stringify(known.content) === JSON.stringify(claim.content);
    if (claims.some(same)) return;
    this.#write(() => {
      content.claims = [...claims, claim].slice(-QUARANTINED_KEPT);
      return () => (content.claims = claims);
    });
  }

  #sorted(after: RecordPlace | null, entity: string | null, wanted: (op: Op) => boolean): Op[] {
    const from = after === null ? "" : place(after);
    return [...this.#content.heads]
      .filter(
        ([key, [op]]) => key > from && op !== undefined && wanted(op) && (entity === null || op.entity === entity),
      )
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .flatMap(([, [op]]) => op ?? []);
  }

  #put<Value>(map: Map<string, Value>, key: string, value: Value): void {
    this.#write(() => {
      const before = map.get(key);
      map.set(key, value);
      return () => (before === undefined ? map.delete(key) : map.set(key, before));
    });
  }

  #drop<Value>(map: Map<string, Value>, key: string): void {
    const before = map.get(key);
    if (before === undefined) return;
    this.#write(() => {
      map.delete(key);
      return () => map.set(key, before);
    });
  }

  /** For maps whose order is told: what is put back stands where it stood. One copy for each transaction is enough. */
  #dropInOrder<Value>(map: Map<string, Value>, key: string): void {
    if (!map.has(key)) return;
    const before = this.#undo === null || this.#copied.has(map) ? null : [...map];
    if (before !== null) this.#copied.add(map);
    this.#write(() => {
      map.delete(key);
      return () => {
        if (before === null) return;
        map.clear();
        for (const [one, value] of before) map.set(one, value);
      };
    });
  }

  /** `change` does something and says how it is undone. */
  #write(change: () => () => unknown): void {
    this.#access.write({});
    const back = change();
    this.#undo?.push(() => void back());
  }
}

/** At least one where there is one, and no more once there are `maxBytes`. */
function within(arrivals: readonly ArrivedOp[], maxBytes: number): readonly ArrivedOp[] {
  let bytes = 0;
  const end = arrivals.findIndex(({ op }, at) => (bytes += bytesOf(op)) > maxBytes && at > 0);
  return end < 0 ? arrivals : arrivals.slice(0, end);
}

/** The last `limit` items, in their order. */
function lastOf<Item>(items: readonly Item[], limit: number): Item[] {
  return items.slice(Math.max(0, items.length - limit));
}

// What a `MemoryReplica` looks up by walking: orders, pages, and what is no longer needed.

/** Key of a field whose order is that of entity, then field. */
export function place({ entity, field }: RecordPlace): string {
  return `${entity}\u0000${field}`;
}

/** What the operation weighs in a page. */
export function bytesOf(op: Op): number {
  return opBytes({ ...op, payload: JSON.stringify(op.payload), clock: JSON.stringify(op.clock) });
}

export function outOfOrder(arrivals: readonly ArrivedOp[], next: ArrivedOp): boolean {
  return next.arrival <= (arrivals.at(-1)?.arrival ?? "");
}

/** Where in `arrivals` those after `after` begin. */
export function firstAfter(arrivals: readonly ArrivedOp[], after: string): number {
  let from = 0;
  let to = arrivals.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((arrivals[middle]?.arrival ?? "") > after) to = middle;
    else from = middle + 1;
  }
  return from;
}

/** See `OpLog.coveredBy`. */
export function coveredBy(
  arrivals: readonly ArrivedOp[],
  clock: VectorClock,
  { after, limit }: { readonly after: string; readonly limit: number },
): string {
  const first = firstAfter(arrivals, after);
  let covered = after;
  for (const { op, arrival } of arrivals.slice(first, first + limit)) {
    if (op.originSeq > counterOf(clock, op.origin)) break;
    covered = arrival;
  }
  return covered;
}

/** What `theirs` lacks of `held`, each origin in order. */
export function lackedFrom(
  ops: ReadonlyMap<string, ArrivedOp>,
  held: VectorClock,
  theirs: VectorClock,
  bounds: { readonly limit: number; readonly maxBytes: number },
): readonly Op[] {
  const lacked: Op[] = [];
  let bytes = 0;
  const inOrder = [...ops.values()].map(({ op }) => op).sort((left, right) => left.originSeq - right.originSeq);
  for (const origin of Object.keys(held)) {
    const known = counterOf(theirs, origin);
    if (known >= counterOf(held, origin)) continue;
    for (const op of inOrder.filter((one) => one.origin === origin && one.originSeq > known)) {
      lacked.push(op);
      bytes += bytesOf(op);
      if (lacked.length >= bounds.limit || bytes >= bounds.maxBytes) return lacked;
    }
  }
  return lacked;
}

// The outbox of a store in memory: the same contract as the SQLite one.

/** How the replica lets its outbox write, so that a transaction that fails is undone. */
export interface OutboxAccess {
  content(): ReplicaContent;
  put<Value>(map: Map<string, Value>, key: string, value: Value): void;
  drop<Value>(map: Map<string, Value>, key: string): void;
}

export class MemoryOutbox implements OutboxStore {
  readonly #access: OutboxAccess;

  constructor(access: OutboxAccess) {
    this.#access = access;
  }

  add(event: ControlEvent, atUnixMs: number): void {
    if (this.#rows.has(event.eventId)) return;
    const fresh = { attempts: 0, dead: false, reason: "", publishedAtUnixMs: null, controlVersion: null };
    this.#put({ event: { ...event }, addedAtUnixMs: atUnixMs, ...fresh });
  }

  withdraw(stackId: string, afterVersion: number): void {
    for (const { event } of this.#waitingIn(stackId)) if (event.version > afterVersion) this.drop(event.eventId);
    if ((this.mark(stackId)?.version ?? 0) > afterVersion) this.#access.drop(this.#access.content().marks, stackId);
  }

  stacksAfter(stackId: string, limit: number): readonly string[] {
    const names = new Set<string>();
    for (const { event } of this.#waiting.values()) names.add(event.stackId);
    return [...names]
      .filter((name) => name > stackId)
      .sort()
      .slice(0, limit);
  }

  waiting(stackId: string, { limit, maxBytes, throughVersion }: WaitingBounds): readonly OutboxRow[] {
    const rows: OutboxRow[] = [];
    let bytes = 0;
    for (const row of this.#waitingIn(stackId)) {
      if (row.event.version > throughVersion || rows.length >= limit) break;
      rows.push(row);
      bytes += JSON.stringify(row.event.payload).length;
      if (bytes >= maxBytes) break;
    }
    return rows;
  }

  find(eventId: string): OutboxRow | null {
    return this.#rows.get(eventId) ?? null;
  }

  rewind(dropStack: string): void {
    for (const row of [...this.#rows.values()]) {
      if (row.publishedAtUnixMs === null) continue;
      if (row.event.stackId === dropStack) this.#access.drop(this.#rows, row.event.eventId);
      else {
        const fresh = { attempts: 0, dead: false, reason: "", publishedAtUnixMs: null, controlVersion: null };
        this.#put({ ...row, ...fresh });
      }
    }
    for (const stackId of [...this.#access.content().marks.keys()]) {
      this.#access.drop(this.#access.content().marks, stackId);
    }
  }

  published(events: readonly Published[], atUnixMs: number): void {
    for (const { eventId, controlVersion } of events) {
      const row = this.#rows.get(eventId);
      if (row === undefined) continue;
      this.#put({ ...row, publishedAtUnixMs: atUnixMs, controlVersion, dead: false });
    }
    const last = events.at(-1);
    const row = last === undefined ? undefined : this.#rows.get(last.eventId);
    if (last === undefined || row === undefined) return;
    const { stackId, version, eventId } = row.event;
    this.#mark({ stackId, version, eventId, controlVersion: last.controlVersion });
  }

  publishedThrough(mark: StackMark, atUnixMs: number): void {
    for (const row of this.#waitingIn(mark.stackId)) {
      if (row.event.version <= mark.version) this.#put({ ...row, publishedAtUnixMs: atUnixMs, dead: false });
    }
    this.#mark(mark);
  }

  mark(stackId: string): StackMark | null {
    return this.#access.content().marks.get(stackId) ?? null;
  }

  marksAfter(stackId: string, limit: number): readonly StackMark[] {
    const marks = [...this.#access.content().marks.values()].filter((mark) => mark.stackId > stackId);
    return marks.sort((left, right) => (left.stackId < right.stackId ? -1 : 1)).slice(0, limit);
  }

  noteFailure(eventId: string, note: FailureNote): void {
    const row = this.#waitingRow(eventId);
    if (row !== null) this.#put({ ...row, ...note });
  }

  replace({ eventId, eventType, payload }: ControlEvent): void {
    const row = this.#waitingRow(eventId);
    if (row === null) return;
    const { artifactRef: _ref, checksum: _sum, ...event } = row.event;
    this.#put({ ...row, event: { ...event, eventType, payload }, attempts: 0, dead: false, reason: "" });
  }

  drop(eventId: string): void {
    if (this.#waitingRow(eventId) === null) return;
    this.#access.drop(this.#rows, eventId);
    this.#access.drop(this.#waiting, eventId);
  }

  deadLetters(limit: number): readonly OutboxRow[] {
    return [...this.#waiting.values()].filter(({ dead }) => dead).slice(0, limit);
  }

  depth(): OutboxDepth {
    let dead = 0;
    for (const row of this.#waiting.values()) if (row.dead) dead += 1;
    const [oldest = null] = this.#waiting.values();
    return { waiting: this.#waiting.size, dead, oldest };
  }

  dropPublished(beforeUnixMs: number, limit: number): number {
    const gone = [...this.#rows.values()]
      .filter(({ publishedAtUnixMs }) => publishedAtUnixMs !== null && publishedAtUnixMs < beforeUnixMs)
      .sort((left, right) => Number(left.publishedAtUnixMs) - Number(right.publishedAtUnixMs))
      .slice(0, limit);
    for (const { event } of gone) this.#access.drop(this.#rows, event.eventId);
    return gone.length;
  }

  get #rows(): Map<string, OutboxRow> {
    return this.#access.content().outbox;
  }

  get #waiting(): Map<string, OutboxRow> {
    return this.#access.content().waiting;
  }

  #waitingIn(stackId: string): OutboxRow[] {
    return [...this.#waiting.values()]
      .filter(({ event }) => event.stackId === stackId)
      .sort((left, right) => left.event.version - right.event.version);
  }

  #waitingRow(eventId: string): OutboxRow | null {
    return this.#waiting.get(eventId) ?? null;
  }

  #put(row: OutboxRow): void {
    const { eventId } = row.event;
    this.#access.put(this.#rows, eventId, row);
    if (row.publishedAtUnixMs === null) this.#access.put(this.#waiting, eventId, row);
    else this.#access.drop(this.#waiting, eventId);
  }

  #mark(mark: StackMark): void {
    if (mark.version < (this.mark(mark.stackId)?.version ?? 0)) return;
    this.#access.put(this.#access.content().marks, mark.stackId, mark);
  }
}
