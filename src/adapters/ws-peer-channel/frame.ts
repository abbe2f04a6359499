/**
 * Frames of one session: `mac.counter.text`. The mac is that of `counter.text` under the key of its direction,
 * the counter only rises.
 * Keeps true: a frame that opens was sealed by the other end of this very session, and opens once: what was recorded,
 * altered, injected, sent back to its sender, or taken from an older session does not.
 */
import { hash, timingSafeEqual } from "node:crypto";
import { assert } from "../../core/errors.ts";

/** What a frame turned out to be. */
export type OpenedFrame =
  | { readonly outcome: "opened"; readonly text: string }
  | { readonly outcome: "bad-frame" | "replayed"; readonly detail: string };

/** Seals the texts that one side sends in one session. */
export class FrameSealer {
  readonly #mac: Mac;
  #counter = 0;

  constructor(key: string) {
    this.#mac = new Mac(key);
  }

  seal(text: string): string {
    const counted = `${++this.#counter}.${text}`;
    return `${this.#mac.of(counted)}.${counted}`;
  }
}

/** Opens the frames that the other side sends in one session. */
export class FrameOpener {
  readonly #mac: Mac;
  #last = 0;

  constructor(key: string) {
    this.#mac = new Mac(key);
  }

  open(frame: string): OpenedFrame {
    const counted = frame.slice(MAC_CHARS + 1);
    const counterEnd = counted.indexOf(".");
    if (frame[MAC_CHARS] !== "." || counterEnd < 1) return { outcome: "bad-frame", detail: "not mac.counter.text" };
    if (!this.#mac.proves(frame.slice(0, MAC_CHARS), counted)) {
      return { outcome: "bad-frame", detail: "its mac is not of this session" };
    }
    const counter = Number(counted.slice(0, counterEnd));
    if (!(counter > this.#last)) return { outcome: "replayed", detail: `frame ${counter} after ${this.#last}` };
    this.#last = counter;
    return { outcome: "opened", text: counted.slice(counterEnd + 1) };
  }
}

// HMAC-SHA256 (RFC 2104), cut to 132 bits, for many short texts under one key. Two one-shot hashes cost a third of a
// `createHmac`, which makes two native objects each time. The key is text of 64 ASCII characters, one block of SHA-256,
// so that both padded keys are ASCII too, and the inner one simply stands before the text.

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
