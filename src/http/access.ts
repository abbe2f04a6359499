/**
 * Purpose: who may call what. A route states its access; this turns the statement into a check.
 * Keeps true: a route without a statement stops the start; the exempt paths are exactly those of the list; an exempt
 * route has no check at all, so that probes cost nothing.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { FastifyReply, FastifyRequest, onRequestHookHandler } from "fastify";
import type { TokenRole } from "../config/types.ts";
import { assert } from "../core/assert.ts";
import type { BrowserAccess } from "./browser-access.ts";
import { type Problem, problem, sendProblem } from "./problem.ts";
import { ANYONE, type Caller, tokenTable } from "./secrets.ts";
import type { HttpInit } from "./components.ts";

/**
 * What a route demands. `sync-read`: what an operator's page shows and what the peer needs. `replicate`: what spokes and
 * sites exchange records over. `page`: the
 * page's own files, which a browser must have before anybody can type a token; they hold nothing of the pair.
 */
export type Access = "exempt" | "page" | Guarded;
type Guarded = "view" | "operate" | "sync-read" | "replicate" | "peer";

/** Paths that need no token, by exact match. */
export const EXEMPT_PATHS: ReadonlySet<string> = new Set([
  "/api/peer/health",
  "/api/peer/force-leader",
  "/leader",
  "/follower",
  "/live",
  "/ready",
]);

const MAY: Readonly<Record<Guarded, readonly TokenRole[]>> = {
  view: ["viewer", "operator"],
  operate: ["operator"],
  "sync-read": ["viewer", "operator", "peer"],
  replicate: ["spoke", "peer"],
  peer: ["peer"],
};

declare module "fastify" {
  interface FastifyRequest {
    /** Who calls; `ANYONE` on exempt routes. */
    caller: Caller;
  }
  interface FastifyContextConfig {
    access?: Access;
    /** Code of a 400 for this route's body, where the contract names one. */
    invalidBodyCode?: "invalid_snapshot";
    /** Answers are written by a compiled serialiser: for routes that are probed all the time. */
    hot?: boolean;
  }
}

/** Names the caller of a request, or says why not. */
export type Identify = (headers: IncomingHttpHeaders, token: string | null) => Caller | Problem;

/** Checks by the tokens that are configured. */
export function identifier(secrets: HttpInit["secrets"], browsers: BrowserAccess): Identify {
  if (secrets.tokens.length === 0) return (headers) => browsers.refuseOrigin(headers) ?? ANYONE;
  let { tokens } = secrets;
  let find = tokenTable(tokens);
  return (_headers, token) => {
    // A reload puts other tokens in force.
    if (tokens !== secrets.tokens) find = tokenTable((tokens = secrets.tokens));
    if (token === null) return problem("unauthorized", "send the header authorization: Bearer <token>");
    return find(token) ?? problem("unauthorized", "the bearer token is unknown");
  };
}

/** The bearer token of a request, if there is one. */
export function bearerOf(headers: IncomingHttpHeaders): string | null {
  return /^Bearer +([\x21-\x7e]+) *$/i.exec(headers.authorization ?? "")?.[1] ?? null;
}

/** Whether the caller may; else why not. */
export function permit(caller: Caller, access: Guarded): Problem | null {
  if (caller.role === null || MAY[access].includes(caller.role)) return null;
  const needs = `this needs a token of role ${MAY[access].join(" or ")}`;
  if (caller.role !== "spoke") return problem("forbidden", needs);
  const opens = "/sync/identity, /sync/pull, /sync/compare and /sync/push";
  return problem("forbidden", `${needs}; the token "${caller.name}" has role spoke, which opens only ${opens}`);
}

/** The hook that guards a route; none for exempt ones. */
export function guard(access: Access, identify: Identify): onRequestHookHandler | null {
  if (access === "exempt" || access === "page") return null;
  return (request: FastifyRequest, reply: FastifyReply, done: () => void) => {
    const caller = identify(request.headers, bearerOf(request.headers));
    const refusal = "code" in caller ? caller : permit(caller, access);
    if (refusal !== null) {
      if (refusal.code === "unauthorized") reply.header("www-authenticate", 'Bearer realm="changeover"');
      sendProblem(reply, refusal);
      return;
    }
    request.caller = caller as Caller;
    done();
  };
}

/** The access that a route states. */
export function accessOf(url: string, stated: Access | undefined): Access {
  // Both pages are made by plugins, which cannot state anything.
  const access = stated ?? (isAt("/docs", url) ? "view" : isAt("/machines", url) ? "page" : undefined);
  assert(access !== undefined, `the route ${url} states its access`);
  assert((access === "exempt") === EXEMPT_PATHS.has(url), `${url} is exempt if and only if it is in the list`);
  return access;
}

function isAt(path: string, url: string): boolean {
  return url === path || url.startsWith(`${path}/`);
}
