/** Purpose: a peer message as one line of a trace, and the number that tells it from others of its type. */
import type { PeerMessage } from "../core/messages.ts";

/** The counter, epoch or seq that changes from one message of a type to the next. */
export function numberOf(message: PeerMessage): number {
  switch (message.type) {
    case "heartbeat":
      return message.n;
    case "replicated":
      return message.throughSeq;
    case "replicate":
    case "catch-up-page":
      return message.prev.seq;
    case "stale-epoch":
      return message.highestEpoch;
    case "handover-refusal":
      return message.highestEpoch;
    case "transfer-ack":
      return message.index;
    case "record-news":
      return message.ops.length;
    case "sync-call":
      return message.limit;
    case "sync-answer":
      return 0;
    default:
      return message.epoch;
  }
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
