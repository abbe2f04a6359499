/**
 * Listens and closes.
 * The listener and the leadership share one fate [DP2]: when the listening socket fails or closes, anyone who
 * closed it, the coordinator hears of it first. Without tokens only this host can reach the surface.
 */
import type { AddressInfo } from "node:net";
import type { Secrets } from "../config/secrets.ts";
import type { Coordinator } from "../coordinator/types.ts";
import { assert, ChangeoverError } from "../core/errors.ts";
import { isLoopback } from "../core/loopback.ts";
import type { Clock, Logger } from "../ports/basics.ts";
import type { App } from "./components.ts";
import { CLOSE_GRACE_MS, MAX_CONNECTIONS } from "./limits.ts";
import type { onRequestHookHandler } from "fastify";
import type { TLSSocket } from "node:tls";
import { problem, sendProblem } from "./problem.ts";

export interface HttpServer {
  readonly host: string;
  /** The port that was taken, also where 0 was asked for. */
  readonly port: number;
  /** Stops listening, gives answers under way a moment, then ends every connection. Idempotent. */
  close(): Promise<void>;
}

/** Collaborators of `listen`. */
export interface ServerComponents {
  readonly app: App;
  readonly coordinator: Pick<Coordinator, "listenerLost">;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Starts to listen.
 *
 * @throws ChangeoverError `invalid_configuration` for open mode on an address that others can reach, `address_in_use`
 */
export async function listen(
  components: ServerComponents,
  init: { readonly host: string; readonly port: number; readonly secrets: Pick<Secrets, "tokens"> },
): Promise<HttpServer> {
  const { app, logger } = components;
  const { host, port, secrets } = init;
  const isOpen = secrets.tokens.length === 0;
  if (isOpen && !isLoopback(host)) throw openToOthers(host);
  app.server.maxConnections = MAX_CONNECTIONS;
  await app.listen({ host, port }).catch((error: unknown) => {
    throw notListening(error, host, port);
  });
  shareFate(components);
  if (isOpen) logger.warn({ host }, "open mode: no token is configured, everybody on this host may do everything");
  const address = app.server.address() as AddressInfo | null;
  assert(address !== null, "a listening server has an address");
  let closing: Promise<void> | null = null;
  return { host, port: address.port, close: () => (closing ??= closeServer(components)) };
}

/** [DP2] Nobody may find the port closed while this engine still leads. */
function shareFate({ app, coordinator, logger }: ServerComponents): void {
  app.server.prependListener("error", (error) => {
    coordinator.listenerLost(`the listening socket failed: ${error.message}`);
    logger.error({ error }, "listening socket failed");
  });
  app.server.prependListener("close", () => coordinator.listenerLost("the listening socket closed"));
}

async function closeServer({ app, coordinator, clock }: ServerComponents): Promise<void> {
  coordinator.listenerLost("the HTTP surface closes");
  const cutOff = clock.setTimeout(() => app.server.closeAllConnections(), CLOSE_GRACE_MS);
  await app.close();
  clock.clearTimeout(cutOff);
}

function openToOthers(host: string): ChangeoverError {
  return new ChangeoverError("invalid_configuration", `listen.host is ${host}: needs auth.tokens, or 127.0.0.1`, {
    details: { key: "listen.host", value: host, bound: "a loopback address, as no token is configured" },
  });
}

function notListening(error: unknown, host: string, port: number): unknown {
  if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") return error;
  return new ChangeoverError("address_in_use", `another process listens on ${host}:${port}`, {
    details: { host, port },
    cause: error,
  });
}

// Mutual TLS where it is asked for: anyone who calls such a route shows a certificate of the configured authorities.
// People, probes and the peer channel need none, so that a lost certificate locks nobody out of the programme.

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
