/**
 * From a data folder to an open store file that nobody else has.
 * A store file exists complete or not at all; one that is damaged, foreign or of a newer schema is left as it
 * is; the lock ends with its process, however that ends.
 */
import { accessSync, closeSync, constants, existsSync, fsyncSync, linkSync, openSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Database } from "better-sqlite3";
import { ChangeoverError } from "../../core/errors.ts";
import { makeFolder, openDatabase } from "../local-lock.ts";
import { corruptRow, explained } from "./errors.ts";
import { migrate, SCHEMA_VERSION, schemaVersion } from "./migrations.ts";

export interface StoreFileInit {
  /** Made when it does not exist. */
  readonly dataDir: string;
  /** Bound of the file, in bytes; beyond it `store_full`. Without one, the disk is the bound. */
  readonly maxBytes?: number | undefined;
}

/** The file of the store in the data folder. */
export const STORE_FILE = "changeover.db";

/** How long a starting engine waits for one that is just dying, before it says `store_in_use`. */
const OWNER_WAIT_MS = 1_000;

/** Up to this size the whole file is checked at start (1 GB/s); beyond it damage is found where it is met. */
const CHECKED_BYTES = 256 * 1024 * 1024;

/** Opens the store of `dataDir`; on first use makes it, filled by `fill`. */
export function openStoreFile(init: StoreFileInit, fill: (db: Database) => void): Database {
  const { dataDir } = init;
  const file = join(dataDir, STORE_FILE);
  return explained(file, () => {
    makeFolder(dataDir, 0o700);
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
    if (!existsSync(file)) createFile(dataDir, file, fill);
    inspect(file);
    return own(file, init.maxBytes);
  });
}

/** Builds the file beside its place and links it there complete; anyone who comes second finds the first one's. */
function createFile(dataDir: string, file: string, fill: (db: Database) => void): void {
  const draft = `${file}.${process.pid}.new`;
  try {
    closeSync(openSync(draft, "w", 0o600));
    const db = openDatabase(draft);
    try {
      migrate(db);
      fill(db);
    } finally {
      db.close();
    }
    linkUnlessTaken(draft, file);
  } finally {
    rmSync(draft, { force: true });
    rmSync(`${draft}-journal`, { force: true });
  }
  syncFolder(dataDir);
}

function linkUnlessTaken(draft: string, file: string): void {
  try {
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Looks without a change: a connection that cannot write also leaves the write-ahead log of a killed owner alone. Never
 * opens the file but through SQLite: closing any other descriptor of it would drop the lock of an owner in this process.
 */
function inspect(file: string): void {
  const stats = statSync(file);
  if (!stats.isFile())
    throw new ChangeoverError("data_folder_unusable", `${file} is not a file`, { details: { file } });
  accessSync(file, constants.R_OK | constants.W_OK);
  const { size } = stats;
  if (size === 0) throw corruptRow(`${file} is empty`);
  const db = openDatabase(file, { readonly: true, timeout: OWNER_WAIT_MS });
  try {
    const version = schemaVersion(db);
    if (version > SCHEMA_VERSION) throw tooNew(file, version);
    if (version === 0) throw corruptRow(`${file} is a database, but not a store`);
    if (size <= CHECKED_BYTES) check(db, file);
  } finally {
    db.close();
  }
}

function check(db: Database, file: string): void {
  const finding = db.pragma("quick_check(1)", { simple: true });
  if (finding !== "ok") throw corruptRow(`${file}: ${String(finding)}`);
}

function own(file: string, maxBytes: number | undefined): Database {
  const db = openDatabase(file, { timeout: OWNER_WAIT_MS });
  try {
    settle(db, maxBytes);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** The store in a database that is open already, in memory: filled by `fill` when it is empty. For simulated worlds. */
export function openStoreIn(db: Database, fill: (db: Database) => void): Database {
  const fresh = schemaVersion(db) === 0;
  settle(db, undefined);
  if (fresh) fill(db);
  return db;
}

/** How the file is locked, logged and synced, and the newest schema. */
function settle(db: Database, maxBytes: number | undefined): void {
  // Held from the first access until the process ends; also keeps the index of the write-ahead log out of a mapped
  // file, which a full disk would turn into a fatal signal.
  db.pragma("locking_mode = EXCLUSIVE");
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = FULL");
  if (maxBytes !== undefined) {
    const pageBytes = db.pragma("page_size", { simple: true }) as number;
    db.pragma(`max_page_count = ${Math.floor(maxBytes / pageBytes)}`);
  }
  migrate(db);
}

function tooNew(file: string, version: number): ChangeoverError {
  const text = `${file} has schema ${version}, this program knows up to ${SCHEMA_VERSION}: use a newer changeover`;
  return new ChangeoverError("store_too_new", text, { details: { file, version, bound: SCHEMA_VERSION } });
}
