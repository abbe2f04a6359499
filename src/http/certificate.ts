/**
 * Purpose: mutual TLS where it is asked for: whoever calls such a route shows a certificate of the configured authorities.
 * Keeps true: people, probes and the peer channel need none, so that a lost certificate locks nobody out of the programme.
 */
import type { onRequestHookHandler } from "fastify";
import type { TLSSocket } from "node:tls";
import { problem, sendProblem } from "./problem.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Callers show a client certificate, where authorities for them are configured. */
    certificate?: boolean;
  }
}

const WITHOUT = problem("certificate_required", "show a client certificate of the authorities in listen.tls.ca");

/** Turns away whose certificate is missing, or from somebody else. */
export const requireCertificate: onRequestHookHandler = (request, reply, done) => {
  if ((request.raw.socket as TLSSocket).authorized) return done();
  sendProblem(reply, WITHOUT);
};
