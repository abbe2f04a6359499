/** Keys of engines in tests: the same name has the same key in every process. */
import { createHash } from "node:crypto";
import { Ed25519Signatures, ed25519FromSeed } from "../../src/adapters/basics.ts";

export function keyOf(name: string): Ed25519Signatures {
  return new Ed25519Signatures(ed25519FromSeed(createHash("sha256").update(name).digest()));
}
