/** Who the other engine of the pair is, and what a person does about it [ID2] [EP6]. */
import { isoTime } from "../../core/iso-time.ts";
import type { App, HttpComponents } from "../components.ts";
import { adoptPeerRefusal } from "../outcomes.ts";
import { sendProblem } from "../problem.ts";
import { BODY, GUARDED, named, NoFields, refusals } from "../schemas/common.ts";
import {
  AdoptPeerBody,
  NumbersResetSchema,
  PairSchema,
  PeerAdoptedSchema,
  PeerForgottenSchema,
} from "../schemas/pair.ts";

const TAGS = ["operate"];
const CHANGES = { config: { access: "operate" } } as const;

export function pairRoute(app: App, { coordinator }: HttpComponents): void {
  app.get(
    "/api/pair",
    {
      config: { access: "view" },
      schema: {
        summary: "This engine, the pinned peer, and the engines that were refused in its place",
        description: "Compare a fingerprint with the one that the engine shows as its own before you adopt it.",
        tags: TAGS,
        response: { 200: named(PairSchema), ...refusals(...GUARDED) },
      },
    },
    (_request, reply) => {
      const { self, peer, strangers } = coordinator.pair();
      const shown = strangers.map(({ lastSeenUnixMs, ...stranger }) => ({
        ...stranger,
        lastSeen: isoTime(lastSeenUnixMs),
      }));
      reply.send({ self, peer, strangers: shown });
    },
  );
}

export function adoptPeerRoute(app: App, { coordinator }: HttpComponents): void {
  app.post(
    "/api/pair/adopt",
    {
      ...CHANGES,
      schema: {
        summary: "Makes a refused engine the peer",
        description:
          "For an engine that was replaced. Refused while the pinned peer is connected. This engine stays on air.",
        tags: TAGS,
        body: AdoptPeerBody,
        response: {
          200: named(PeerAdoptedSchema),
          ...refusals(...GUARDED, ...BODY, "stranger_not_found", "peer_connected", "store_failed"),
        },
      },
    },
    (request, reply) => {
      const { fingerprint } = request.body;
      const outcome = coordinator.adoptPeer({ fingerprint, by: request.caller.name });
      if (outcome.outcome !== "adopted") return sendProblem(reply, adoptPeerRefusal(outcome));
      return reply.send({ adopted: true, peer: outcome.peer });
    },
  );
}

export function forgetPeerRoute(app: App, { coordinator }: HttpComponents): void {
  app.post(
    "/api/pair/forget",
    {
      ...CHANGES,
      schema: {
        summary: "Forgets the pinned peer; the next engine that proves a key is pinned",
        description:
          "Refused while the pinned peer is connected. Prefer to adopt: it names the engine that may come in.",
        tags: TAGS,
        body: NoFields,
        response: {
          200: named(PeerForgottenSchema),
          ...refusals(...GUARDED, ...BODY, "peer_connected", "store_failed"),
        },
      },
    },
    (request, reply) => {
      const outcome = coordinator.forgetPeer({ by: request.caller.name });
      if (outcome.outcome !== "forgotten") return sendProblem(reply, adoptPeerRefusal(outcome));
      return reply.send({ forgotten: true, peer: outcome.peer });
    },
  );
}

export function resetNumbersRoute(app: App, { coordinator }: HttpComponents): void {
  app.post(
    "/api/pair/reset-numbers",
    {
      ...CHANGES,
      schema: {
        summary: "Leads back from numbers that are out of reach or used up",
        description:
          "For the alarm `number-out-of-reach`, on both engines, the follower first. Epochs that are out of reach or nearly used up go back to that of the log's end; a leader then steps down once. What was known of the peer's starts is forgotten. Numbers in reach stay.",
        tags: TAGS,
        body: NoFields,
        response: { 200: named(NumbersResetSchema), ...refusals(...GUARDED, ...BODY, "store_failed") },
      },
    },
    (request, reply) => {
      const outcome = coordinator.resetNumbers({ by: request.caller.name });
      if (outcome.outcome !== "reset") return sendProblem(reply, adoptPeerRefusal(outcome));
      return reply.send({ reset: true, highestEpoch: outcome.highestEpoch, before: outcome.before });
    },
  );
}
