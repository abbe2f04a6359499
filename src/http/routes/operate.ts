/** What a person does to the pair: hand over, hold it, claim the witness; and its history. */
import type { Maintenance } from "../../core/messages.ts";
import { ChangeoverError } from "../../core/errors.ts";
import type { App, HttpComponents, HttpInit } from "../components.ts";
import { DEFAULT_PAGE } from "../limits.ts";
import { adoptRefusal, handoverRefusal } from "../outcomes.ts";
import { problem, sendProblem } from "../problem.ts";
import { BODY, GUARDED, named, NoFields, refusals } from "../schemas/common.ts";
import {
  AdoptedSchema,
  HandedOverSchema,
  HandoverBody,
  LeadershipSchema,
  MaintenanceBody,
  PageQuery,
  ReloadedSchema,
} from "../schemas/operate.ts";
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

export function adoptWitnessRoute(app: App, { coordinator }: HttpComponents): void {
  app.post(
    "/api/witness/adopt",
    {
      config: { access: "operate" },
      schema: {
        summary: "Puts this pair's record in the place of a foreign or damaged one",
        description: "For the alarms `witness-foreign` and `witness-corrupt`, once their cause is gone.",
        tags: TAGS,
        body: NoFields,
        response: {
          200: named(AdoptedSchema),
          ...refusals(...GUARDED, ...BODY, "nothing_to_adopt", "no_witness", "witness_unreachable"),
        },
      },
    },
    async (request, reply) => {
      const outcome = await coordinator.adoptWitness({ by: request.caller.name });
      if (outcome.outcome !== "adopted") return sendProblem(reply, adoptRefusal(outcome));
      return reply.send({ adopted: true, replaced: outcome.replaced });
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

export function reloadRoute(app: App, _components: HttpComponents, { reload }: HttpInit): void {
  if (reload === undefined) return;
  app.post(
    "/api/reload",
    {
      config: { access: "operate" },
      schema: {
        summary: "Takes new tokens, secrets and certificates in without a restart",
        description:
          "Reads the configuration and the files that it names again. Where one cannot be used, nothing changes.",
        tags: TAGS,
        body: NoFields,
        response: { 200: named(ReloadedSchema), ...refusals(...GUARDED, ...BODY, "invalid_configuration") },
      },
    },
    (_request, reply) => {
      try {
        const { changed, needsRestart } = reload();
        return reply.send({ changed: [...changed], needsRestart: [...needsRestart] });
      } catch (error) {
        if (!(error instanceof ChangeoverError)) throw error;
        return sendProblem(reply, problem("invalid_configuration", error.message));
      }
    },
  );
}
