/**
 * Purpose: HMAC-SHA256 (RFC 2104), cut to 132 bits, for many short texts under one key.
 * Two one-shot hashes cost a third of a `createHmac`, which makes two native objects each time. The key is text of 64
 * ASCII characters, one block of SHA-256, so that both padded keys are ASCII too, and the inner one simply stands before
 * the text.
 */
import { hash, timingSafeEqual } from "node:crypto";
import { assert } from "../../core/assert.ts";

/** Characters of a mac: base64url. */
export const MAC_CHARS = 22;

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

export class Mac {
  readonly #innerKey: string;
  /** The padded outer key, and room for the inner digest behind it. */
  readonly #outer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES);

  /** @param key 64 hexadecimal digits */
  constructor(key: string) {
    assert(/^[0-9a-f]{64}$/.test(key), "the key of a mac is 64 hexadecimal digits");
    this.#innerKey = padded(key, INNER_PAD);
    this.#outer.write(padded(key, OUTER_PAD), "ascii");
  }

  of(text: string): string {
    this.#outer.write(hash("sha256", this.#innerKey + text, "hex"), BLOCK_BYTES, "hex");
    return hash("sha256", this.#outer, "base64url").slice(0, MAC_CHARS);
  }

  /** Whether `claimed` is the mac of `text`, in constant time. */
  proves(claimed: string, text: string): boolean {
    const bytes = Buffer.from(claimed);
    return bytes.length === MAC_CHARS && timingSafeEqual(bytes, Buffer.from(this.of(text)));
  }
}

function padded(key: string, pad: number): string {
  return String.fromCharCode(...Array.from(key, (digit) => digit.charCodeAt(0) ^ pad));
}
