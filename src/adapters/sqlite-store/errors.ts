/**
 * What SQLite and the file system say, in Changeover's own words.
 * It does not know broken invariants; those pass through as they are.
 */
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { ChangeoverError, type ErrorCode } from "../../core/errors.ts";
import type { Json } from "../../core/canonical-json.ts";
import { parseClock, type VectorClock } from "../../core/vector-clock.ts";

/** `error` as the store's error about `file`, or `error` itself when it is neither SQLite's nor the file system's. */
export function storeError(error: unknown, file: string): unknown {
  if (error instanceof ChangeoverError || !(error instanceof Error)) return error;
  const code = (error as Error & { readonly code?: unknown }).code;
  if (typeof code !== "string") return error;
  const meaning = error instanceof Database.SqliteError ? ofSqlite(code) : ofFileSystem(code);
  const dataDir = dirname(file);
  const place = meaning === "store_in_use" || meaning === "data_folder_unusable" ? dataDir : file;
  return new ChangeoverError(meaning, `${SAYS[meaning]}: ${place} (${error.message})`, {
    details: { dataDir, file, reason: code },
    cause: error,
    retryable: meaning === "store_full",
  });
}

/** Runs `work`; what it throws comes out in Changeover's own words. */
export function explained<Result>(file: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw storeError(error, file);
  }
}

/** A stored value that is not what was stored. */
export function corruptRow(what: string, cause?: unknown): ChangeoverError {
  return new ChangeoverError("store_corrupt", `${SAYS.store_corrupt}: ${what}`, { details: { what }, cause });
}

type StoreErrorCode = Extract<ErrorCode, `store_${string}` | "data_folder_unusable">;

const SAYS: Readonly<Record<Exclude<StoreErrorCode, "store_too_new">, string>> = {
  store_corrupt: "the store is damaged, it was left as it is",
  store_in_use: "the data folder is in use by another process",
  store_full: "there is no room for the store to grow, nothing was changed",
  store_failed: "the store failed",
  data_folder_unusable: "the data folder cannot be used",
};

function ofSqlite(code: string): keyof typeof SAYS {
  if (code === "SQLITE_FULL") return "store_full";
  if (/^SQLITE_(BUSY|LOCKED)/u.test(code)) return "store_in_use";
  if (/^SQLITE_(CORRUPT|NOTADB)/u.test(code)) return "store_corrupt";
  if (/^SQLITE_(CANTOPEN|READONLY|PERM|AUTH)/u.test(code)) return "data_folder_unusable";
  return "store_failed";
}

function ofFileSystem(code: string): keyof typeof SAYS {
  return code === "ENOSPC" || code === "EDQUOT" ? "store_full" : "data_folder_unusable";
}

// JSON columns, read strictly: what is not what was written is an error, never an empty value.

/** Reads a JSON column. `where` names it for people. Throws `store_corrupt`. */
export function readJson(text: string, where: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (cause) {
    throw corruptRow(`${where} is not JSON`, cause);
  }
}

/** Reads a JSON column that holds an object of a known shape, written by this store. Throws `store_corrupt`. */
export function readObject<Shape extends object>(text: string, where: string): Shape {
  const value = readJson(text, where);
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw corruptRow(`${where} is no object`);
  return value as unknown as Shape;
}

/** Reads a clock column. Throws `corrupt_clock`. */
export function readClock(text: string, where: string): VectorClock {
  try {
    return parseClock(JSON.parse(text));
  } catch (cause) {
    throw new ChangeoverError("corrupt_clock", `the stored ${where} is not a vector clock`, {
      details: { where },
      cause,
    });
  }
}
