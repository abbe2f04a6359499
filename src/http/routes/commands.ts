/** Giving commands and reading the log of them. */
import type { App, HttpComponents } from "../components.ts";
import { DEFAULT_PAGE } from "../limits.ts";
import { submitRefusal } from "../outcomes.ts";
import { sendProblem } from "../problem.ts";
import { AcceptedSchema, CommandBody, CommandPageSchema, CommandsQuery } from "../schemas/commands.ts";
import { BODY, GUARDED, named, refusals } from "../schemas/common.ts";

/** Why a command may not be taken. */
export const COMMAND_REFUSALS = [
  ...BODY,
  "not_leader",
  "fenced",
  "outcome_unknown",
  "invalid_command",
  "number_not_exact",
  "idempotency_conflict",
  "engine_not_ready",
  "store_failed",
  "busy",
] as const;

export function submitRoute(app: App, { coordinator }: HttpComponents): void {
  app.post(
    "/api/commands",
    {
      config: { access: "operate", keepsNumbers: true },
      schema: {
        summary: "Gives the pair a command",
        tags: ["commands"],
        body: CommandBody,
        response: { 200: named(AcceptedSchema), ...refusals(...GUARDED, ...COMMAND_REFUSALS) },
      },
    },
    async (request, reply) => {
      const outcome = await coordinator.submit(request.body);
      if (outcome.outcome !== "accepted") return sendProblem(reply, submitRefusal(outcome));
      const { seq, epoch, executeAtUs, durability } = outcome;
      return reply.send({ seq, epoch, executeAtUs, durability });
    },
  );
}

export function commandsRoute(app: App, { coordinator }: HttpComponents): void {
  app.get(
    "/api/commands",
    {
      config: { access: "view" },
      schema: {
        summary: "The log of commands, oldest first",
        tags: ["commands"],
        querystring: CommandsQuery,
        response: { 200: named(CommandPageSchema), ...refusals(...GUARDED, "invalid_request") },
      },
    },
    (request, reply) => {
      const { afterSeq, limit } = request.query;
      const page = coordinator.commands(afterSeq ?? 0, limit ?? DEFAULT_PAGE);
      const commands = page.commands.map(({ seq, epoch, kind, payload, executeAtUs, origin }) => ({
        seq,
        epoch,
        kind,
        payload,
        executeAtUs,
        origin,
      }));
      reply.send({ commands, hasMore: page.hasMore });
    },
  );
}
