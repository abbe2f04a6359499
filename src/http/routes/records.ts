/** Records: read and written on any engine, the leader. */
import type { RecordPage, RecordView, WriteOutcome } from "../../replication/records.ts";
import type { App, HttpComponents } from "../components.ts";
import { DEFAULT_PAGE } from "../limits.ts";
import { problem, type Problem, sendProblem } from "../problem.ts";
import { BODY, GUARDED, named, NoContent, NoFields, refusals } from "../schemas/common.ts";
import { RecordBody, RecordPageSchema, RecordParams, RecordSchema, RecordsQuery } from "../schemas/replication.ts";
import { clockWrong } from "../outcomes.ts";
import { InvalidInput } from "../validation.ts";

export function recordsRoute(app: App, { coordinator }: HttpComponents): void {
  app.get(
    "/api/records",
    {
      config: { access: "view" },
      schema: {
        summary: "Records, by entity and field",
        tags: ["records"],
        querystring: RecordsQuery,
        response: { 200: named<RecordPage>(RecordPageSchema), ...refusals(...GUARDED, "invalid_request") },
      },
    },
    (request, reply) => {
      const { entity = null, afterEntity = entity, afterField, limit = DEFAULT_PAGE } = request.query;
      if (afterField !== undefined && afterEntity === null) {
        throw new InvalidInput("/afterEntity", "query/afterEntity: is missing beside afterField");
      }
      const after =
        afterField === undefined || afterEntity === null ? null : { entity: afterEntity, field: afterField };
      reply.send(coordinator.replication.records.list(entity, after, limit));
    },
  );
}

export function readRecordRoute(app: App, { coordinator }: HttpComponents): void {
  app.get(
    "/api/records/:entity/:field",
    {
      config: { access: "view" },
      schema: {
        summary: "One field",
        tags: ["records"],
        params: RecordParams,
        response: {
          200: named<RecordView>(RecordSchema),
          ...refusals(...GUARDED, "invalid_request", "record_not_found"),
        },
      },
    },
    async (request, reply) => {
      const { entity, field } = request.params;
      const found = coordinator.replication.records.get(entity, field);
      return found === null ? sendProblem(reply, notFound(entity, field)) : reply.send(found);
    },
  );
}

export function writeRecordRoute(app: App, { coordinator }: HttpComponents): void {
  app.put(
    "/api/records/:entity/:field",
    {
      config: { access: "operate", keepsNumbers: true },
      schema: {
        summary: "Sets one field",
        tags: ["records"],
        params: RecordParams,
        body: RecordBody,
        response: {
          200: named<RecordView>(RecordSchema),
          ...refusals(...GUARDED, ...BODY, "number_not_exact", "clock_wrong", "store_failed"),
        },
      },
    },
    async (request, reply) => {
      const { entity, field } = request.params;
      const { records } = coordinator.replication;
      const outcome = records.set(entity, field, request.body.value);
      if (outcome.outcome === "clock-wrong") return sendProblem(reply, clockWrong(outcome));
      requireWritten(outcome);
      const written = records.get(entity, field);
      return written === null ? sendProblem(reply, notFound(entity, field)) : reply.send(written);
    },
  );
}

export function deleteRecordRoute(app: App, { coordinator }: HttpComponents): void {
  app.delete(
    "/api/records/:entity/:field",
    {
      config: { access: "operate" },
      schema: {
        summary: "Deletes one field",
        tags: ["records"],
        params: RecordParams,
        body: NoFields,
        response: {
          204: NoContent,
          ...refusals(...GUARDED, ...BODY, "record_not_found", "clock_wrong", "store_failed"),
        },
      },
    },
    async (request, reply) => {
      const { entity, field } = request.params;
      const outcome = coordinator.replication.records.delete(entity, field);
      if (outcome === null) return sendProblem(reply, notFound(entity, field));
      if (outcome.outcome === "clock-wrong") return sendProblem(reply, clockWrong(outcome));
      requireWritten(outcome);
      return reply.code(204).send(undefined);
    },
  );
}

function requireWritten(outcome: WriteOutcome): void {
  if (outcome.outcome === "invalid") throw new InvalidInput(`/${outcome.field}`, outcome.detail);
}

function notFound(entity: string, field: string): Problem {
  return problem("record_not_found", "the field holds no value", { entity, field });
}
