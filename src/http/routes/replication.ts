/**
 * `/sync`: what this engine serves to spokes and federation peers.
 * A caller that says under which name it writes, in the header `x-sync-origin`, is not given back its own.
 * What it says there counts for its own token alone.
 */
import type { FastifyRequest } from "fastify";
import { MAX_UNIX_MS } from "../../core/hlc.ts";
import { DEFAULT_PAGE_BYTES, DEFAULT_PAGE_OPS, MAX_PUSH_BYTES, isOrigin } from "../../core/operation.ts";
import type { SyncCaller } from "../../replication/callers.ts";
import type { Digests } from "../../replication/history.ts";
import type { PullPage, PushOutcome, PushReport, SyncIdentity } from "../../replication/hub.ts";
import type { App, HttpComponents } from "../components.ts";
import { type Problem, problem, sendProblem } from "../problem.ts";
import { BODY, GUARDED, named, refusals } from "../schemas/common.ts";
import {
  CompareBody,
  ComparedSchema,
  PullPageSchema,
  PullQuery,
  PushBody,
  PushReportSchema,
  SyncIdentitySchema,
} from "../schemas/replication.ts";
import { IdentityQuery } from "../schemas/peers.ts";
import { InvalidInput } from "../validation.ts";

const ORIGIN_HEADER = "x-sync-origin";
const CLOCK_HEADER = "x-sync-unix-ms";
const MAX_PLACE_CHARS = 160;
const NOT_SERVING = problem("not_serving", "federation.mode is subscribe: this engine pulls and serves nobody");

export function identityRoute(app: App, { coordinator }: HttpComponents): void {
  app.get(
    "/sync/identity",
    {
      config: { access: "replicate", certificate: true },
      schema: {
        summary: "Who serves here",
        description: `The header ${CLOCK_HEADER} tells the wall clock of the caller, ms since 1970.`,
        tags: ["replication"],
        querystring: IdentityQuery,
        response: {
          200: named<SyncIdentity>(SyncIdentitySchema),
          ...refusals(...GUARDED, "certificate_required", "invalid_request"),
        },
      },
    },
    (request, reply) => {
      const toldMs = Number(request.headers[CLOCK_HEADER]);
      if (Number.isSafeInteger(toldMs) && toldMs > 0 && toldMs <= MAX_UNIX_MS) {
        const place = `${request.caller.name} ${String(request.headers[ORIGIN_HEADER])}`;
        coordinator.replication.callerClock(place.slice(0, MAX_PLACE_CHARS), toldMs);
      }
      reply.send(coordinator.replication.hub.identity(request.query.challenge));
    },
  );
}

export function pullRoute(app: App, { coordinator }: HttpComponents): void {
  app.get(
    "/sync/pull",
    {
      config: { access: "replicate", certificate: true },
      schema: {
        summary: "Operations in the order of their arrival here",
        description: `The header ${ORIGIN_HEADER} names the origin of the caller, whose own are left out.`,
        tags: ["replication"],
        querystring: PullQuery,
        response: {
          200: named<PullPage>(PullPageSchema),
          ...refusals(...GUARDED, "certificate_required", "invalid_request", "not_serving"),
        },
      },
    },
    (request, reply) => {
      if (!coordinator.replication.hub.serves) return void sendProblem(reply, NOT_SERVING);
      const { after = "", held = after, limit = DEFAULT_PAGE_OPS, maxBytes = DEFAULT_PAGE_BYTES } = request.query;
      reply.send(coordinator.replication.hub.pull({ caller: callerOf(request), after, held, limit, maxBytes }));
    },
  );
}

export function compareRoute(app: App, { coordinator }: HttpComponents): void {
  app.post(
    "/sync/compare",
    {
      config: { access: "replicate", certificate: true },
      schema: {
        summary: "Whether histories are the same here",
        description:
          "Of each origin the digest of its history through operation `n`. Where it differs from the digest here, the " +
          "history forked: alarm `history-forked`.",
        tags: ["replication"],
        body: CompareBody,
        response: {
          200: named<{ readonly heads: Digests }>(ComparedSchema),
          ...refusals(...GUARDED, ...BODY, "certificate_required", "not_serving"),
        },
      },
    },
    (request, reply) => {
      const { hub } = coordinator.replication;
      if (!hub.serves) return void sendProblem(reply, NOT_SERVING);
      reply.send({ heads: hub.compare(callerOf(request), request.body.heads) });
    },
  );
}

export function pushRoute(app: App, { coordinator }: HttpComponents): void {
  app.post(
    "/sync/push",
    {
      config: { access: "replicate", certificate: true },
      bodyLimit: MAX_PUSH_BYTES,
      schema: {
        summary: "Takes operations in; says of each what became of it",
        description:
          "A token of role `spoke` brings operations of origins that are bound to it; the first operation that is taken or " +
          "set aside binds its origin. Others are rejected with `origin_not_bound`, or with `quota` where the token has " +
          "`replication.maxOriginsPerToken` origins already. The whole push is refused with that code when " +
          `${ORIGIN_HEADER} names such an origin, or when, without that header, nothing in it may come from this token. ` +
          "Of `snapshot.clock` only the entries of its own origins are believed.",
        tags: ["replication"],
        body: PushBody,
        response: {
          200: named<PushReport>(PushReportSchema),
          ...refusals(
            ...([...GUARDED, ...BODY, "certificate_required", "origin_not_bound", "quota", "not_serving"] as const),
            "store_failed",
          ),
        },
      },
    },
    (request, reply) => {
      if (!coordinator.replication.hub.serves) return void sendProblem(reply, NOT_SERVING);
      const { ops, snapshot = null } = request.body;
      const pushed = coordinator.replication.hub.pushFrom(callerOf(request), ops, snapshot);
      if (pushed.outcome === "refused") return void sendProblem(reply, pushRefusal(pushed, request.caller.name));
      const { results, applied } = pushed;
      reply.send({ results, applied });
    },
  );
}

function callerOf({ headers, caller }: Pick<FastifyRequest, "headers" | "caller">): SyncCaller {
  const given = headers[ORIGIN_HEADER] ?? "";
  const token = caller.role === null ? null : caller.name;
  if (given === "" || isOrigin(given)) return { origin: given, token, isSpoke: caller.role === "spoke" };
  throw new InvalidInput(
    `/${ORIGIN_HEADER}`,
    `header ${ORIGIN_HEADER}: is not an origin of 1 to 64 letters, digits, ._:-`,
  );
}

/** The refusal of a whole push, with the origins and the token by name. */
function pushRefusal({ reason, origins }: Extract<PushOutcome, { outcome: "refused" }>, token: string): Problem {
  const named = origins.slice(0, 8).join(", ");
  const detail =
    reason === "quota"
      ? `the token "${token}" has as many origins as replication.maxOriginsPerToken allows: ${named} cannot be added; ` +
        "release one with changeover federation release, or raise the bound"
      : `the token "${token}" may not write as ${named}: bound to another token, or an engine of this federation; ` +
        "see changeover federation origins";
  return problem(reason, detail, { token, origins: origins.slice(0, 8) });
}
