/** Purpose: sha256, of one text at once or piece by piece. */
export interface Digest {
  /** The hash of the UTF-8 bytes of `text`: 64 hexadecimal characters. */
  sha256Of(text: string): string;
  /** A fresh running hash. */
  sha256(): RunningHash;
}

export interface RunningHash {
  /** Takes the UTF-8 bytes of `text`. */
  update(text: string): void;
  /** Ends the hash: 64 hexadecimal characters. */
  hex(): string;
}
