/**
 * Purpose: the bytes that an event speaks of and that are too large to stand in it.
 * Keeps true: bytes are durable under their name before `put` returns, and read back only as they were written.
 */

/** What names an artifact, and proves it. */
export interface Artifact {
  readonly artifactRef: string;
  /** sha256 (hex) of the bytes. */
  readonly checksum: string;
}

export interface ArtifactStore {
  /** Stores bytes before the transaction that speaks of them. The same bytes get the same name. */
  put(bytes: Uint8Array): Promise<Artifact>;
  /** Throws `artifact_missing`, and `checksum_mismatch` when the bytes are not those that were stored. */
  get(artifact: Artifact): Promise<Uint8Array>;
}
