/** Control events as rows, and the marks of their stacks: the statements of the outbox. */
import type { Database, Statement } from "better-sqlite3";
import type { ControlEvent, StackMark } from "../../core/control-event.ts";
import type { Published } from "../../ports/feed-sink.ts";
import type { FailureNote, OutboxDepth, OutboxRow, WaitingBounds } from "../../ports/replica.ts";
import { readJson } from "./errors.ts";

interface Columns {
  readonly event_id: string;
  readonly event_type: string;
  readonly tenant_id: string;
  readonly stack_id: string;
  readonly version: number;
  readonly base_version: number;
  readonly artifact_ref: string | null;
  readonly checksum: string | null;
  readonly payload: string;
  readonly added_at_unix_ms: number;
  readonly attempts: number;
  readonly dead: number;
  readonly reason: string;
  readonly published_at_unix_ms: number | null;
  readonly control_version: number | null;
}

type Values = [string, string, string, string, number, number, string | null, string | null, string, number];

const TABLE = "control_events_outbox";
const WAITS = "published_at_unix_ms IS NULL";
const CONTENT =
  "event_id, event_type, tenant_id, stack_id, version, base_version, artifact_ref, checksum, payload, added_at_unix_ms";
const FIELDS = `${CONTENT}, attempts, dead, reason, published_at_unix_ms, control_version`;
const MARK = "stack_id AS stackId, version, event_id AS eventId, control_version AS controlVersion";
/** The next stack after each, found by the index without looking at the rows between. */
const STACKS = `
  WITH RECURSIVE stacks (id) AS (
    SELECT min(stack_id) FROM ${TABLE} WHERE ${WAITS} AND stack_id > ?
    UNION ALL
    SELECT (SELECT min(stack_id) FROM ${TABLE} WHERE ${WAITS} AND stack_id > stacks.id) FROM stacks
      WHERE stacks.id IS NOT NULL
  )
  SELECT id FROM stacks WHERE id IS NOT NULL LIMIT +?`;

/** The statements on `control_events_outbox` and `outbox_marks`. */
export class OutboxTable {
  readonly #add: Statement<Values>;
  readonly #withdraw: Statement<[string, number]>;
  readonly #stacks: Statement<[string, number], { readonly id: string }>;
  readonly #waiting: Statement<[string, number, number], Columns>;
  readonly #find: Statement<[string], Columns>;
  readonly #published: Statement<[number, number, string]>;
  readonly #through: Statement<[number, string, number]>;
  readonly #mark: Statement<[string, number, string, number]>;
  readonly #lowerMark: Statement<[string, number]>;
  readonly #markOf: Statement<[string], StackMark>;
  readonly #marks: Statement<[string, number], StackMark>;
  readonly #failed: Statement<[number, number, string, string]>;
  readonly #replace: Statement<[string, string, string]>;
  readonly #drop: Statement<[string]>;
  readonly #dropStack: Statement<[string]>;
  readonly #rewind: Statement<[]>;
  readonly #dropMarks: Statement<[]>;
  readonly #dead: Statement<[number], Columns>;
  readonly #counts: Statement<[], { readonly waiting: number; readonly dead: number; readonly oldest: number | null }>;
  readonly #at: Statement<[number], Columns>;
  readonly #dropPublished: Statement<[number, number]>;

  constructor(db: Database) {
    this.#add = db.prepare(`INSERT INTO ${TABLE} (${CONTENT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (event_id) DO NOTHING`);
    this.#withdraw = db.prepare(`DELETE FROM ${TABLE} WHERE ${WAITS} AND stack_id = ? AND version > ?`);
    this.#stacks = db.prepare(STACKS);
    this.#waiting = db.prepare(`SELECT ${FIELDS} FROM ${TABLE}
      WHERE ${WAITS} AND stack_id = +? AND version <= ? ORDER BY version, place LIMIT +?`);
    this.#find = db.prepare(`SELECT ${FIELDS} FROM ${TABLE} WHERE event_id = ?`);
    this.#published = db.prepare(`UPDATE ${TABLE} SET published_at_unix_ms = ?, control_version = ?, dead = 0
      WHERE event_id = ?`);
    this.#through = db.prepare(`UPDATE ${TABLE} SET published_at_unix_ms = ?, dead = 0
      WHERE ${WAITS} AND stack_id = ? AND version <= ?`);
    this.#mark = db.prepare(`INSERT INTO outbox_marks (stack_id, version, event_id, control_version)
      VALUES (?, ?, ?, ?) ON CONFLICT (stack_id) DO UPDATE SET version = excluded.version,
      event_id = excluded.event_id, control_version = excluded.control_version
      WHERE excluded.version >= outbox_marks.version`);
    this.#lowerMark = db.prepare("DELETE FROM outbox_marks WHERE stack_id = ? AND version > ?");
    this.#markOf = db.prepare(`SELECT ${MARK} FROM outbox_marks WHERE stack_id = ?`);
    this.#marks = db.prepare(`SELECT ${MARK} FROM outbox_marks WHERE stack_id > ? ORDER BY stack_id LIMIT +?`);
    this.#failed = db.prepare(`UPDATE ${TABLE} SET attempts = ?, dead = ?, reason = ? WHERE ${WAITS} AND event_id = ?`);
    this.#replace = db.prepare(`UPDATE ${TABLE} SET event_type = ?, payload = ?, artifact_ref = NULL, checksum = NULL,
      attempts = 0, dead = 0, reason = '' WHERE ${WAITS} AND event_id = ?`);
    this.#drop = db.prepare(`DELETE FROM ${TABLE} WHERE ${WAITS} AND event_id = ?`);
    this.#dropStack = db.prepare(`DELETE FROM ${TABLE} WHERE published_at_unix_ms IS NOT NULL AND stack_id = ?`);
    this.#rewind = db.prepare(`UPDATE ${TABLE} SET published_at_unix_ms = NULL, control_version = NULL,
      attempts = 0, dead = 0, reason = '' WHERE published_at_unix_ms IS NOT NULL`);
    this.#dropMarks = db.prepare("DELETE FROM outbox_marks");
    this.#dead = db.prepare(`SELECT ${FIELDS} FROM ${TABLE} WHERE dead = 1 ORDER BY place LIMIT +?`);
    this.#counts = db.prepare(`SELECT count(*) AS waiting, min(place) AS oldest,
      (SELECT count(*) FROM ${TABLE} WHERE dead = 1) AS dead FROM ${TABLE} INDEXED BY outbox_waiting WHERE ${WAITS}`);
    this.#at = db.prepare(`SELECT ${FIELDS} FROM ${TABLE} WHERE place = ?`);
    this.#dropPublished = db.prepare(`DELETE FROM ${TABLE} WHERE place IN (SELECT place FROM ${TABLE}
      WHERE published_at_unix_ms < ? ORDER BY published_at_unix_ms LIMIT +?)`);
  }

  add(event: ControlEvent, atUnixMs: number): void {
    const { eventId, eventType, tenantId, stackId, version, baseVersion, artifactRef, checksum, payload } = event;
    this.#add.run(
      ...([eventId, eventType, tenantId, stackId, version, baseVersion] as const),
      ...([artifactRef ?? null, checksum ?? null, JSON.stringify(payload), atUnixMs] as const),
    );
  }

  withdraw(stackId: string, afterVersion: number): void {
    this.#withdraw.run(stackId, afterVersion);
    this.#lowerMark.run(stackId, afterVersion);
  }

  stacksAfter(stackId: string, limit: number): readonly string[] {
    return this.#stacks.all(stackId, limit).map(({ id }) => id);
  }

  waiting(stackId: string, { limit, maxBytes, throughVersion }: WaitingBounds): readonly OutboxRow[] {
    const rows: OutboxRow[] = [];
    let bytes = 0;
    for (const columns of this.#waiting.iterate(stackId, throughVersion, limit)) {
      rows.push(toRow(columns));
      bytes += columns.payload.length;
      if (bytes >= maxBytes) break;
    }
    return rows;
  }

  find(eventId: string): OutboxRow | null {
    const columns = this.#find.get(eventId);
    return columns === undefined ? null : toRow(columns);
  }

  rewind(dropStack: string): void {
    this.#dropStack.run(dropStack);
    this.#rewind.run();
    this.#dropMarks.run();
  }

  published(events: readonly Published[], atUnixMs: number): void {
    for (const { eventId, controlVersion } of events) this.#published.run(atUnixMs, controlVersion, eventId);
    const last = events.at(-1);
    const row = last === undefined ? undefined : this.#find.get(last.eventId);
    if (last === undefined || row === undefined) return;
    this.#mark.run(row.stack_id, row.version, last.eventId, last.controlVersion);
  }

  publishedThrough(mark: StackMark, atUnixMs: number): void {
    const { stackId, version, eventId, controlVersion } = mark;
    this.#through.run(atUnixMs, stackId, version);
    this.#mark.run(stackId, version, eventId, controlVersion);
  }

  mark(stackId: string): StackMark | null {
    return this.#markOf.get(stackId) ?? null;
  }

  marksAfter(stackId: string, limit: number): readonly StackMark[] {
    return this.#marks.all(stackId, limit);
  }

  noteFailure(eventId: string, { attempts, dead, reason }: FailureNote): void {
    this.#failed.run(attempts, dead ? 1 : 0, reason, eventId);
  }

  replace({ eventId, eventType, payload }: ControlEvent): void {
    this.#replace.run(eventType, JSON.stringify(payload), eventId);
  }

  drop(eventId: string): void {
    this.#drop.run(eventId);
  }

  deadLetters(limit: number): readonly OutboxRow[] {
    return this.#dead.all(limit).map(toRow);
  }

  depth(): OutboxDepth {
    const { waiting, dead, oldest } = this.#counts.get() ?? { waiting: 0, dead: 0, oldest: null };
    const columns = oldest === null ? undefined : this.#at.get(oldest);
    return { waiting, dead, oldest: columns === undefined ? null : toRow(columns) };
  }

  dropPublished(beforeUnixMs: number, limit: number): number {
    return this.#dropPublished.run(beforeUnixMs, limit).changes;
  }
}

function toRow(columns: Columns): OutboxRow {
  const { artifact_ref: artifactRef, checksum } = columns;
  return {
    event: {
      eventId: columns.event_id,
      eventType: columns.event_type,
      tenantId: columns.tenant_id,
      stackId: columns.stack_id,
      version: columns.version,
      baseVersion: columns.base_version,
      ...(artifactRef === null ? {} : { artifactRef }),
      ...(checksum === null ? {} : { checksum }),
      payload: readJson(columns.payload, `the payload of event ${columns.event_id}`),
    },
    addedAtUnixMs: columns.added_at_unix_ms,
    attempts: columns.attempts,
    dead: columns.dead === 1,
    reason: columns.reason,
    publishedAtUnixMs: columns.published_at_unix_ms,
    controlVersion: columns.control_version,
  };
}
