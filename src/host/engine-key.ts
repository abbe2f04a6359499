/**
 * The key pair of one engine, a file in its data folder: made at the first start, read at every start [ID1].
 * Only this user can read the file. It is on the disk before anyone is shown the public key: the peer pins it for good.
 * The private key goes from here into the one adapter that signs with it.
 */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ChangeoverError } from "../core/errors.ts";

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
