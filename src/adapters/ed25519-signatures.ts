/**
 * Purpose: Ed25519 signatures by Node's own OpenSSL.
 * Keeps true: the private key stays inside this object; public keys that were looked at are kept, up to a bound.
 */
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import type { Signatures } from "../ports/signatures.ts";

/** Keys of others that are kept ready; as many as there may be origins. */
const MAX_KEYS = 256;

/** What stands before the 32 bytes of an Ed25519 private key in PKCS #8 (RFC 8410). */
const ED25519_PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");

/** The private key that a seed of 32 bytes gives: the same one each time, for simulated worlds. */
export function ed25519FromSeed(seed: Buffer): KeyObject {
  return createPrivateKey({ key: Buffer.concat([ED25519_PKCS8, seed]), format: "der", type: "pkcs8" });
}

export class Ed25519Signatures implements Signatures {
  readonly key: string;
  readonly #privateKey: KeyObject;
  readonly #others = new Map<string, KeyObject>();

  /** @param privateKey of type `ed25519`, as `node:crypto` makes and reads them */
  constructor(privateKey: KeyObject) {
    this.#privateKey = privateKey;
    this.key = createPublicKey(privateKey).export({ format: "jwk" }).x ?? "";
  }

  sign(text: string): string {
    return sign(null, Buffer.from(text), this.#privateKey).toString("base64url");
  }

  verify(key: string, text: string, signature: string): boolean {
    try {
      return verify(null, Buffer.from(text), this.#keyOf(key), Buffer.from(signature, "base64url"));
    } catch {
      // Not a key at all.
      return false;
    }
  }

  #keyOf(key: string): KeyObject {
    const known = this.#others.get(key);
    if (known !== undefined) return known;
    const made = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: key }, format: "jwk" });
    const [oldest] = this.#others.keys();
    if (this.#others.size >= MAX_KEYS && oldest !== undefined) this.#others.delete(oldest);
    this.#others.set(key, made);
    return made;
  }
}
