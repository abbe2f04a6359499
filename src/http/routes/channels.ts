/** Tells who asks for a WebSocket path without asking for a WebSocket. */
import type { App } from "../components.ts";
import { problem, sendProblem } from "../problem.ts";
import { GUARDED, refusals } from "../schemas/common.ts";
import type { Channel } from "../upgrades.ts";

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
      reply.header("upgrade", "websocket");
      sendProblem(reply, problem("upgrade_required", `ask for an upgrade to WebSocket, subprotocol ${protocol}`));
    },
  );
}
