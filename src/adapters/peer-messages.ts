/**
 * Peer messages as text, and back. The compiled schema of each message decides what is let through.
 * What is decoded has exactly the fields of its type; an unknown type or field is refused with a reason that names it.
 * Decoding what was encoded gives the same message. Nothing here throws on any text.
 * Whether a message is true, and whom it came from, is the peer channel's business.
 */
import { isWithinDepth, MAX_DEPTH } from "../core/canonical-json.ts";
import { MESSAGE_SCHEMAS, type PeerMessage } from "../core/messages.ts";
import { MAX_NUMBER } from "../core/epoch.ts";
import { faultFinder, type SchemaFault } from "../json/schema-check.ts";

/** What a text from the other engine turned out to be. */
export type Decoded =
  | { readonly outcome: "decoded"; readonly value: PeerMessage }
  | {
      readonly outcome: "refused";
      readonly reason: string;
      /** A number in it is beyond the bound of all numbers, or none at all [EP6]. */
      readonly outOfReach: boolean;
    };

/** By the word in `type`. */
const FAULT_FINDERS: ReadonlyMap<string, (value: unknown) => SchemaFault | null> = new Map(
  MESSAGE_SCHEMAS.map((schema) => {
    const { properties } = schema as unknown as { readonly properties: { readonly type: { readonly const: string } } };
    return [properties.type.const, faultFinder(schema)];
  }),
);

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
  if (type === "outbox-marks") return JSON.stringify({ ...message, feedId: undefined });
  if (type === "request-answered" || type === "request-kept") return null;
  if (type !== "sync-call") return encodeMessage(message);
  return message.call === "compare" ? null : JSON.stringify({ ...message, own: undefined, heads: undefined });
}

/** Reads a message; `reason` says which field is wrong, and what it had to be. */
export function decodeMessage(text: string): Decoded {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { outcome: "refused", reason: "not JSON", outOfReach: false };
  }
  const type = value !== null && typeof value === "object" && "type" in value ? value.type : undefined;
  const findFault = typeof type === "string" ? FAULT_FINDERS.get(type) : undefined;
  if (findFault === undefined) {
    const shown = isWithinDepth(type) ? JSON.stringify(type)?.slice(0, 40) : `nested deeper than ${MAX_DEPTH}`;
    const reason = `message/type: ${shown === undefined ? "is missing" : `is ${shown}, which is no known type`}`;
    return { outcome: "refused", reason, outOfReach: false };
  }
  const fault = findFault(value);
  if (fault === null) return { outcome: "decoded", value: value as PeerMessage };
  return {
    outcome: "refused",
    reason: `${String(type)}${fault.field}: ${fault.told}`,
    outOfReach: isOutOfReach(fault),
  };
}

function isOutOfReach({ schema, told }: SchemaFault): boolean {
  return (schema as { readonly maximum?: number }).maximum === MAX_NUMBER || told.endsWith(` to ${MAX_NUMBER}`);
}
