/** Purpose: what a person does to the pair: hand over, hold it; and its history. */
import type { Maintenance } from "../../core/messages.ts";
import type { App, HttpComponents } from "../components.ts";
import { DEFAULT_PAGE } from "../limits.ts";
import { handoverRefusal } from "../outcomes.ts";
import { sendProblem } from "../problem.ts";
import { BODY, GUARDED, named, refusals } from "../schemas/common.ts";
import { HandedOverSchema, HandoverBody, LeadershipSchema, MaintenanceBody, PageQuery } from "../schemas/operate.ts";
import { MaintenanceSchema } from "../schemas/state.ts";

const TAGS = ["operate"];

export function handoverRoute(app: App, { coordinator }: HttpComponents): void {
  app.post(
    "/api/handover",
    {
      config: { access: "operate" },
      schema: {
        summary: "Moves the role to the peer",
        tags: TAGS,
        body: HandoverBody,
        response: {
          200: named(HandedOverSchema),
          ...refusals(...GUARDED, ...BODY, "not_leader", "no_valid_backup"),
        },
      },
    },
    async (request, reply) => {
      const outcome = await coordinator.handover({ reason: request.body.reason ?? "", by: request.caller.name });
      if (outcome.outcome !== "handed-over") return sendProblem(reply, handoverRefusal(outcome));
      const { leader, epoch, tookMs, requestId } = outcome;
      return reply.send({ leader, epoch, tookMs, requestId });
    },
  );
}

export function maintenanceRoute(app: App, { coordinator }: HttpComponents): void {
  app.post(
    "/api/maintenance",
    {
      config: { access: "operate" },
      schema: {
        summary: "Stops or allows automatic failover on both engines",
        tags: TAGS,
        body: MaintenanceBody,
        response: { 200: named<Maintenance>(MaintenanceSchema), ...refusals(...GUARDED, ...BODY, "store_failed") },
      },
    },
    (request, reply) => {
      const { on, reason } = request.body;
      reply.send(coordinator.setMaintenance({ on, reason: reason ?? "", by: request.caller.name }));
    },
  );
}

export function leadershipRoute(app: App, { coordinator }: HttpComponents): void {
  app.get(
    "/api/leadership",
    {
      config: { access: "view" },
      schema: {
        summary: "Who led when, and why",
        tags: TAGS,
        querystring: PageQuery,
        response: { 200: named(LeadershipSchema), ...refusals(...GUARDED, "invalid_request") },
      },
    },
    (request, reply) => {
      const entries = coordinator.leadership(request.query.limit ?? DEFAULT_PAGE);
      const history = entries.map(({ fromUnixMs, toUnixMs, ...entry }) => ({
        ...entry,
        from: Math.round(fromUnixMs),
        to: toUnixMs === null ? null : Math.round(toUnixMs),
      }));
      reply.send({ history });
    },
  );
}
