/** Purpose: a peer message as one line of a trace, and the number that tells it from others of its type. */
import { MAX_FRAME_BYTES } from "../../ports/link.ts";
import { decodeMessage, encodeMessage } from "../../adapters/peer-messages.ts";
import type { PeerMessage } from "../../core/messages.ts";

/**
 * A message as the other engine gets it: written and read by the shipped codec, so that nothing travels that the codec
 * does not carry, and nothing is shared. null: too large for a frame. Throws where the other engine would refuse it.
 */
export function throughCodec(message: PeerMessage): PeerMessage | null {
  const text = encodeMessage(message);
  if (text.length > MAX_FRAME_BYTES) return null;
  const decoded = decodeMessage(text);
  if (decoded.outcome === "decoded") return decoded.value;
  throw new Error(`broken invariant: the codec refuses what the engine sends: ${decoded.reason}`);
}

/** The counter, epoch or seq that changes from one message of a type to the next. */
export function numberOf(message: PeerMessage): number {
  if (message.type === "heartbeat") return message.n;
  if (message.type === "replicated") return message.throughSeq;
  if (message.type === "replicate" || message.type === "catch-up-page") return message.prev.seq;
  if (message.type === "transfer-ack") return message.index;
  if (message.type === "record-news") return message.ops.length;
  if (message.type === "sync-call") return message.limit;
  if (message.type === "sync-answer" || message.type === "request-kept") return 0;
  if (message.type === "request-answered") return message.answer.epoch;
  return "epoch" in message ? message.epoch : message.highestEpoch;
}

/** What an engineer wants to read of a message. */
export function describe(message: PeerMessage): string {
  if (message.type !== "heartbeat") {
    return Object.entries(message)
      .filter(([name]) => name !== "type")
      .map(([name, value]) => `${name}=${brief(value)}`)
      .join(" ");
  }
  const { n, role, epoch, log, sync, health, vote, witnessSeq } = message;
  const voted = vote === null ? "" : ` votes for ${vote.n} of epoch ${vote.epoch}`;
  return `n=${n} ${role} epoch=${epoch} log=${log.epoch}/${log.seq} ${sync} ${health} witness=${witnessSeq}${voted}`;
}

function brief(value: unknown): string {
  if (Array.isArray(value)) return `[${value.length}]`;
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
