/**
 * Purpose: sha256 by Node's OpenSSL.
 */
import { createHash, hash as hashOf } from "node:crypto";
import type { Digest, RunningHash } from "../ports/digest.ts";

/** The hash of the UTF-8 bytes of `text`, hexadecimal. */
export function sha256Of(text: string): string {
  return hashOf("sha256", text, "hex");
}

export class NodeDigest implements Digest {
  sha256Of(text: string): string {
    return sha256Of(text);
  }

  sha256(): RunningHash {
    const hash = createHash("sha256");
    return {
      update: (text) => void hash.update(text, "utf8"),
      hex: () => hash.digest("hex"),
    };
  }
}
