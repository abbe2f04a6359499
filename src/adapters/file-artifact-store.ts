/**
 * Artifacts in a folder, each under the sha256 of its bytes.
 * Bytes are durable before they have a name; the same bytes are kept once; what is read is what was stored, or
 * it is an error; no name leads out of the folder.
 */
import { createHash, randomUUID } from "node:crypto";
import { open, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ChangeoverError } from "../core/errors.ts";
import type { Artifact, ArtifactStore } from "../ports/feed-sink.ts";
import { makeFolder } from "./local-lock.ts";

export interface FileArtifactStoreInit {
  /** Made when it does not exist. */
  readonly folder: string;
  /** Larger artifacts are refused, in bytes. Default 64 MiB. */
  readonly maxBytes?: number;
}

const DEFAULT_MAX_BYTES = 67_108_864;
/** The only names that are given, and so the only ones that are read. */
const REF_FORM = /^sha256-([0-9a-f]{64})$/;

export class FileArtifactStore implements ArtifactStore {
  readonly #folder: string;
  readonly #maxBytes: number;

  constructor(_components: object, init: FileArtifactStoreInit) {
    this.#folder = init.folder;
    this.#maxBytes = init.maxBytes ?? DEFAULT_MAX_BYTES;
  }

  /** Throws `invalid_value` for more bytes than the bound; else only what the file system throws. */
  async put(bytes: Uint8Array): Promise<Artifact> {
    if (bytes.length > this.#maxBytes) throw tooLarge(bytes.length, this.#maxBytes);
    const checksum = sha256(bytes);
    const artifact = { artifactRef: `sha256-${checksum}`, checksum };
    if (!(await this.#holds(artifact))) await this.#write(this.#pathOf(checksum), bytes);
    return artifact;
  }

  async get({ artifactRef, checksum }: Artifact): Promise<Uint8Array> {
    const named = REF_FORM.exec(artifactRef)?.[1];
    if (named === undefined) throw missing(artifactRef);
    const bytes = await readFile(this.#pathOf(named)).catch((error: unknown) => {
      throw (error as NodeJS.ErrnoException).code === "ENOENT" ? missing(artifactRef) : error;
    });
    const actual = sha256(bytes);
    if (actual !== checksum || actual !== named) throw mismatch(artifactRef, checksum, actual);
    return bytes;
  }

  async #holds(artifact: Artifact): Promise<boolean> {
    try {
      await this.get(artifact);
      return true;
    } catch {
      // Missing, or damaged: then it is written again.
      return false;
    }
  }

  /** A folder for each first byte, so that none becomes too long to list. */
  #pathOf(checksum: string): string {
    return join(this.#folder, checksum.slice(0, 2), checksum);
  }

  async #write(path: string, bytes: Uint8Array): Promise<void> {
    const folder = dirname(path);
    makeFolder(folder, 0o700);
    const draft = `${path}.${randomUUID()}.draft`;
    try {
      await writeThrough(draft, bytes);
      await rename(draft, path);
    } finally {
      await rm(draft, { force: true });
    }
    for (const each of [folder, this.#folder]) await sync(each);
  }
}

async function writeThrough(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function sync(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function missing(artifactRef: string): ChangeoverError {
  const details = { artifactRef: artifactRef.slice(0, 200) };
  return new ChangeoverError("artifact_missing", "there is no artifact of this name", { details, retryable: true });
}

function mismatch(artifactRef: string, expected: string, actual: string): ChangeoverError {
  const details = { artifactRef, expected: expected.slice(0, 200), actual };
  return new ChangeoverError("checksum_mismatch", "the artifact's bytes are not those that were stored", { details });
}

function tooLarge(bytes: number, bound: number): ChangeoverError {
  const details = { field: "artifact", value: bytes, bound };
  return new ChangeoverError("invalid_value", `an artifact of ${bytes} bytes is over the bound of ${bound}`, {
    details,
  });
}
