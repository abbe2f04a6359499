/**
 * Who may call what. A route states its access; this turns the statement into a check.
 * A route without a statement stops the start; the exempt paths are exactly those of the list; an exempt
 * route has no check at all, so that probes cost nothing.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { FastifyReply, FastifyRequest, onRequestHookHandler } from "fastify";
import type { TokenRole } from "../config/types.ts";
import { assert } from "../core/errors.ts";
import { type Problem, problem, sendProblem } from "./problem.ts";
import type { HttpInit, App } from "./components.ts";
import cors from "@fastify/cors";
import { isLoopback } from "../core/loopback.ts";
import { REQUEST_ID_HEADER } from "./body.ts";
import { createHash, timingSafeEqual } from "node:crypto";
import type { TokenSecret } from "../config/secrets.ts";
import {
  MAX_WATCHED_ADDRESSES as MAX_ADDRESSES,
  MAX_WRONG_SECRETS as MAX_WRONG,
  MAX_WRONG_SECRETS_IN_TOTAL as MAX_IN_TOTAL,
  WRONG_SECRETS_WINDOW_MS as WINDOW_MS,
} from "./limits.ts";

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

// Which pages in a browser may reach this surface. A browser lends a foreign page its reach to this host, so a page
// needs the configured origin list (CORS), and without tokens the request must also name a loopback host: a foreign
// name that resolves to 127.0.0.1 (DNS rebinding) is refused.

/** Every method that some path knows, but for `OPTIONS`. */
export const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] as const;

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
    methods: [...METHODS],
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

// What a browser is told of the page, so that it can do nothing but show itself, speak to its own host, and listen to
// the one peer that this engine is configured with.

/** @param peerUrl the peer's HTTP surface, whose stream the page may go over to; null: it may go nowhere else */
export function pageHeaders(peerUrl: string | null): Readonly<Record<string, string>> {
  const connect = ["'self'", ...peerStream(peerUrl)].join(" ");
  return {
    "content-security-policy":
      `default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src ${connect}; ` +
      "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
  };
}

/** WebSocket alone: nothing is ever asked or written there. The policy has no word for an IPv6 address. */
function peerStream(peerUrl: string | null): string[] {
  if (peerUrl === null) return [];
  const { protocol, host } = new URL(peerUrl);
  return host.startsWith("[") ? [] : [`${protocol === "https:" ? "wss" : "ws"}://${host}`];
}

// Compares secrets without telling, by the time it takes, how much of a guess was right. Only hashes are kept, and
// every comparison looks at all of them.

/** Who calls. `role` is null in open mode, where everybody may do everything. */
export interface Caller {
  /** The token's name, for the audit. */
  readonly name: string;
  readonly role: TokenRole | null;
}

/** Everybody, when no token is configured. */
export const ANYONE: Caller = { name: "open-mode", role: null };

const sha256 = (text: string): Buffer => createHash("sha256").update(text, "utf8").digest();

/** A function that says whether a guess is `secret`. */
export function secretMatcher(secret: string): (guess: string) => boolean {
  const hash = sha256(secret);
  return (guess) => timingSafeEqual(sha256(guess), hash);
}

/** A function that names the caller behind a token; null for an unknown one. */
export function tokenTable(tokens: readonly TokenSecret[]): (token: string) => Caller | null {
  const known = tokens.map(({ name, role, value }) => ({ caller: { name, role }, hash: sha256(value) }));
  return (token) => {
    const hash = sha256(token);
    let found: Caller | null = null;
    for (const entry of known) if (timingSafeEqual(entry.hash, hash)) found = entry.caller;
    return found;
  };
}

// Counts wrong secrets, per address and in total [A12]. After `MAX_WRONG_SECRETS` from one address, or
// `MAX_WRONG_SECRETS_IN_TOTAL` from all, within the window, further wrong ones are told to wait until the oldest has
// left the window. The right secret is never counted nor refused. Memory is bounded.

export class WrongSecrets {
  /** address → when, oldest first; at most `MAX_WRONG` each. Insertion order is age. */
  readonly #seen = new Map<string, number[]>();
  /** When any came, oldest first; at most `MAX_IN_TOTAL`. */
  #recent: number[] = [];
  #total = 0;

  /** All wrong secrets since the start, those that were told to wait included. */
  get total(): number {
    return this.#total;
  }

  /** Counts a wrong secret from `address`. Gives the ms that it has to wait; 0 when it may guess again. */
  note(address: string, nowMonoMs: number): number {
    this.#total += 1;
    const ofAddress = within(this.#seen.get(address) ?? [], nowMonoMs);
    this.#recent = within(this.#recent, nowMonoMs);
    const waitMs = Math.max(wait(ofAddress, MAX_WRONG, nowMonoMs), wait(this.#recent, MAX_IN_TOTAL, nowMonoMs));
    if (waitMs > 0) return waitMs;
    this.#recent.push(nowMonoMs);
    this.#seen.delete(address);
    this.#seen.set(address, [...ofAddress, nowMonoMs]);
    const [first] = this.#seen.keys();
    if (this.#seen.size > MAX_ADDRESSES && first !== undefined) this.#seen.delete(first);
    return 0;
  }
}

function within(times: number[], nowMonoMs: number): number[] {
  return times.filter((atMs) => nowMonoMs - atMs < WINDOW_MS);
}

function wait(times: readonly number[], most: number, nowMonoMs: number): number {
  const [oldest] = times;
  return oldest === undefined || times.length < most ? 0 : oldest + WINDOW_MS - nowMonoMs;
}
