/** What diverged and does not stand, and a person's word on it [SB3]. */
import type { ResolveChoice } from "../../coordinator/types.ts";
import type { Json } from "../../core/canonical-json.ts";
import type { Conflict } from "../../core/command.ts";
import type { App, HttpComponents } from "../components.ts";
import { DEFAULT_PAGE } from "../limits.ts";
import { resolveRefusal } from "../outcomes.ts";
import { sendProblem } from "../problem.ts";
import { GUARDED, named, refusals } from "../schemas/common.ts";
import { ConflictParams, ConflictSchema, ConflictsSchema, PageQuery, ResolveBody } from "../schemas/operate.ts";
import { InvalidInput } from "../validation.ts";
import { COMMAND_REFUSALS } from "./commands.ts";

export function conflictsRoute(app: App, { coordinator }: HttpComponents): void {
  app.get(
    "/api/conflicts",
    {
      config: { access: "view" },
      schema: {
        summary: "Divergent commands and concurrent records, with both sides",
        tags: ["conflicts"],
        querystring: PageQuery,
        response: { 200: named(ConflictsSchema), ...refusals(...GUARDED, "invalid_request") },
      },
    },
    (request, reply) => {
      reply.send({ conflicts: coordinator.conflicts(request.query.limit ?? DEFAULT_PAGE) });
    },
  );
}

export function resolveRoute(app: App, { coordinator }: HttpComponents): void {
  app.post(
    "/api/conflicts/:id/resolve",
    {
      config: { access: "operate", keepsNumbers: true },
      schema: {
        summary: "Keeps what stands, applies the divergent command again, or sets a value",
        tags: ["conflicts"],
        params: ConflictParams,
        body: ResolveBody,
        response: {
          200: named<Conflict>(ConflictSchema),
          ...refusals(...GUARDED, ...COMMAND_REFUSALS, "clock_wrong", "conflict_not_found", "already_resolved"),
        },
      },
    },
    async (request, reply) => {
      const choice = choiceOf(request.body.choice, request.body.value);
      const { id } = request.params;
      const outcome = await coordinator.resolveConflict(id, choice, request.caller.name);
      return outcome.outcome === "resolved"
        ? reply.send(outcome.conflict)
        : sendProblem(reply, resolveRefusal(outcome, id));
    },
  );
}

function choiceOf(choice: "keep" | "reapply" | "value", value: Json | undefined): ResolveChoice {
  if (choice === "value") {
    if (value === undefined) throw new InvalidInput("/value", "body/value: is missing, choice is value");
    return { choice, value };
  }
  if (value !== undefined) throw new InvalidInput("/value", `body/value: has no place when choice is ${choice}`);
  return { choice };
}
