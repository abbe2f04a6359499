/** The operations behind the records, and those that could not be taken. */
import type { App, HttpComponents } from "../components.ts";
import { DEFAULT_PAGE } from "../limits.ts";
import { problem, sendProblem } from "../problem.ts";
import { BODY, GUARDED, named, NoContent, NoFields, refusals } from "../schemas/common.ts";
import { AsideParams, AsideSchema, OpsQuery, OpsSchema } from "../schemas/replication.ts";
import { PageQuery } from "../schemas/operate.ts";

export function opsRoute(app: App, { coordinator }: HttpComponents): void {
  app.get(
    "/api/ops",
    {
      config: { access: "view" },
      schema: {
        summary: "Operations on records, in the order of their arrival",
        tags: ["records"],
        querystring: OpsQuery,
        response: { 200: named(OpsSchema), ...refusals(...GUARDED, "invalid_request") },
      },
    },
    (request, reply) => {
      const { after = null, limit = DEFAULT_PAGE } = request.query;
      reply.send(coordinator.replication.records.log(after, limit));
    },
  );
}

export function asideRoute(app: App, { coordinator }: HttpComponents): void {
  app.get(
    "/api/ops/aside",
    {
      config: { access: "view" },
      schema: {
        summary: "Operations that could not be taken, and claims to an identity that another one has",
        tags: ["records"],
        querystring: PageQuery,
        response: { 200: named(AsideSchema), ...refusals(...GUARDED, "invalid_request") },
      },
    },
    (request, reply) => {
      const { limit = DEFAULT_PAGE } = request.query;
      const { records } = coordinator.replication;
      reply.send({ aside: records.setAside(limit), quarantined: records.quarantined(limit) });
    },
  );
}

export function skipRoute(app: App, { coordinator }: HttpComponents): void {
  app.post(
    "/api/ops/aside/:origin/:originSeq/skip",
    {
      config: { access: "operate" },
      schema: {
        summary: "Gives up one operation, so that its origin goes on",
        tags: ["records"],
        params: AsideParams,
        body: NoFields,
        response: { 204: NoContent, ...refusals(...GUARDED, ...BODY, "op_not_found", "store_failed") },
      },
    },
    (request, reply) => {
      const { origin, originSeq } = request.params;
      const outcome = coordinator.replication.records.skip(origin, originSeq);
      if (outcome.outcome === "skipped") return reply.code(204).send(undefined);
      return sendProblem(
        reply,
        problem("op_not_found", "no such operation holds up its origin", { origin, originSeq }),
      );
    },
  );
}
