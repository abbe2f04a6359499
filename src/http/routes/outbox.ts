/** What waits to be published, and a person's word on what cannot be. */
import type { OutboxStatus } from "../../outbox/outbox.ts";
import type { App, HttpComponents } from "../components.ts";
import { outboxRefusal, resyncRefusal } from "../outcomes.ts";
import { sendProblem } from "../problem.ts";
import { BODY, GUARDED, named, NoFields, refusals } from "../schemas/common.ts";
import { EventParams, OutboxSchema, ResyncSchema, TendedSchema } from "../schemas/outbox.ts";

export function outboxRoute(app: App, { coordinator }: HttpComponents): void {
  app.get(
    "/api/outbox",
    {
      config: { access: "view" },
      schema: {
        summary: "What waits to be published: how much, since when, and the dead letters",
        tags: ["outbox"],
        response: { 200: named<OutboxStatus>(OutboxSchema), ...refusals(...GUARDED) },
      },
    },
    (_request, reply) => {
      reply.send(coordinator.outbox());
    },
  );
}

export function resyncFeedRoute(app: App, { coordinator }: HttpComponents): void {
  app.post(
    "/api/outbox/resync",
    {
      config: { access: "operate" },
      schema: {
        summary: "Publishes everything that is still held again, from the beginning, then goes on",
        tags: ["outbox"],
        body: NoFields,
        response: {
          202: named(ResyncSchema),
          ...refusals(...GUARDED, ...BODY, "invalid_request", "not_leader", "no_feed", "store_failed"),
        },
      },
    },
    (request, reply) => {
      const outcome = coordinator.resyncFeed(request.caller.name);
      if (outcome.outcome !== "resyncing") return sendProblem(reply, resyncRefusal(outcome));
      return reply.code(202).send({ outcome: "resyncing" });
    },
  );
}

const TEND_REFUSALS = [
  "invalid_request",
  "event_not_found",
  "already_published",
  "not_leader",
  "store_failed",
] as const;

export function retryEventRoute(app: App, { coordinator }: HttpComponents): void {
  app.post(
    "/api/outbox/:eventId/retry",
    {
      config: { access: "operate" },
      schema: {
        summary: "Tries an event that waits again at once, as if it had never failed",
        tags: ["outbox"],
        params: EventParams,
        body: NoFields,
        response: { 200: named(TendedSchema), ...refusals(...GUARDED, ...BODY, ...TEND_REFUSALS) },
      },
    },
    (request, reply) => {
      const { eventId } = request.params;
      const outcome = coordinator.retryEvent(eventId);
      if (outcome.outcome !== "done") return sendProblem(reply, outboxRefusal(eventId, outcome));
      return reply.send({ eventId, stackId: outcome.stackId, outcome: "retried" });
    },
  );
}

export function skipEventRoute(app: App, { coordinator }: HttpComponents): void {
  app.post(
    "/api/outbox/:eventId/skip",
    {
      config: { access: "operate" },
      schema: {
        summary: "Gives a dead letter up: an event that changes nothing is published in its place",
        tags: ["outbox"],
        params: EventParams,
        body: NoFields,
        response: { 200: named(TendedSchema), ...refusals(...GUARDED, ...BODY, ...TEND_REFUSALS, "not_dead") },
      },
    },
    (request, reply) => {
      const { eventId } = request.params;
      const outcome = coordinator.skipEvent(eventId, request.caller.name);
      if (outcome.outcome !== "done") return sendProblem(reply, outboxRefusal(eventId, outcome));
      return reply.send({ eventId, stackId: outcome.stackId, outcome: "skipped" });
    },
  );
}
