/**
 * Turns whatever was thrown, by Fastify, by a parser or by the coordinator, into a problem.
 * What is broken inside is logged with its cause and told to the caller without it.
 */
import type { FastifyError, FastifyInstance } from "fastify";
import { ChangeoverError, type ErrorCode } from "../core/errors.ts";
import type { Logger } from "../ports/basics.ts";
import { NumberNotExact } from "../json/exact-numbers.ts";
import { JsonFault } from "../json/fault.ts";
import { type Problem, problem, sendProblem, statusOf } from "./problem.ts";
import { InvalidInput, UnsupportedMediaType } from "./validation.ts";

/** Expected conditions of the house that reach HTTP as errors. */
const KNOWN: Partial<Record<ErrorCode, "engine_not_ready" | "witness_unreachable" | "store_failed" | "stopping">> = {
  engine_not_ready: "engine_not_ready",
  witness_unreachable: "witness_unreachable",
  store_full: "store_failed",
  store_failed: "store_failed",
  stopped: "stopping",
};

/** The problem that an error stands for. */
export function problemOf(error: unknown): Problem {
  if (error instanceof InvalidInput) return problem("invalid_request", error.message, { field: error.field });
  if (error instanceof NumberNotExact) {
    const { path, text } = error.number;
    return problem("number_not_exact", error.message, { path, value: text });
  }
  if (error instanceof UnsupportedMediaType) return problem("unsupported_media_type", error.message);
  if (error instanceof JsonFault) return problem("invalid_json", error.message);
  if (error instanceof ChangeoverError) return problemOfHouse(error);
  return problemOfFastify(error as Partial<FastifyError>);
}

function problemOfHouse(error: ChangeoverError): Problem {
  if (error.code === "invalid_value") return problem("invalid_request", error.message);
  const known = KNOWN[error.code];
  return known === undefined ? internal() : problem(known, error.message);
}

function problemOfFastify(error: Partial<FastifyError>): Problem {
  if (error.code === "FST_ERR_CTP_BODY_TOO_LARGE") return problem("payload_too_large", "the body is over the limit");
  if (error.code === "FST_ERR_CTP_INVALID_MEDIA_TYPE" || error.statusCode === 415) {
    return problemOf(new UnsupportedMediaType());
  }
  const status = error.statusCode ?? 500;
  if (status === 404) return problem("not_found", "there is nothing at this path");
  if (status === 413) return problem("payload_too_large", "the body is over the limit");
  return status >= 400 && status < 500
    ? problem("invalid_request", error.message ?? "not a valid request")
    : internal();
}

function internal(): Problem {
  return problem("internal_error", "the log of this engine says more under this answer's x-request-id");
}

/** Answers every error of every route. */
export function answerFailures(app: FastifyInstance, logger: Logger): void {
  app.setErrorHandler((error, request, reply) => {
    const found = problemOf(error);
    if (statusOf(found.code) === 500) {
      logger.error({ error, requestId: request.id, route: request.routeOptions.url }, "request failed");
    }
    // Fastify closes the connection after a bad body, and a caller that still sends would see a reset instead of the
    // answer. Node reads the rest away, within the time that a request may take. Whoever asked for a close is told of it: a
    // connection that ends unannounced looks like a broken engine to the next request on it [RFC 9112, 9.6].
    if (reply.hasHeader("connection")) reply.header("connection", reply.raw.shouldKeepAlive ? "keep-alive" : "close");
    const { invalidBodyCode } = request.routeOptions.config;
    if (statusOf(found.code) === 400 && invalidBodyCode) return sendProblem(reply, { ...found, code: invalidBodyCode });
    if (found.code !== "payload_too_large") return sendProblem(reply, found);
    const { bodyLimit } = request.routeOptions;
    return sendProblem(reply, { ...found, detail: `the body is over the limit of ${bodyLimit} bytes` });
  });
}
