/**
 * What an error of NATS or JetStream means: for a publisher, for the witness, and in words that are safe to show. Judged by
 * codes and types, never by message text. For a publisher, what is not known is `unavailable`: it is tried again.
 * Source of the codes: nats-server, `server/errors.json`.
 */
import { errors } from "@nats-io/transport-node";
import { JetStreamApiError } from "@nats-io/jetstream";
import { ChangeoverError } from "../../core/errors.ts";
import { systemReason } from "../connection-reason.ts";

/** `chain`: the stream, or the stack's subject, does not end with what was expected. */
export type Fault = "unavailable" | "refused" | "chain";

/** Message larger than the stream takes; header of the wrong form; another stream has the subject. */
const REFUSED: ReadonlySet<number> = new Set([10_054, 10_097, 10_060]);
/** Wrong last message id; wrong last sequence (of the stream, or of the subject). */
const CHAIN: ReadonlySet<number> = new Set([10_070, 10_071]);

export function faultOf(error: unknown): Fault {
  if (error instanceof JetStreamApiError) {
    if (CHAIN.has(error.code)) return "chain";
    return REFUSED.has(error.code) ? "refused" : "unavailable";
  }
  // What the client itself will not send: too large, or not a subject.
  return error instanceof errors.InvalidArgumentError || error instanceof errors.InvalidSubjectError
    ? "refused"
    : "unavailable";
}

/** Whether the server says that there is no such message, stream or consumer. */
export function isNotFound(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.status === 404;
}

/** Whether a write was refused because the key has moved on. */
export function isRevisionMoved(error: unknown): boolean {
  return error instanceof JetStreamApiError && CHAIN.has(error.code);
}

/** Whether the server refused the call or never got it. Anything else may have been done. */
export function isCertainlyNotDone(error: unknown): boolean {
  return (
    error instanceof JetStreamApiError ||
    nobodyTookIt(error) ||
    error instanceof errors.PermissionViolationError ||
    error instanceof ChangeoverError
  );
}

/** Nobody listens on the subject: JetStream is off or without a leader, or the stream is gone. */
function nobodyTookIt(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof errors.NoRespondersError) return true;
  return (error instanceof errors.RequestError && error.isNoResponders()) || nobodyTookIt(error.cause);
}

/** By JetStream's error code. */
const API_REASONS: Readonly<Record<number, string>> = {
  10_008: "JetStream has no leader at the moment",
  10_023: "the server is out of resources for JetStream",
  10_028: "the server is out of memory for JetStream",
  10_039: "JetStream is not enabled for this account",
  10_047: "the server is out of disk space for JetStream",
  10_059: "the bucket does not exist",
  10_074: "the server has too few nodes for the replicas of the bucket",
  10_076: "JetStream is not enabled on the server",
  10_077: "the bucket is full",
};

/** Why NATS gave no answer, in words that are safe to log and to show: no host, subject or password is in them. */
export function natsReason(error: unknown): string {
  if (error instanceof ChangeoverError) return error.message;
  if (error instanceof JetStreamApiError)
    return API_REASONS[error.code] ?? `JetStream refused the call (${error.code})`;
  if (error instanceof errors.AuthorizationError) return "wrong user or password (Authorization Violation)";
  if (error instanceof errors.UserAuthenticationExpiredError) return "the credentials have expired";
  if (error instanceof errors.PermissionViolationError) return "not permitted to this user";
  if (error instanceof errors.InvalidArgumentError) return "TLS refused: the server offers none";
  if (nobodyTookIt(error)) {
    return "JetStream does not answer: it is not enabled, has no leader, or the bucket is gone";
  }
  if (error instanceof errors.RequestError && error.cause !== undefined) return natsReason(error.cause);
  if (error instanceof errors.TimeoutError) return "no answer in time";
  return systemReason(error) ?? "connection closed";
}
