/**
 * Purpose: peer messages as text, and back. Everything that comes from the other engine is checked field by field.
 * Keeps true: what is decoded has exactly the shape of its type; an unknown type or field is refused with a reason that
 * names it. Decoding what was encoded gives the same message. Nothing here throws on any text.
 * Does not know: whether the message is true, or whom it came from; that is the peer channel's promise.
 */
import { MESSAGE_CHECKS, checkSnapshotTransfer } from "./message-shapes.ts";
import { MAX_NUMBER } from "./reach.ts";
import type { PeerMessage, SnapshotTransfer } from "./messages.ts";
import type { Check } from "./shape.ts";

/** What a text from the other engine turned out to be. */
export type Decoded<T> =
  | { readonly outcome: "decoded"; readonly value: T }
  | {
      readonly outcome: "refused";
      readonly reason: string;
      /** A number in it is beyond the bound of all numbers, or none at all [EP6]. */
      readonly outOfReach: boolean;
    };

/** How a check names the bound of all numbers. */
const BOUND = ` to ${MAX_NUMBER},`;

/** The text of a message: one line of JSON. */
export function encodeMessage(message: PeerMessage): string {
  return JSON.stringify(message);
}

/**
 * The text for a peer of the version before, which refuses a message with a field that it does not know; null: it has no
 * such message at all.
 */
export function encodeForVersionBefore(message: PeerMessage): string | null {
  const { type } = message;
  if (type === "heartbeat") return JSON.stringify({ ...message, wallUnixMs: undefined });
  if (type === "record-news") return JSON.stringify({ ...message, heads: undefined, bound: undefined });
  if (type !== "sync-call") return encodeMessage(message);
  return message.call === "compare" ? null : JSON.stringify({ ...message, own: undefined, heads: undefined });
}

/** Reads a message; `reason` says which field is wrong, and what it had to be. */
export function decodeMessage(text: string): Decoded<PeerMessage> {
  return decode(text, checkMessage);
}

/** Reads the text that `snapshot-piece`s bring, once it is whole. */
export function decodeSnapshotTransfer(text: string): Decoded<SnapshotTransfer> {
  return decode(text, checkSnapshotTransfer);
}

const checkMessage: Check = (value) => {
  const type = value !== null && typeof value === "object" && "type" in value ? value.type : undefined;
  const check = typeof type === "string" ? MESSAGE_CHECKS.get(type) : undefined;
  if (check === undefined) return `.type is not known: ${String(JSON.stringify(type)).slice(0, 40)}`;
  const wrong = check(value);
  return wrong === null ? null : `${String(type)}${wrong}`;
};

function decode<T>(text: string, check: Check): Decoded<T> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { outcome: "refused", reason: "not JSON", outOfReach: false };
  }
  const wrong = check(value);
  return wrong === null
    ? { outcome: "decoded", value: value as T }
    : { outcome: "refused", reason: wrong, outOfReach: wrong.includes(BOUND) };
}
