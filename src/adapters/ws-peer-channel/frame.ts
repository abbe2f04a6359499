/**
 * Purpose: frames of one session: `mac.counter.text`. The mac is that of `counter.text` under the key of its direction,
 * the counter only rises.
 * Keeps true: a frame that opens was sealed by the other end of this very session, and opens once: what was recorded,
 * altered, injected, sent back to its sender, or taken from an older session does not.
 */
import { MAC_CHARS, Mac } from "./mac.ts";

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
