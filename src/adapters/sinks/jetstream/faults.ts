/**
 * Purpose: what an error of NATS or JetStream means for a publisher.
 * Keeps true: judged by codes and types, never by message text. What is not known is `unavailable`: it is tried again.
 * Source of the codes: nats-server, `server/errors.json`.
 */
import { errors } from "@nats-io/transport-node";
import { JetStreamApiError } from "@nats-io/jetstream";

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
