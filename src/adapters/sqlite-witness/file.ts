/**
 * The SQLite file of the witness: opening it, noticing that it was replaced, its tables and statements.
 * Keeps true: what is open is the file that stands under the path now. A file that another process holds is waited for
 * `busyMs` at most. A file that is something else is left as it is.
 * Does not know: what a record or a lock means.
 */
import type { Database } from "better-sqlite3";
import { randomUUID } from "node:crypto";
import { statSync } from "node:fs";
import { dirname } from "node:path";
import type { LockId } from "../../core/ids.ts";
import type { RunId } from "../../ports/witness.ts";
import { makeFolder, openDatabase } from "../local-lock.ts";

export interface WitnessFileInit {
  readonly path: string;
  /** How long a statement may wait for the other process, ms. */
  readonly busyMs: number;
}

/** The lock as it is kept: it stands for `ttlMs` from `grantedUnixMs`. */
export interface LockRow {
  readonly lockId: LockId;
  readonly holder: string;
  readonly fence: number;
  readonly grantedUnixMs: number;
  readonly ttlMs: number;
}

/** Why a call failed, in words that are safe to show, and whether it is certain that nothing was done. */
export interface WitnessFileFault {
  readonly reason: string;
  readonly notDone: boolean;
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS life (one INTEGER PRIMARY KEY CHECK (one = 1), run_id TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS record (pair TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS fence (pair TEXT PRIMARY KEY, fence INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS lock (
    pair TEXT PRIMARY KEY, lock_id TEXT NOT NULL, holder TEXT NOT NULL, fence INTEGER NOT NULL,
    granted_unix_ms REAL NOT NULL, ttl_ms REAL NOT NULL
  ) STRICT;`;

/** SQLite answers at once instead of waiting when two processes switch a fresh file to WAL together: asked again. */
const WAL_RETRY_MS = 2;
const MAX_WAL_RETRIES = 10;

/** By the beginning of SQLite's or the system's error code; the first that fits. */
const FAULTS: readonly (readonly [code: string, fault: WitnessFileFault])[] = [
  ["SQLITE_BUSY", { reason: "the file is busy", notDone: true }],
  ["SQLITE_LOCKED", { reason: "the file is busy", notDone: true }],
  ["SQLITE_FULL", { reason: "the disk is full", notDone: true }],
  ["ENOSPC", { reason: "the disk is full", notDone: true }],
  ["SQLITE_READONLY", { reason: "the file cannot be written", notDone: true }],
  ["SQLITE_CANTOPEN", { reason: "the file cannot be opened", notDone: true }],
  ["SQLITE_NOTADB", { reason: "the file is not a witness file", notDone: true }],
  ["SQLITE_ERROR", { reason: "the file is not a witness file", notDone: true }],
  ["SQLITE_CORRUPT", { reason: "the file is damaged", notDone: false }],
  ["SQLITE_IOERR", { reason: "the file cannot be read or written", notDone: false }],
  ["E", { reason: "the file cannot be opened", notDone: true }],
];

/** Reads an error of this file, or of anything done with it. */
export function witnessFileFault(error: unknown): WitnessFileFault {
  if (error instanceof WitnessFileUnusable) return { reason: error.message, notDone: true };
  const code = codeOf(error);
  const known = FAULTS.find(([start]) => code.startsWith(start));
  return known?.[1] ?? { reason: "the file cannot be used", notDone: false };
}

function codeOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : "";
  return typeof code === "string" ? code : "";
}

/** Says in its message, in safe words, why the file cannot serve. Nothing was done. */
export class WitnessFileUnusable extends Error {}

/** The file under a path, opened when it is needed and again when another stands there. */
export class WitnessFile {
  readonly #init: WitnessFileInit;
  #open: { readonly file: OpenWitnessFile; readonly identity: string } | null = null;
  #closed = false;

  constructor(init: WitnessFileInit) {
    this.#init = init;
  }

  /** The file as it stands now. Throws what `witnessFileFault` reads. */
  open(): OpenWitnessFile {
    if (this.#closed) throw new WitnessFileUnusable("closed");
    if (this.#open !== null && this.#open.identity === identityOf(this.#init.path)) return this.#open.file;
    this.#letGo();
    makeFolder(dirname(this.#init.path), 0o755);
    const file = new OpenWitnessFile(this.#init);
    this.#open = { file, identity: identityOf(this.#init.path) };
    return file;
  }

  close(): void {
    this.#closed = true;
    this.#letGo();
  }

  #letGo(): void {
    this.#open?.file.close();
    this.#open = null;
  }
}

/** One opening of the file: its statements, each prepared once. */
export class OpenWitnessFile {
  /** Made with the file; another file has another one. */
  readonly runId: RunId;
  readonly #db: Database;
  readonly #statements: Statements;

  constructor({ path, busyMs }: WitnessFileInit) {
    this.#db = openDatabase(path, { timeout: busyMs });
    try {
      switchToWal(this.#db);
      this.#db.pragma("synchronous = NORMAL");
      this.runId = this.atomically(() => lifeOf(this.#db));
      this.#statements = prepare(this.#db);
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  /** Runs `step` as one transaction that no other writer comes between; rolled back when it throws. */
  atomically<Result>(step: () => Result): Result {
    return this.#db.transaction(step).immediate();
  }

  recordText(pair: string): string | null {
    return this.#statements.readRecord.get(pair)?.body ?? null;
  }

  keepRecord(pair: string, body: string): void {
    this.#statements.keepRecord.run(pair, body);
  }

  lock(pair: string): LockRow | null {
    return this.#statements.readLock.get(pair) ?? null;
  }

  keepLock(pair: string, lock: LockRow): void {
    this.#statements.keepLock.run({ pair, ...lock });
  }

  dropLock(pair: string): void {
    this.#statements.dropLock.run(pair);
  }

  /** The last fence that was given; `null` when the file remembers none. */
  fence(pair: string): number | null {
    return this.#statements.readFence.get(pair)?.fence ?? null;
  }

  keepFence(pair: string, fence: number): void {
    this.#statements.keepFence.run(pair, fence);
  }

  close(): void {
    this.#db.close();
  }
}

type Statements = ReturnType<typeof prepare>;

function prepare(db: Database) {
  return {
    readRecord: db.prepare<[string], { body: string }>("SELECT body FROM record WHERE pair = ?"),
    keepRecord: db.prepare<[string, string]>("INSERT OR REPLACE INTO record (pair, body) VALUES (?, ?)"),
    readLock: db.prepare<[string], LockRow>(
      `SELECT lock_id AS lockId, holder, fence, granted_unix_ms AS grantedUnixMs, ttl_ms AS ttlMs
       FROM lock WHERE pair = ?`,
    ),
    keepLock: db.prepare<[LockRow & { readonly pair: string }]>(
      `INSERT OR REPLACE INTO lock (pair, lock_id, holder, fence, granted_unix_ms, ttl_ms)
       VALUES (@pair, @lockId, @holder, @fence, @grantedUnixMs, @ttlMs)`,
    ),
    dropLock: db.prepare<[string]>("DELETE FROM lock WHERE pair = ?"),
    readFence: db.prepare<[string], { fence: number }>("SELECT fence FROM fence WHERE pair = ?"),
    keepFence: db.prepare<[string, number]>("INSERT OR REPLACE INTO fence (pair, fence) VALUES (?, ?)"),
  };
}

/** The run id of a file; makes the tables and the id where there are none. */
function lifeOf(db: Database): RunId {
  db.exec(SCHEMA);
  db.prepare("INSERT OR IGNORE INTO life (one, run_id) VALUES (1, ?)").run(`sqlite-${randomUUID()}`);
  const life = db.prepare<[], { runId: string }>("SELECT run_id AS runId FROM life").get();
  if (life === undefined) throw new WitnessFileUnusable("the file is not a witness file");
  return life.runId;
}

function switchToWal(db: Database): void {
  for (let retries = 0; ; retries += 1) {
    try {
      db.pragma("journal_mode = WAL");
      return;
    } catch (error) {
      if (!codeOf(error).startsWith("SQLITE_BUSY") || retries === MAX_WAL_RETRIES) throw error;
      sleep(WAL_RETRY_MS);
    }
  }
}

/** Stands still, as SQLite itself does while it waits for a file. */
function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/**
 * Tells one file from another under the same path. While the old one is open, its inode is not given to a new one.
 * The empty text: there is none.
 */
function identityOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false, bigint: true });
  return stat === undefined ? "" : `${stat.dev}:${stat.ino}`;
}
