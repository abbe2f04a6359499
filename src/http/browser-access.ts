/**
 * Which pages in a browser may reach this surface. A browser lends a foreign page its reach to this host, so a page needs
 * the configured origin list (CORS), and without tokens the request must also name a loopback host: a foreign name that
 * resolves to 127.0.0.1 (DNS rebinding) is refused.
 */
import cors from "@fastify/cors";
import type { IncomingHttpHeaders } from "node:http";
import { isLoopback } from "../core/loopback.ts";
import type { App } from "./components.ts";
import { type Problem, problem } from "./problem.ts";
import { REQUEST_ID_HEADER } from "./request-id.ts";

/** How long a browser may remember the answer to a preflight. */
const PREFLIGHT_MAX_AGE_SEC = 600;

export interface BrowserAccess {
  /** Checks every request, exempt paths included. */
  refuseHost(headers: IncomingHttpHeaders): Problem | null;
  /** Checks a request or an upgrade that a page of another site may have caused. */
  refuseOrigin(headers: IncomingHttpHeaders): Problem | null;
  /** The same for a socket. Browsers apply CORS to requests, but not to sockets. */
  refuseSocketOrigin(headers: IncomingHttpHeaders): Problem | null;
}

/**
 * @param isOpen whether no token is configured
 * @param origins origins whose pages may call, as browsers send them: `https://panel.example:8443`
 */
export function browserAccess(isOpen: boolean, origins: readonly string[]): BrowserAccess {
  const listed = new Set(origins);
  const isKnown = (headers: IncomingHttpHeaders): boolean => {
    const { origin, host } = headers;
    return origin === undefined || listed.has(origin) || hostOf(origin) === hostNameOf(host ?? "");
  };
  const refuse = (why: string): Problem =>
    problem("forbidden", `${why}; add the page's origin to http.cors.origins to allow it`);
  const refuseForeign = (headers: IncomingHttpHeaders): Problem | null =>
    isKnown(headers) || isLoopback(hostOf(headers.origin ?? ""))
      ? null
      : refuse("without tokens only pages of this host may call");
  const refuseUnlisted = (headers: IncomingHttpHeaders): Problem | null =>
    isKnown(headers) || listed.size === 0 ? null : refuse("pages of this origin may not open a socket");
  return isOpen
    ? { refuseHost: refuseForeignHost, refuseOrigin: refuseForeign, refuseSocketOrigin: refuseForeign }
    : { refuseHost: () => null, refuseOrigin: () => null, refuseSocketOrigin: refuseUnlisted };
}

function refuseForeignHost({ host }: IncomingHttpHeaders): Problem | null {
  if (host === undefined || isLoopback(hostNameOf(host))) return null;
  return problem("misdirected_request", "without tokens the header Host must name this host, such as 127.0.0.1");
}

/** `127.0.0.1:7401` and `[::1]:7401` without the port, in lower case. */
function hostNameOf(host: string): string {
  return (/^(\[[^\]]*\]|[^:]*)(?::\d*)?$/.exec(host.trim())?.[1] ?? "").toLowerCase();
}

function hostOf(origin: string): string {
  return URL.canParse(origin) ? new URL(origin).hostname : "";
}

/**
 * Lets pages of `origins` read the answers. Preflights are answered here, before any token is asked for. An `OPTIONS`
 * that is no preflight goes on to its route: probes may use it.
 */
export async function allowOrigins(app: App, origins: readonly string[]): Promise<void> {
  if (origins.length === 0) return;
  const allowed = {
    origin: [...origins],
    methods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
    exposedHeaders: [REQUEST_ID_HEADER, "etag", "retry-after", "allow"],
    maxAge: PREFLIGHT_MAX_AGE_SEC,
  };
  await app.register(cors, {
    delegator: ({ headers }, done) => {
      const isPreflight = headers.origin !== undefined && headers["access-control-request-method"] !== undefined;
      done(null, { ...allowed, preflight: isPreflight });
    },
  });
}
