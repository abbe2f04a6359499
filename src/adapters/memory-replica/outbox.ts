/** The outbox of a store in memory: the same contract as the SQLite one. */
import type { ControlEvent, StackMark } from "../../core/control-event.ts";
import type { Published } from "../../ports/feed-sink.ts";
import type { FailureNote, OutboxDepth, OutboxRow, OutboxStore, WaitingBounds } from "../../ports/replica.ts";
import type { ReplicaContent } from "./content.ts";

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
