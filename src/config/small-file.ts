/**
 * Reads a file that a person names: a configuration, a secret, a certificate. Pipes are taken too; what goes on for longer
 * than any such file, `/dev/zero` or a disk image, is given up instead of filling the memory.
 */
import { closeSync, openSync, readSync } from "node:fs";

/** A configuration is a page of text, and so are the others; a larger file is some other file. */
export const MAX_FILE_BYTES = 1_048_576;

/**
 * The bytes of `file`.
 *
 * @throws Error of Node where it cannot be read; its code is EFBIG where it has more than `MAX_FILE_BYTES`
 */
export function readSmallFile(file: string): Buffer {
  const handle = openSync(file, "r");
  try {
    const pieces: Buffer[] = [];
    let bytes = 0;
    for (;;) {
      const piece = Buffer.alloc(65_536);
      const read = readSync(handle, piece);
      if (read === 0) return Buffer.concat(pieces);
      bytes += read;
      if (bytes > MAX_FILE_BYTES) {
        throw Object.assign(new Error(`has more than ${MAX_FILE_BYTES} bytes`), { code: "EFBIG" });
      }
      pieces.push(piece.subarray(0, read));
    }
  } finally {
    closeSync(handle);
  }
}
