/** Everything that is known of the pair, and the statecharts behind it. */
import type { CoordinatorState } from "../../coordinator/types.ts";
import type { App, HttpComponents, HttpInit } from "../components.ts";
import { GUARDED, named, refusals } from "../schemas/common.ts";
import { MachinesSchema, StateSchema } from "../schemas/state.ts";
import { Type } from "typebox";
import { Metrics } from "../metrics.ts";
import { problem, sendProblem } from "../problem.ts";
import { type Channel, OFFER } from "../upgrades.ts";

export function stateRoute(app: App, { coordinator }: HttpComponents): void {
  app.get(
    "/api/state",
    {
      config: { access: "view" },
      schema: {
        summary: "The pair as this engine sees it",
        tags: ["state"],
        response: { 200: named<CoordinatorState>(StateSchema), ...refusals(...GUARDED) },
      },
    },
    (_request, reply) => {
      reply.send(coordinator.state());
    },
  );
}

export function machinesRoute(app: App, { coordinator, machines }: HttpComponents): void {
  app.get(
    "/api/machines",
    {
      config: { access: "view" },
      schema: {
        summary: "The statecharts and where each of them is now",
        tags: ["state"],
        response: { 200: named(MachinesSchema), ...refusals(...GUARDED) },
      },
    },
    (_request, reply) => {
      const values = coordinator.state().machines;
      const shown = machines.map(({ name, definition }) => ({ name, value: values[name] ?? null, definition }));
      reply.send({ machines: shown });
    },
  );
}

// Metrics for Prometheus.

export function metricsRoute(app: App, components: HttpComponents, { version }: HttpInit): void {
  const metrics = new Metrics({ ...components, version, wrongSecrets: app.wrongSecrets });
  app.addHook("onClose", async () => metrics.close());
  app.get(
    "/metrics",
    {
      config: { access: "view" },
      schema: {
        summary: "Prometheus text",
        tags: ["state"],
        produces: ["text/plain"],
        response: { 200: Type.String(), ...refusals(...GUARDED) },
      },
    },
    async (_request, reply) =>
      reply
        .type(metrics.contentType)
        .serializer((text: unknown) => text as string)
        .send(await metrics.text()),
  );
}

// Tells who asks for a WebSocket path without asking for a WebSocket.

export function channelRoute(app: App, { path, access, protocol }: Channel): void {
  app.get(
    path,
    {
      config: { access },
      schema: {
        summary: `WebSocket, subprotocol ${protocol}`,
        tags: ["channels"],
        response: refusals(...GUARDED, "upgrade_required"),
      },
    },
    (_request, reply) => {
      reply.headers(OFFER);
      sendProblem(reply, problem("upgrade_required", `ask for an upgrade to WebSocket, subprotocol ${protocol}`));
    },
  );
}
