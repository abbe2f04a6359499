/**
 * Makes the data folder, and marks it as belonging to one engine of one pair.
 * An engine never starts on the memory of another one: with a foreign identity and foreign epochs its peer
 * would take it for someone else, or for itself.
 */
import { readFileSync, renameSync, writeFileSync, closeSync, fsyncSync, openSync, rmSync, statSync } from "node:fs";
import { join, dirname } from "node:path";
import { makeFolder } from "../adapters/local-lock.ts";
import { ChangeoverError } from "../core/errors.ts";
import type { Label } from "../core/ids.ts";
import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { pino } from "pino";
import { PinoLogger } from "../adapters/pino-logger.ts";
import type { Config } from "../config/types.ts";

/** Whose memory it is. */
export interface FolderOwner {
  readonly pair: string;
  readonly label: Label;
}

const MARK = "engine.json";

/**
 * Makes the folder when there is none, and checks its mark.
 *
 * @throws ChangeoverError `data_folder_unusable` or `wrong_pair`
 */
export function claimDataFolder(folder: string, owner: FolderOwner): void {
  const file = join(folder, MARK);
  try {
    makeFolder(folder, 0o750);
    if (readMark(file) === null) return writeMark(file, owner);
    const refusal = foreignOwner(folder, owner);
    if (refusal !== null) throw refusal;
  } catch (error) {
    if (error instanceof ChangeoverError) throw error;
    const reason = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    throw new ChangeoverError(
      "data_folder_unusable",
      `dataDir ${folder} cannot be used: ${reason}; name a folder that this user can read and write`,
      {
        details: { key: "dataDir", value: folder, bound: "a folder that this user can read and write" },
        cause: error,
      },
    );
  }
}

/**
 * Why the folder is not this owner's; null where it is, or where it belongs to nobody yet. Writes nothing.
 *
 * @throws Error of Node or of JSON where the mark cannot be read
 */
export function foreignOwner(folder: string, owner: FolderOwner): ChangeoverError | null {
  const text = readMark(join(folder, MARK));
  if (text === null) return null;
  const found = JSON.parse(text) as Partial<FolderOwner>;
  return found.pair === owner.pair && found.label === owner.label ? null : foreign(folder, owner, found);
}

function readMark(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/** By way of another name, so that a crash leaves no half mark. */
function writeMark(file: string, { pair, label }: FolderOwner): void {
  writeFileSync(`${file}.new`, `${JSON.stringify({ pair, label })}\n`);
  renameSync(`${file}.new`, file);
}

function foreign(folder: string, owner: FolderOwner, found: Partial<FolderOwner>): ChangeoverError {
  return new ChangeoverError(
    "wrong_pair",
    `dataDir ${folder} belongs to engine ${found.label} of pair "${found.pair}", not to engine ${owner.label} of ` +
      `pair "${owner.pair}"; give each engine its own folder`,
    { details: { key: "dataDir", value: folder, bound: `the folder of engine ${owner.label} of ${owner.pair}` } },
  );
}

// The key pair of one engine, a file in its data folder: made at the first start, read at every start [ID1]. Only this
// user can read the file. It is on the disk before anyone is shown the public key: the peer pins it for good. The
// private key goes from here into the one adapter that signs with it.

const NAME = "engine.key";
const OWNER_ONLY = 0o600;
const OTHERS = 0o077;

/**
 * Reads the key of the folder, or makes it.
 *
 * @throws ChangeoverError `data_folder_unusable` when the file cannot be used, holds something else, or is open to others
 */
export function engineKey(dataDir: string): KeyObject {
  const file = join(dataDir, NAME);
  try {
    return readKey(file) ?? makeKey(file);
  } catch (error) {
    if (error instanceof ChangeoverError) throw error;
    throw unusable(file, (error as NodeJS.ErrnoException).code ?? "it holds no key", "a private key that can be read");
  }
}

function readKey(file: string): KeyObject | null {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
  if ((statSync(file).mode & OTHERS) !== 0) {
    throw unusable(file, "others can read it", "mode 0600 (chmod 600); make a new one if others may have read it");
  }
  const key = createPrivateKey(text);
  if (key.asymmetricKeyType === "ed25519") return key;
  throw unusable(file, `it holds a key of type ${key.asymmetricKeyType ?? "unknown"}`, "an Ed25519 private key");
}

/** By way of another name, so that a crash leaves no half key. */
function makeKey(file: string): KeyObject {
  const { privateKey } = generateKeyPairSync("ed25519");
  const draft = `${file}.new`;
  rmSync(draft, { force: true });
  writeFileSync(draft, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: OWNER_ONLY, flag: "wx" });
  toDisk(draft);
  renameSync(draft, file);
  toDisk(dirname(file));
  return privateKey;
}

function toDisk(path: string): void {
  const handle = openSync(path, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Without a cause: what a parser says of a key might quote it. */
function unusable(file: string, why: string, bound: string): ChangeoverError {
  return new ChangeoverError("data_folder_unusable", `${file} cannot be used: ${why}; must be ${bound}`, {
    details: { key: "dataDir", value: file, bound },
  });
}

// Log lines on standard error, where a service manager collects them. A reader that stalls or goes away never holds up
// the engine: lines beyond the buffer are dropped.

/** Bytes of log lines that may wait for a slow reader. */
const MAX_WAITING_BYTES = 4_194_304;

/** A logger, and what writes out its last lines. */
export interface ErrorLog {
  readonly logger: PinoLogger;
  flush(): void;
}

/** The log of one engine: pino's JSON lines on standard error, each with pair and label. */
export function standardErrorLog({ log, pair, label }: Pick<Config, "log" | "pair" | "label">): ErrorLog {
  const destination = pino.destination({ dest: 2, sync: false, maxLength: MAX_WAITING_BYTES });
  // Nobody collects the lines any more; the engine has better to do than to end over it.
  destination.on("error", () => undefined);
  const logger = new PinoLogger({ destination }, { level: log.level, fields: { pair, label } });
  return { logger, flush: () => destination.flushSync() };
}
