/**
 * Purpose: the key pair of one engine, a file in its data folder: made once, read at every start.
 * Keeps true: only this user can read the file; the private key goes from here into the one adapter that signs with it.
 */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
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
  writeFileSync(`${file}.new`, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: OWNER_ONLY });
  renameSync(`${file}.new`, file);
  return privateKey;
}

/** Without a cause: what a parser says of a key might quote it. */
function unusable(file: string, why: string, bound: string): ChangeoverError {
  return new ChangeoverError("data_folder_unusable", `${file} cannot be used: ${why}; must be ${bound}`, {
    details: { key: "dataDir", value: file, bound },
  });
}
