/**
 * Commands as rows of the op log, and the runs of the log's shape.
 * It does not know which rows may be written; `core/log-rules` has said so before.
 */
import type { Database, Statement } from "better-sqlite3";
import type { Command, EpochRun } from "../../core/command.ts";
import type { LogShape } from "../../core/fork.ts";
import type { EngineId } from "../../core/ids.ts";
import { counterOf, mergeClocks, type VectorClock } from "../../core/vector-clock.ts";
import { readClock, readJson } from "./errors.ts";

interface CommandRow {
  readonly origin: string;
  readonly origin_seq: number;
  readonly hlc: string;
  readonly epoch: number;
  readonly seq: number;
  readonly kind: string;
  readonly payload: string;
  readonly clock: string;
  readonly execute_at_us: number;
  readonly idempotency_key: string | null;
}

interface OriginRow {
  readonly origin: string;
  readonly originSeq: number;
}

const COLUMNS = "origin, origin_seq, hlc, epoch, seq, kind, payload, clock, execute_at_us, idempotency_key";

type CommandValues = [string, number, string, number, number, string, string, string, number, string | null];

/** The statements on `ops` and `log_runs`. */
export class CommandTable {
  readonly #insert: Statement<CommandValues>;
  readonly #after: Statement<[number, number], CommandRow>;
  readonly #count: Statement<[], { readonly count: number }>;
  readonly #origins: Statement<[number], OriginRow>;
  readonly #highest: Statement<[string], OriginRow>;
  readonly #lowest: Statement<[string], OriginRow>;
  readonly #first: Statement<[], { readonly seq: number | null }>;
  readonly #dropThrough: Statement<[number]>;
  readonly #dropAfter: Statement<[number]>;
  readonly #runs: Statement<[], EpochRun>;
  readonly #saveRun: Statement<[number, number, number]>;
  readonly #dropRuns: Statement<[]>;

  constructor(db: Database) {
    this.#insert = db.prepare(`INSERT INTO ops (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
    this.#after = db.prepare(`SELECT ${COLUMNS} FROM ops WHERE seq > ? ORDER BY seq LIMIT +?`);
    this.#count = db.prepare("SELECT count(*) AS count FROM ops WHERE seq IS NOT NULL");
    this.#origins = db.prepare(
      "SELECT origin, max(origin_seq) AS originSeq FROM ops WHERE seq IS NOT NULL AND seq <= ? GROUP BY origin",
    );
    const ofOrigin = "SELECT origin, origin_seq AS originSeq FROM ops WHERE origin = +? AND seq IS NOT NULL";
    this.#highest = db.prepare(`${ofOrigin} ORDER BY origin_seq DESC LIMIT 1`);
    this.#lowest = db.prepare(`${ofOrigin} ORDER BY origin_seq LIMIT 1`);
    this.#first = db.prepare("SELECT min(seq) AS seq FROM ops WHERE seq IS NOT NULL");
    this.#dropThrough = db.prepare("DELETE FROM ops WHERE seq <= ?");
    this.#dropAfter = db.prepare("DELETE FROM ops WHERE seq > ?");
    this.#runs = db.prepare('SELECT epoch, from_seq AS "from", to_seq AS "to" FROM log_runs ORDER BY from_seq');
    this.#saveRun = db.prepare("INSERT OR REPLACE INTO log_runs (from_seq, to_seq, epoch) VALUES (?, ?, ?)");
    this.#dropRuns = db.prepare("DELETE FROM log_runs");
  }

  insert(commands: readonly Command[]): void {
    for (const command of commands) {
      this.#insert.run(
        command.origin,
        command.originSeq,
        command.hlc,
        command.epoch,
        command.seq,
        command.kind,
        JSON.stringify(command.payload),
        JSON.stringify(command.clock),
        command.executeAtUs,
        command.idempotencyKey,
      );
    }
  }

  /** At least one where there is one, at most `limit`, and no more once there are `maxBytes` of payload. */
  after(afterSeq: number, limit: number, maxBytes: number): readonly Command[] {
    const commands: Command[] = [];
    let bytes = 0;
    for (const row of this.#after.iterate(afterSeq, limit)) {
      commands.push(toCommand(row));
      bytes += row.payload.length;
      if (bytes >= maxBytes) break;
    }
    return commands;
  }

  /** `null` when none is held. */
  firstSeq(): number | null {
    return this.#first.get()?.seq ?? null;
  }

  /** How many are held. */
  count(): number {
    return this.#count.get()?.count ?? 0;
  }

  /** The highest number of each origin among the commands held through `seq`, with what `base` counts below them. */
  clockThrough(seq: number, base: VectorClock): VectorClock {
    const held = this.#origins.all(seq).map(({ origin, originSeq }) => [origin, originSeq] as const);
    return mergeClocks(base, Object.fromEntries(held));
  }

  /** The same through the end, for the origins that `known` names: at a cost that does not grow with the log. */
  clockOf(known: VectorClock, base: VectorClock): VectorClock {
    const clock: Record<string, number> = { ...base };
    for (const origin of Object.keys(known)) {
      const highest = this.#highest.get(origin)?.originSeq;
      if (highest !== undefined) clock[origin] = Math.max(counterOf(clock, origin), highest);
    }
    return clock;
  }

  /** What `clock` can have counted below the commands that are held, where nobody has written that down. */
  clockBelow(clock: VectorClock): VectorClock {
    const below = Object.entries(clock).map(([origin, seq]) => {
      const lowest = this.#lowest.get(origin)?.originSeq;
      return [origin, lowest === undefined ? seq : lowest - 1] as const;
    });
    return Object.fromEntries(below.filter(([, seq]) => seq > 0));
  }

  dropThrough(seq: number): void {
    this.#dropThrough.run(seq);
  }

  dropAfter(seq: number): void {
    this.#dropAfter.run(seq);
  }

  shape(): LogShape {
    return this.#runs.all();
  }

  /** Stores the runs of `shape` that reach beyond `storedThroughSeq`. */
  saveRuns(shape: LogShape, storedThroughSeq: number): void {
    for (let index = shape.length - 1; index >= 0; index -= 1) {
      const run = shape[index] as EpochRun;
      if (run.to <= storedThroughSeq) return;
      this.#saveRun.run(run.from, run.to, run.epoch);
    }
  }

  replaceRuns(shape: LogShape): void {
    this.#dropRuns.run();
    this.saveRuns(shape, 0);
  }
}

function toCommand(row: CommandRow): Command {
  return {
    seq: row.seq,
    epoch: row.epoch,
    hlc: row.hlc,
    executeAtUs: row.execute_at_us,
    kind: row.kind,
    payload: readJson(row.payload, `the payload of command ${row.seq}`),
    origin: row.origin as EngineId,
    originSeq: row.origin_seq,
    idempotencyKey: row.idempotency_key,
    clock: readClock(row.clock, `clock of command ${row.seq}`),
  };
}
