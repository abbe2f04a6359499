/**
 * The witness for two engines on one host: one SQLite file that both open.
 * Keeps true:
 * - Every call is one short transaction within one synchronous call, so that a frozen process holds up the other only
 *   if it was frozen inside those microseconds; then the other waits `busyMs` at most and answers `unreachable`.
 * - The run id is made with the file, and each call checks that the file still stands: a removed or replaced one is
 *   noticed [CP5]. (Remove its `-wal` and `-shm` with it.)
 * - The lock lapses by the wall clock, the only one that two processes share through the port. A clock set back cannot
 *   keep it for ever: a lock from the future is counted again by anyone who wants it next, so that it stands twice its TTL
 *   at most. A clock set forward ends it early, which its fence makes harmless [RL3]. No clock touches the record.
 * - `synchronous` is NORMAL: a commit does not wait for the disk, so that a slow disk does not hold up the engine's loop.
 *   The file outlives every process. A power cut may take the last commits, but it takes both engines and their votes
 *   with it: their own stores keep the epochs [EP2], and the quarantine after a start covers an older record [CP5].
 * It does not know who leads. Must not be the event store's file: that one may be busy for longer.
 */
import type { LockId } from "../core/ids.ts";
import type { Clock } from "../ports/basics.ts";
import type {
  ExpectedRecord,
  LockAcquire,
  LockRead,
  LockRefresh,
  LockRelease,
  LockState,
  StrangeContent,
  Witness,
  WitnessRead,
  WitnessRecord,
  WitnessSwap,
  RunId,
} from "../ports/witness.ts";
import { type LockRequest, makeFolder, openDatabase } from "./local-lock.ts";
import { isExpected, isStrange, recordFromText, recordToText } from "./witness-record.ts";
import type { Database } from "better-sqlite3";
import { randomUUID } from "node:crypto";
import { statSync } from "node:fs";
import { dirname } from "node:path";

/** Settings of `SqliteWitness`. */
export interface SqliteWitnessInit {
  /** Path of the file; made with its folder when it does not exist. */
  readonly file: string;
  /** Name of the pair: one file may serve several. */
  readonly pair: string;
  /** How long a call may wait for the other process, ms: the loop stands still meanwhile. Default 20. */
  readonly busyMs?: number;
}

const DEFAULT_BUSY_MS = 20;

interface Failed<Outcome> {
  readonly outcome: Outcome;
  readonly reason: string;
}

export class SqliteWitness implements Witness {
  readonly kind = "sqlite";
  readonly #clock: Clock;
  readonly #file: WitnessFile;
  readonly #pair: string;
  /** The highest fence seen here: a file that was lost gives none below it. */
  #fenceFloor = 0;

  /** Opens the file with the first call; a file that cannot be used makes calls `unreachable`. */
  constructor(components: { readonly clock: Clock }, init: SqliteWitnessInit) {
    this.#clock = components.clock;
    this.#pair = init.pair;
    this.#file = new WitnessFile({ path: init.file, busyMs: init.busyMs ?? DEFAULT_BUSY_MS });
  }

  async read(): Promise<WitnessRead> {
    return this.#reading<WitnessRead>((file) => {
      const standing = this.#standingRecord(file);
      if (standing !== null && isStrange(standing)) return { outcome: "corrupt", ...standing };
      return { outcome: "read", record: standing, runId: file.runId };
    });
  }

  async swap(expected: ExpectedRecord | StrangeContent, next: WitnessRecord): Promise<WitnessSwap> {
    return this.#writing<WitnessSwap, "unknown">((file) => {
      const standing = this.#standingRecord(file);
      if (!isExpected(standing, expected)) {
        if (standing !== null && isStrange(standing)) return { outcome: "corrupt", ...standing };
        return { outcome: "lost", record: standing, runId: file.runId };
      }
      file.keepRecord(this.#pair, recordToText(next));
      return { outcome: "swapped", runId: file.runId };
    }, "unknown");
  }

  async acquireLock({ lockId, holder, ttlMs }: LockRequest): Promise<LockAcquire> {
    return this.#writing<LockAcquire>((file) => {
      const grantedUnixMs = this.#clock.unixMs();
      const row = file.lock(this.#pair);
      const standing = this.#standing(row);
      if (row !== null && standing !== null) {
        if (row.grantedUnixMs > grantedUnixMs) file.keepLock(this.#pair, { ...row, grantedUnixMs });
        return { outcome: "held", holder: standing.holder, fence: standing.fence, expiresMs: standing.expiresMs };
      }
      const lastFence = file.fence(this.#pair) ?? Math.floor(grantedUnixMs);
      const fence = this.#seenFence(Math.max(lastFence, this.#fenceFloor) + 1);
      file.keepFence(this.#pair, fence);
      file.keepLock(this.#pair, { lockId, holder, fence, grantedUnixMs, ttlMs });
      return { outcome: "acquired", lockId, fence, expiresMs: ttlMs };
    }, "unreachable");
  }

  async refreshLock(lockId: LockId, givenMs?: number): Promise<LockRefresh> {
    return this.#writing<LockRefresh>((file) => {
      const standing = this.#standing(file.lock(this.#pair));
      if (standing === null) return { outcome: "expired" };
      if (standing.lockId !== lockId) return { outcome: "wrong-id" };
      const { holder, fence } = standing;
      const ttlMs = givenMs ?? standing.ttlMs;
      file.keepLock(this.#pair, { lockId, holder, fence, grantedUnixMs: this.#clock.unixMs(), ttlMs });
      return { outcome: "refreshed", fence, expiresMs: ttlMs };
    }, "unreachable");
  }

  async releaseLock(lockId: LockId): Promise<LockRelease> {
    return this.#writing<LockRelease>((file) => {
      const standing = this.#standing(file.lock(this.#pair));
      if (standing === null) return { outcome: "expired" };
      if (standing.lockId !== lockId) return { outcome: "wrong-id" };
      file.dropLock(this.#pair);
      return { outcome: "released" };
    }, "unreachable");
  }

  async breakLock({ holder, fence }: Pick<LockState, "holder" | "fence">): Promise<LockRelease> {
    return this.#writing<LockRelease>((file) => {
      const standing = this.#standing(file.lock(this.#pair));
      if (standing === null) return { outcome: "expired" };
      if (standing.holder !== holder || standing.fence !== fence) return { outcome: "wrong-id" };
      file.dropLock(this.#pair);
      return { outcome: "released" };
    }, "unreachable");
  }

  async readLock(): Promise<LockRead> {
    return this.#reading<LockRead>((file) => ({ outcome: "read", lock: this.#standing(file.lock(this.#pair)) }));
  }

  async close(): Promise<void> {
    this.#file.close();
  }

  /** Reads without a transaction: in WAL a reader waits for nobody. */
  #reading<Answer>(read: (file: OpenWitnessFile) => Answer): Answer | Failed<"unreachable"> {
    try {
      return read(this.#file.open());
    } catch (error) {
      return { outcome: "unreachable", reason: witnessFileFault(error).reason };
    }
  }

  /** One transaction. `inDoubt` is the answer where a commit failed in a way that may still have kept it. */
  #writing<Answer, Doubt extends "unreachable" | "unknown" = "unreachable">(
    write: (file: OpenWitnessFile) => Answer,
    inDoubt: Doubt,
  ): Answer | Failed<"unreachable" | Doubt> {
    try {
      const file = this.#file.open();
      return file.atomically(() => write(file));
    } catch (error) {
      const { reason, notDone } = witnessFileFault(error);
      return { outcome: notDone ? "unreachable" : inDoubt, reason };
    }
  }

  #standingRecord(file: OpenWitnessFile): WitnessRecord | StrangeContent | null {
    const text = file.recordText(this.#pair);
    return text === null ? null : (recordFromText(text) ?? { content: text });
  }

  /** The lock if it still stands. A lock from the future has its whole time left. */
  #standing(row: LockRow | null): LockState | null {
    if (row === null) return null;
    const { lockId, holder, fence, grantedUnixMs, ttlMs } = row;
    const expiresMs = Math.ceil(ttlMs - Math.max(0, this.#clock.unixMs() - grantedUnixMs));
    return expiresMs > 0 ? { lockId, holder, fence: this.#seenFence(fence), ttlMs, expiresMs } : null;
  }

  #seenFence(fence: number): number {
    this.#fenceFloor = Math.max(this.#fenceFloor, fence);
    return fence;
  }
}

// The SQLite file of the witness: opening it, noticing that it was replaced, its tables and statements. What is open is
// the file that stands under the path now. A file that another process holds is waited for `busyMs` at most. A file
// that is something else is left as it is.

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
