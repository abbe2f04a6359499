/** Metrics for Prometheus. */
import { Type } from "typebox";
import type { App, HttpComponents, HttpInit } from "../components.ts";
import { Metrics } from "../metrics.ts";
import { GUARDED, refusals } from "../schemas/common.ts";

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
