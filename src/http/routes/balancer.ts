/**
 * Probes of load balancers, changeover switches and supervisors: GET, HEAD and OPTIONS say the same.
 * `/leader` asks `mayAct` at the moment of the answer [VT5]; no probe waits for anything.
 */
import type { Readiness } from "../../coordinator/types.ts";
import type { Role } from "../../core/messages.ts";
import type { App, HttpComponents } from "../components.ts";
import { named } from "../schemas/common.ts";
import { LeaderProbeSchema, LiveSchema, ReadySchema } from "../schemas/operate.ts";

const TAGS = ["probes"];

interface Probe {
  readonly role: Role;
  readonly epoch: number;
}

/** What all probes of this page have in common. HEAD comes along with GET. */
const PROBE = { method: ["GET", "OPTIONS"], config: { access: "exempt", hot: true } } as const;

export function roleProbes(app: App, { coordinator }: HttpComponents): void {
  const answers = { 200: named<Probe>(LeaderProbeSchema), 503: named<Probe>(LeaderProbeSchema) };
  const probe = (url: string, summary: string, isWanted: (mayAct: boolean) => boolean): void => {
    app.route({
      ...PROBE,
      method: [...PROBE.method],
      url,
      schema: { summary, tags: TAGS, response: answers },
      handler: (_request, reply) => {
        const { role, epoch } = coordinator.peerHealth();
        reply.code(isWanted(coordinator.mayAct()) ? 200 : 503).send({ role, epoch });
      },
    });
  };
  probe("/leader", "200 while this engine may act as leader, else 503", (mayAct) => mayAct);
  probe("/follower", "200 while this engine may not act as leader, else 503", (mayAct) => !mayAct);
}

export function liveProbe(app: App): void {
  app.route({
    ...PROBE,
    method: [...PROBE.method],
    url: "/live",
    schema: { summary: "200: the loop turns", tags: TAGS, response: { 200: named<{ live: true }>(LiveSchema) } },
    handler: (_request, reply) => {
      reply.send({ live: true });
    },
  });
}

export function readyProbe(app: App, { coordinator }: HttpComponents): void {
  const answer = named<Probe & Readiness>(ReadySchema);
  app.route({
    ...PROBE,
    method: [...PROBE.method],
    url: "/ready",
    schema: {
      summary: "200: leads, or would take over at once",
      description: "503 says why not, in the words of `waiting` in `/api/state`, and until when, where that is known.",
      tags: TAGS,
      response: { 200: answer, 503: answer },
    },
    handler: (_request, reply) => {
      const readiness = coordinator.readiness();
      const { role, epoch } = coordinator.peerHealth();
      reply.code(readiness.ready ? 200 : 503).send({ ...readiness, role, epoch });
    },
  });
}
