/**
 * The engine's own REST calls: a write becomes a command of the pair, a read is answered by the local engine.
 * What is behind `/engine` reaches the engine as it was written, query and percent signs included.
 */
import type { FastifyRequest } from "fastify";
import { Type } from "typebox";
import type { Json } from "../../core/canonical-json.ts";
import type { App, HttpComponents } from "../components.ts";
import { MAX_KIND_CHARS } from "../limits.ts";
import { submitRefusal } from "../outcomes.ts";
import { problem, sendProblem } from "../problem.ts";
import { AcceptedSchema } from "../schemas/commands.ts";
import { AnyJson, GUARDED, Name, named, refusals } from "../schemas/common.ts";
import { InvalidInput } from "../validation.ts";
import { COMMAND_REFUSALS } from "./commands.ts";

const PREFIX = "/engine";
const METHODS = ["POST", "PUT", "PATCH", "DELETE"] as const;

const Headers = Type.Object({ "idempotency-key": Type.Optional(Name) });

export function engineCallRoute(app: App, { coordinator }: HttpComponents): void {
  for (const method of METHODS) {
    app.route({
      method,
      url: `${PREFIX}/*`,
      config: { access: "operate", keepsNumbers: true },
      schema: {
        summary: "Makes a call of the engine's REST API into a command of the pair",
        description: `The command's kind is "${method} /path", its payload the body.`,
        tags: ["engine"],
        headers: Headers,
        response: { 200: named(AcceptedSchema), ...refusals(...GUARDED, ...COMMAND_REFUSALS) },
      },
      handler: async (request, reply) => {
        const outcome = await coordinator.submit({
          kind: `${method} ${enginePath(request)}`,
          payload: (request.body as Json | undefined) ?? null,
          idempotencyKey: request.headers["idempotency-key"],
        });
        if (outcome.outcome !== "accepted") return sendProblem(reply, submitRefusal(outcome));
        const { seq, epoch, executeAtUs, durability } = outcome;
        return reply.send({ seq, epoch, executeAtUs, durability });
      },
    });
  }
}

export function engineReadRoute(app: App, { coordinator }: HttpComponents): void {
  app.get(
    `${PREFIX}/*`,
    {
      config: { access: "view" },
      schema: {
        summary: "Reads the local engine",
        tags: ["engine"],
        response: {
          200: AnyJson,
          ...refusals(...GUARDED, "invalid_request", "engine_not_ready"),
          default: { description: "what the engine answers", content: { "application/json": { schema: AnyJson } } },
        },
      },
    },
    async (request, reply) => {
      const { status, body } = await coordinator.readEngine(enginePath(request));
      if (!isFinalStatus(status)) {
        return sendProblem(reply, problem("engine_not_ready", `the engine answered with the status ${status}`));
      }
      return reply
        .code(status as 200)
        .type("application/json; charset=utf-8")
        .serializer(JSON.stringify)
        .send(body);
    },
  );
}

/** An engine in another language may answer anything; HTTP knows these. */
function isFinalStatus(status: number): boolean {
  return Number.isInteger(status) && status >= 200 && status <= 599;
}

function enginePath(request: FastifyRequest): string {
  const path = request.url.slice(PREFIX.length);
  if (!request.url.startsWith(`${PREFIX}/`) || path.length > MAX_KIND_CHARS - "DELETE ".length) {
    throw new InvalidInput("path", `the path behind ${PREFIX} must be plain and at most ${MAX_KIND_CHARS} characters`);
  }
  return path;
}
