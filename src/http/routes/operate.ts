/** What a person does to the pair: hand over, hold it, claim the witness; and its history. */
import type { Maintenance } from "../../core/messages.ts";
import { ChangeoverError } from "../../core/errors.ts";
import { parseIsoTime } from "../../core/iso-time.ts";
import type { App, HttpComponents, HttpInit } from "../components.ts";
import { DEFAULT_PAGE } from "../limits.ts";
import { adoptRefusal, handoverRefusal, planRefusal } from "../outcomes.ts";
import { problem, sendProblem } from "../problem.ts";
import { InvalidInput } from "../validation.ts";
import { BODY, GUARDED, named, NoFields, refusals } from "../schemas/common.ts";
import {
  AdoptedSchema,
  BackupSchema,
  CancelledHandoverSchema,
  HandedOverSchema,
  HandoverBody,
  LeadershipSchema,
  MaintenanceBody,
  PageQuery,
  PlannedHandoverSchema,
  ReloadedSchema,
  WitnessResetSchema,
} from "../schemas/operate.ts";
import { MaintenanceSchema } from "../schemas/state.ts";

const TAGS = ["operate"];

export function handoverRoute(app: App, { coordinator }: HttpComponents): void {
  app.post(
    "/api/handover",
    {
      config: { access: "operate" },
      schema: {
        summary: "Moves the role to the peer, now or at a time",
        description:
          "With `at` it is planned: the leader hands over then, within a heartbeat. A later plan replaces it.",
        tags: TAGS,
        body: HandoverBody,
        response: {
          200: named(HandedOverSchema),
          202: named(PlannedHandoverSchema),
          ...refusals(...GUARDED, ...BODY, "not_leader", "no_valid_backup", "store_failed"),
        },
      },
    },
    async (request, reply) => {
      const { reason = "", at } = request.body;
      const by = request.caller.name;
      if (at !== undefined) {
        const planned = coordinator.planHandover({ atUnixMs: instantOf(at), reason, by });
        if (planned.outcome !== "planned") return sendProblem(reply, planRefusal(planned));
        return reply.code(202).send({ planned: planned.plan });
      }
      const outcome = await coordinator.handover({ reason, by });
      if (outcome.outcome !== "handed-over") return sendProblem(reply, handoverRefusal(outcome));
      const { leader, epoch, tookMs, requestId } = outcome;
      return reply.send({ leader, epoch, tookMs, requestId });
    },
  );
}

export function cancelHandoverRoute(app: App, { coordinator }: HttpComponents): void {
  app.delete(
    "/api/handover",
    {
      config: { access: "operate" },
      schema: {
        summary: "Cancels the planned handover",
        tags: TAGS,
        body: NoFields,
        response: {
          200: named(CancelledHandoverSchema),
          ...refusals(...GUARDED, ...BODY, "nothing_planned", "store_failed"),
        },
      },
    },
    (request, reply) => {
      const outcome = coordinator.cancelHandover({ by: request.caller.name });
      if (outcome.outcome !== "cancelled") {
        return sendProblem(reply, problem("nothing_planned", "ask the engine that leads: a plan is kept there"));
      }
      return reply.send({ cancelled: outcome.plan });
    },
  );
}

function instantOf(at: string | number): number {
  const unixMs = typeof at === "number" ? at : (parseIsoTime(at) ?? NaN);
  // What `isoTime` can write.
  if (unixMs >= 0 && unixMs < 253_402_300_800_000) return unixMs;
  const example = "2026-11-29T18:00:00Z or 2026-11-29T19:00:00+01:00";
  throw new InvalidInput(
    "/at",
    `/at is ${JSON.stringify(at)}: must be a time with its offset, such as ${example}, or unix ms`,
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

export function resetWitnessRoute(app: App, { coordinator }: HttpComponents): void {
  app.post(
    "/api/witness/reset",
    {
      config: { access: "operate" },
      schema: {
        summary: "Puts a fresh record into the witness, whatever stands there",
        description: "For a record whose commands no engine has any more. Refused while the peer leads.",
        tags: TAGS,
        body: NoFields,
        response: {
          200: named(WitnessResetSchema),
          ...refusals(...GUARDED, ...BODY, "not_leader", "nothing_to_adopt", "no_witness", "witness_unreachable"),
        },
      },
    },
    async (request, reply) => {
      const outcome = await coordinator.resetWitness({ by: request.caller.name });
      if (outcome.outcome !== "adopted") return sendProblem(reply, adoptRefusal(outcome));
      return reply.send({ reset: true, replaced: outcome.replaced });
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

export function backupRoute(app: App, _components: HttpComponents, { backup }: HttpInit): void {
  if (backup === undefined) return;
  app.post(
    "/api/backup",
    {
      config: { access: "operate" },
      schema: {
        summary: "Copies the data folder while the engine goes on",
        description:
          "The copy is `backups/<time>` in `dataDir`, complete or not there at all. It holds the engine's key.",
        tags: TAGS,
        body: NoFields,
        response: { 200: named(BackupSchema), ...refusals(...GUARDED, ...BODY, "store_failed") },
      },
    },
    async (_request, reply) => reply.send(await backup()),
  );
}
