/**
 * Purpose: how it stands with one federation peer, as it is kept under `peer:<name>:health` and shown to people.
 * Keeps true: fixed words, names of operations and instants, never text that somebody wrote: it is safe to show anywhere.
 * What is malformed reads as none, for health is advice and must not keep anything else from working.
 */
import type { Exchanged } from "./sync-peer.ts";
import { HINTS, type PeerReason } from "./reasons.ts";

/** Instants are RFC 3339 text; null: not yet, or not known. */
export interface PeerHealth {
  /** The version that it told with its last handshake, and when. */
  readonly version: string | null;
  readonly versionObservedAt: string | null;
  /** When the last exchange ended with nothing held back. */
  readonly lastSuccess: string | null;
  /** Exchanges since then that did not. */
  readonly consecutiveFailures: number;
  /** What was wrong with the last one; null: nothing. */
  readonly lastError: PeerError | null;
}

export interface PeerError {
  readonly reason: PeerReason;
  /** The operation that it stands at, `origin/originSeq`. */
  readonly eventId?: string;
  /** The request id under which the peer's own log says more. */
  readonly traceId?: string;
  readonly observedAt: string;
}

export const NO_HEALTH: PeerHealth = {
  version: null,
  versionObservedAt: null,
  lastSuccess: null,
  consecutiveFailures: 0,
  lastError: null,
};

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
/** An operation, a request id, a version: printable and short. */
const REFERENCE = /^[!-~]{1,128}$/;

/** The peer has told its version. */
export function withVersion(health: PeerHealth, version: string, at: string): PeerHealth {
  return REFERENCE.test(version) ? { ...health, version, versionObservedAt: at } : health;
}

/** After an exchange. One that ended well but still holds something back is as bad as the one that held it back. */
export function afterExchange(health: PeerHealth, result: Exchanged, at: string): PeerHealth {
  const error = errorOf(health, result, at);
  if (error === null) return { ...health, lastSuccess: at, consecutiveFailures: 0, lastError: null };
  return { ...health, consecutiveFailures: health.consecutiveFailures + 1, lastError: error };
}

function errorOf({ lastError }: PeerHealth, result: Exchanged, at: string): PeerError | null {
  const { refused, stalled } = result.progress;
  if (result.outcome === "failed") {
    const { reason, op, traceId } = result;
    return { reason, ...reference("eventId", op), ...reference("traceId", traceId), observedAt: at };
  }
  if (refused !== null) return { reason: refused.reason, ...reference("eventId", refused.op), observedAt: at };
  if (!stalled) return null;
  return lastError ?? { reason: "other", observedAt: at };
}

function reference<Name extends string>(name: Name, value: string | null): Partial<Record<Name, string>> {
  if (value === null || !REFERENCE.test(value)) return {};
  return { [name]: value } as Partial<Record<Name, string>>;
}

/** The kept one; null when there is none or it is malformed. Whatever it does not know is dropped. */
export function parseHealth(text: string | null): PeerHealth | null {
  if (text === null) return null;
  try {
    const read = JSON.parse(text) as { readonly [Name in keyof PeerHealth]?: unknown };
    const { version, versionObservedAt, lastSuccess, consecutiveFailures, lastError } = read;
    const times = [versionObservedAt, lastSuccess].every((time) => time === null || isInstant(time));
    const isWhole = times && (version === null || isReference(version)) && isCount(consecutiveFailures);
    if (!isWhole || !(lastError === null || isError(lastError))) return null;
    return { version, versionObservedAt, lastSuccess, consecutiveFailures, lastError } as PeerHealth;
  } catch {
    return null;
  }
}

function isError(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { reason, eventId, traceId, observedAt } = value as { readonly [Name in keyof PeerError]?: unknown };
  const references = [eventId, traceId].every((one) => one === undefined || isReference(one));
  return typeof reason === "string" && Object.hasOwn(HINTS, reason) && references && isInstant(observedAt);
}

function isInstant(value: unknown): boolean {
  return typeof value === "string" && INSTANT.test(value);
}

function isReference(value: unknown): boolean {
  return typeof value === "string" && REFERENCE.test(value);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
