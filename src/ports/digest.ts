/** Purpose: sha256, piece by piece. */
export interface Digest {
  /** A fresh running hash. */
  sha256(): RunningHash;
}

export interface RunningHash {
  /** Takes the UTF-8 bytes of `text`. */
  update(text: string): void;
  /** Ends the hash: 64 hexadecimal characters. */
  hex(): string;
}
