/**
 * Purpose: the fixed words in which everything that goes wrong with another place is told: its health, its dead letters,
 * its alarms. One classification for the hub, the spokes and federation.
 * Keeps true: a word follows from error codes, types and statuses, never from the text of a message.
 */
import { ChangeoverError } from "../core/errors.ts";
import { networkFault, type NetworkReason } from "../core/network-fault.ts";
import type { OpFlaw } from "../core/operation.ts";
import type { SyncAnswer } from "../ports/sync-transport.ts";
import type { SenderRefusal } from "./origin-bindings.ts";
import type { SealDoubt } from "./seals.ts";

/** Why an exchange with another place failed. */
export type PeerReason =
  | "invalid_trace_id"
  | "invalid_frontmatter"
  | "unknown_action"
  | "unknown_type"
  | NetworkReason
  | "auth"
  | "identity_mismatch"
  | "identity_missing"
  | "clock_cap"
  | "quota"
  | "clock_drift"
  | "history_forked"
  | "other";

/** Why one operation was not taken. */
export type TakeReason =
  OpFlaw | SealDoubt | SenderRefusal | "checksum_mismatch" | "clock_drift" | "gap" | "quarantined";

/** What a person can do about each. */
export const HINTS: Readonly<Record<PeerReason, string>> = {
  invalid_trace_id: "upgrade this peer: it sends operations without a usable identity",
  invalid_frontmatter: "upgrade this peer: it sends operations of another form",
  unknown_action: "upgrade this peer, or this engine: they do not know the same kinds of operation",
  unknown_type: "upgrade this peer, or this engine: they do not know the same fields",
  network_refused: "nothing listens there: is the peer running, is the port right?",
  network_timeout: "no answer in time: look at the network and at the load of the peer",
  network_dns: "the name is not known: look at the endpoint and at the name server",
  network_tls: "the certificate is not accepted: look at ca, name and validity",
  network_reset: "the connection was cut off: look for a firewall or a restart in between",
  network_eof: "the peer closed the connection without a whole answer: look at its log",
  auth: "token, certificate or signature is not accepted: give this engine what the peer asks for, or look whose key it is",
  identity_mismatch: "another one answers there than before: if that is right, reset the peer",
  identity_missing: "what answers there does not say who it is: is it an engine?",
  clock_cap: "too many origins: look for a peer that makes them up",
  quota:
    "too many origins for this token: release one (`changeover federation release ORIGIN`), or raise replication.maxOriginsPerToken",
  clock_drift:
    "its stamp is too far ahead: set the clock of the writer right (NTP, PTP); it is then issued again by itself",
  history_forked:
    "another operation has this number: the writer's data folder was restored or copied; see history-forked in the runbook",
  other: "look at the log of this engine and of the peer",
};

/** The word for an answer that was none. */
export function reasonOfAnswer(answer: Exclude<SyncAnswer<unknown>, { readonly outcome: "answered" }>): PeerReason {
  switch (answer.outcome) {
    case "refused":
      if (answer.code === "quota") return "quota";
      return answer.status === 401 || answer.status === 403 ? "auth" : "other";
    case "failed":
      return reasonOfError(answer.error);
  }
}

/** The word for whatever was thrown; its causes are looked at too. */
export function reasonOfError(error: unknown): PeerReason {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth += 1) {
    const found = at instanceof ChangeoverError ? ofHouse(at) : ofNode(at);
    if (found !== null) return found;
  }
  return "other";
}

/** The word of a peer's health for an operation that could not be taken. */
export function reasonOfTake(reason: TakeReason): PeerReason {
  switch (reason) {
    case "invalid_trace_id":
    case "invalid_frontmatter":
    case "unknown_action":
    case "unknown_type":
    case "clock_cap":
      return reason;
    case "unsigned":
    case "bad_signature":
    case "origin_not_bound":
      return "auth";
    case "quota":
    case "clock_drift":
      return reason;
    case "quarantined":
      return "history_forked";
    case "too_large":
    case "checksum_mismatch":
    case "gap":
      return "other";
  }
}

/** Whether the peer, or this engine, is of a version that does not know what the other one makes. */
export function isSchemaWidening(reason: PeerReason): boolean {
  return /^(invalid_|unknown_)/.test(reason);
}

function ofHouse(error: ChangeoverError): PeerReason | null {
  return error.code === "clock_cap" ? "clock_cap" : null;
}

function ofNode(error: Error & { readonly code?: unknown; readonly syscall?: unknown }): PeerReason | null {
  const { code } = error;
  if (typeof code !== "string") return null;
  // A reset that the system reports has a system call; without one the other side just ended.
  if (code === "ECONNRESET") return error.syscall === undefined ? "network_eof" : "network_reset";
  return networkFault(code)?.reason ?? null;
}
