/**
 * The one place that makes problem documents (RFC 9457): stable code, status, title, and what explains it.
 * Every answer that is not a success has this form; no secret is in one.
 */
import type { FastifyReply } from "fastify";
import type { Json } from "../core/canonical-json.ts";

export const PROBLEM_MEDIA_TYPE = "application/problem+json";

/** code → status and title. */
const PROBLEMS = {
  invalid_json: [400, "The body is not JSON"],
  invalid_request: [400, "The request is not valid"],
  invalid_snapshot: [400, "Not a state snapshot of this pair"],
  unauthorized: [401, "A bearer token is needed"],
  bad_secret: [401, "The control plane's secret is wrong"],
  forbidden: [403, "This token may not do that"],
  origin_not_bound: [403, "The token may not write as this origin"],
  quota: [403, "The token has no room for another origin"],
  certificate_required: [403, "A client certificate is needed"],
  not_found: [404, "There is nothing at this path"],
  lock_not_found: [404, "The lock has lapsed or was never this one"],
  conflict_not_found: [404, "There is no such conflict"],
  record_not_found: [404, "There is no such record"],
  origin_not_found: [404, "The origin is bound to nothing"],
  peer_not_found: [404, "There is no such peer"],
  op_not_found: [404, "There is no such operation"],
  event_not_found: [404, "There is no such event in the outbox"],
  method_not_allowed: [405, "This path does not know that method"],
  not_leader: [409, "This engine does not lead"],
  fenced: [409, "This engine no longer leads; the command was not stored"],
  already_leader: [409, "This engine leads already"],
  epoch_mismatch: [409, "The epoch is not the expected one"],
  lock_held: [409, "Another holds the reconcile lock"],
  lock_not_held: [409, "The caller does not hold the reconcile lock"],
  no_valid_backup: [409, "The peer cannot take over"],
  nothing_planned: [409, "No handover is planned here"],
  already_published: [409, "The event is published already"],
  no_feed: [409, "Nothing is published: outbox.sink is nop"],
  not_dead: [409, "The event is no dead letter"],
  already_resolved: [409, "The conflict is resolved already"],
  stranger_not_found: [404, "No engine with this fingerprint was refused"],
  peer_connected: [409, "The pinned peer is connected"],
  nothing_to_adopt: [409, "The witness record is this pair's own"],
  no_witness: [409, "No witness is configured"],
  not_serving: [409, "This engine subscribes and serves nobody"],
  not_pulling: [409, "This engine publishes and asks nobody"],
  stale_epoch: [412, "The snapshot is of an older epoch"],
  request_timeout: [408, "The request did not arrive in time"],
  payload_too_large: [413, "The body is too large"],
  unsupported_media_type: [415, "The body must be application/json"],
  misdirected_request: [421, "The request names another host"],
  invalid_command: [422, "The engine does not accept this command"],
  idempotency_conflict: [422, "This idempotency key belongs to another command"],
  invalid_configuration: [422, "The configuration cannot be used"],
  number_not_exact: [422, "An integer is too large to be kept exactly"],
  upgrade_required: [426, "This path speaks WebSocket"],
  too_many_attempts: [429, "Too many wrong secrets"],
  headers_too_large: [431, "The head of the request is too large"],
  internal_error: [500, "Something is broken inside"],
  not_configured: [501, "No control plane secret is configured"],
  no_quorum: [503, "Neither peer nor witness can confirm"],
  witness_unreachable: [503, "The witness is out of reach"],
  engine_not_ready: [503, "The engine is not ready"],
  outcome_unknown: [503, "The leadership ended before the outcome was known"],
  clock_wrong: [503, "The clock of this engine is wrong"],
  store_failed: [503, "The store cannot be written"],
  busy: [503, "Too much is waiting"],
  stopping: [503, "This engine is stopping"],
} as const satisfies Record<string, readonly [status: number, title: string]>;

/** A stable word for one kind of refusal. */
export type ProblemCode = keyof typeof PROBLEMS;

/** One refusal before it is written out. */
export interface Problem {
  readonly code: ProblemCode;
  /** One sentence for a person. */
  readonly detail: string;
  /** Fields of its own: `leader`, `epoch`, `holder` and so on. */
  readonly fields: Readonly<Record<string, Json>>;
  readonly retryAfterSec: number | null;
}

/** A caller who is told to come again is told when. */
const DEFAULT_RETRY_AFTER_SEC = 1;

export function problem(code: ProblemCode, detail: string, fields: Problem["fields"] = {}): Problem {
  return { code, detail, fields, retryAfterSec: statusOf(code) === 503 ? DEFAULT_RETRY_AFTER_SEC : null };
}

export function statusOf(code: ProblemCode): number {
  return PROBLEMS[code][0];
}

/** The document itself. */
export function problemDocument({ code, detail, fields }: Problem): Record<string, Json> {
  const [status, title] = PROBLEMS[code];
  // Existing clients of such engines read `error`.
  return { type: `urn:changeover:problem:${code}`, title, status, code, detail, error: detail, ...fields };
}

/** How a caller shows who it is: RFC 9110, 15.5.2, demands it of every 401. The control plane's scheme has no registered name. */
const CHALLENGES: Partial<Record<ProblemCode, string>> = {
  unauthorized: 'Bearer realm="changeover"',
  bad_secret: 'X-Control-Plane-Secret realm="changeover"',
};

/** The headers that belong to a refusal. */
export function problemHeaders({ code, retryAfterSec }: Problem): Readonly<Record<string, string>> {
  const challenge = CHALLENGES[code];
  return {
    ...(challenge === undefined ? {} : { "www-authenticate": challenge }),
    ...(retryAfterSec === null ? {} : { "retry-after": String(retryAfterSec) }),
  };
}

/** Answers with a problem document. */
export function sendProblem(reply: FastifyReply, refusal: Problem): FastifyReply {
  return reply
    .headers(problemHeaders(refusal))
    .code(statusOf(refusal.code))
    .type(PROBLEM_MEDIA_TYPE)
    .serializer(JSON.stringify)
    .send(problemDocument(refusal));
}
