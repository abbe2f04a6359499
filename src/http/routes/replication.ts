/**
 * Purpose: `/sync`: what this engine serves to spokes and federation peers.
 * Keeps true: a caller that says under which name it writes, in the header `x-sync-origin`, is not given back its own.
 * What it says there counts for its own token alone.
 */
import type { FastifyRequest } from "fastify";
import { DEFAULT_PAGE_BYTES, DEFAULT_PAGE_OPS, MAX_PUSH_BYTES } from "../../core/sync-bounds.ts";
import { isOrigin } from "../../core/operation.ts";
import type { SyncCaller } from "../../replication/callers.ts";
import type { PullPage, PushReport, SyncIdentity } from "../../replication/hub.ts";
import type { App, HttpComponents } from "../components.ts";
import { problem, sendProblem } from "../problem.ts";
import { BODY, GUARDED, named, refusals } from "../schemas/common.ts";
import { PullPageSchema, PullQuery, PushBody, PushReportSchema, SyncIdentitySchema } from "../schemas/replication.ts";
import { IdentityQuery } from "../schemas/peers.ts";
import { InvalidInput } from "../validation.ts";

const ORIGIN_HEADER = "x-sync-origin";
const NOT_SERVING = problem("not_serving", "federation.mode is subscribe: this engine pulls and serves nobody");

export function identityRoute(app: App, { coordinator }: HttpComponents): void {
  app.get(
    "/sync/identity",
    {
      config: { access: "peer", certificate: true },
      schema: {
        summary: "Who serves here",
        tags: ["replication"],
        querystring: IdentityQuery,
        response: {
          200: named<SyncIdentity>(SyncIdentitySchema),
          ...refusals(...GUARDED, "certificate_required", "invalid_request"),
        },
      },
    },
    (request, reply) => {
      reply.send(coordinator.replication.hub.identity(request.query.challenge));
    },
  );
}

export function pullRoute(app: App, { coordinator }: HttpComponents): void {
  app.get(
    "/sync/pull",
    {
      config: { access: "peer", certificate: true },
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

export function pushRoute(app: App, { coordinator }: HttpComponents): void {
  app.post(
    "/sync/push",
    {
      config: { access: "peer", certificate: true },
      bodyLimit: MAX_PUSH_BYTES,
      schema: {
        summary: "Takes operations in; says of each what became of it",
        tags: ["replication"],
        body: PushBody,
        response: {
          200: named<PushReport>(PushReportSchema),
          ...refusals(...GUARDED, ...BODY, "certificate_required", "not_serving", "store_failed"),
        },
      },
    },
    (request, reply) => {
      if (!coordinator.replication.hub.serves) return void sendProblem(reply, NOT_SERVING);
      const { ops, snapshot = null } = request.body;
      reply.send(coordinator.replication.hub.push(callerOf(request), ops, snapshot));
    },
  );
}

function callerOf({ headers, caller }: Pick<FastifyRequest, "headers" | "caller">): SyncCaller {
  const given = headers[ORIGIN_HEADER] ?? "";
  if (given === "" || isOrigin(given)) return { origin: given, token: caller.role === null ? null : caller.name };
  throw new InvalidInput(
    `/${ORIGIN_HEADER}`,
    `header ${ORIGIN_HEADER}: is not an origin of 1 to 64 letters, digits, ._:-`,
  );
}
