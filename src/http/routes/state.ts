/** Everything that is known of the pair, and the statecharts behind it. */
import type { CoordinatorState } from "../../coordinator/types.ts";
import type { App, HttpComponents } from "../components.ts";
import { GUARDED, named, refusals } from "../schemas/common.ts";
import { MachinesSchema, StateSchema } from "../schemas/state.ts";

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
