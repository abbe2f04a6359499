/**
 * Purpose: frames of one session: `counter.mac.text`. The mac is HMAC-SHA256 over counter and text under the key of its
 * direction, cut to 128 bits (RFC 2104 §5), the counter only rises.
 * Keeps true: a frame that opens was sealed by the other end of this very session, and opens once: what was recorded,
 * altered, injected, sent back to its sender, or taken from an older session does not.
 */
import { type KeyObject, createHmac, timingSafeEqual } from "node:crypto";

/** Largest frame either side sends or reads, in bytes. */
export const MAX_FRAME_BYTES = 2_097_152;

const MAC_BYTES = 16;
/** Characters of a mac: base64url without padding. */
const MAC_CHARS = 22;
/** Digits of the largest safe integer. */
const MAX_COUNTER_DIGITS = 16;
const COUNTER = /^[1-9][0-9]*$/;

/** What a frame turned out to be. */
export type OpenedFrame =
  | { readonly outcome: "opened"; readonly text: string }
  | { readonly outcome: "bad-frame" | "replayed"; readonly detail: string };

/** Seals the texts that one side sends in one session. */
export class FrameSealer {
  readonly #key: KeyObject;
  #counter = 0;

  constructor(key: KeyObject) {
    this.#key = key;
  }

  seal(text: string): string {
    const counter = String(++this.#counter);
    return `${counter}.${mac(this.#key, counter, text)}.${text}`;
  }
}

/** Opens the frames that the other side sends in one session. */
export class FrameOpener {
  readonly #key: KeyObject;
  #last = 0;

  constructor(key: KeyObject) {
    this.#key = key;
  }

  open(frame: string): OpenedFrame {
    const macAt = frame.indexOf(".") + 1;
    const textAt = macAt + MAC_CHARS + 1;
    const counter = frame.slice(0, Math.max(macAt - 1, 0));
    if (counter.length > MAX_COUNTER_DIGITS || !COUNTER.test(counter) || frame[textAt - 1] !== ".") {
      return { outcome: "bad-frame", detail: "not counter.mac.text" };
    }
    const text = frame.slice(textAt);
    if (!sameText(frame.slice(macAt, textAt - 1), mac(this.#key, counter, text))) {
      return { outcome: "bad-frame", detail: "its mac is not of this session" };
    }
    if (Number(counter) <= this.#last) {
      return { outcome: "replayed", detail: `frame ${counter} after ${this.#last}` };
    }
    this.#last = Number(counter);
    return { outcome: "opened", text };
  }
}

function mac(key: KeyObject, counter: string, text: string): string {
  const full = createHmac("sha256", key).update(`${counter}.`).update(text).digest();
  return full.toString("base64url", 0, MAC_BYTES);
}

/** Compares in constant time, and as text: base64url has several spellings of the same bytes. */
function sameText(claimed: string, right: string): boolean {
  const bytes = Buffer.from(claimed);
  return bytes.length === right.length && timingSafeEqual(bytes, Buffer.from(right));
}
