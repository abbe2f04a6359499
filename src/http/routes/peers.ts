/** Federation peers: how each one stands, and what a person does with one. */
import type { FederationStatus, PeerOutcome } from "../../replication/federation.ts";
import type { PeerStatus } from "../../replication/federation-peer.ts";
import { assertNever } from "../../core/errors.ts";
import { isoTime } from "../../core/iso-time.ts";
import type { App, HttpComponents, HttpInit } from "../components.ts";
import { type Problem, problem, sendProblem } from "../problem.ts";
import { BODY, GUARDED, named, NoFields, refusals } from "../schemas/common.ts";
import {
  FederationSchema,
  OriginParams,
  OriginReleasedSchema,
  OriginsSchema,
  PeerParams,
  PeerResetSchema,
  PeerStatusSchema,
  ResetPeerBody,
} from "../schemas/peers.ts";

const TAGS = ["federation"];

/** `GET /api/peers`. */
export type FederationReport = FederationStatus & { readonly access: "open" | "keyed" };

/** `POST /api/peers/:name/reset`. */
export interface PeerReset {
  readonly peer: PeerStatus;
  readonly removed: readonly string[];
}

export function peersRoute(app: App, { coordinator }: HttpComponents, { secrets }: HttpInit): void {
  app.get(
    "/api/peers",
    {
      config: { access: "view" },
      schema: {
        summary: "The federation: this engine, and how it stands with each peer",
        tags: TAGS,
        response: { 200: named<FederationReport>(FederationSchema), ...refusals(...GUARDED) },
      },
    },
    (_request, reply) => {
      const access = secrets.tokens.length === 0 ? "open" : "keyed";
      reply.send({ ...coordinator.replication.federation.status(), access });
    },
  );
}

export function pausePeerRoute(app: App, { coordinator }: HttpComponents): void {
  steerRoute(app, "pause", "Stops asking a peer until it is resumed, also after a restart", (name) =>
    coordinator.replication.federation.pause(name),
  );
}

export function resumePeerRoute(app: App, { coordinator }: HttpComponents): void {
  steerRoute(app, "resume", "Asks a peer again, beginning now", (name) =>
    coordinator.replication.federation.resume(name),
  );
}

/** @param steer what is done with the peer of this name */
function steerRoute(app: App, verb: "pause" | "resume", summary: string, steer: (name: string) => PeerOutcome): void {
  app.post(
    `/api/peers/:name/${verb}`,
    {
      config: { access: "operate" },
      schema: {
        summary,
        tags: TAGS,
        params: PeerParams,
        body: NoFields,
        response: {
          200: named<PeerStatus>(PeerStatusSchema),
          ...refusals(...GUARDED, ...BODY, "peer_not_found", "not_pulling", "store_failed"),
        },
      },
    },
    async (request, reply) => {
      const outcome = steer(request.params.name);
      return outcome.outcome === "done"
        ? reply.send(outcome.peer)
        : sendProblem(reply, refusalOf(request.params.name, outcome));
    },
  );
}

export function resetPeerRoute(app: App, { coordinator }: HttpComponents): void {
  app.post(
    "/api/peers/:name/reset",
    {
      config: { access: "operate" },
      schema: {
        summary: "Forgets what is kept of a peer: it is met anew",
        description: "Records and operations stay. With `keyRotated` only its key is forgotten.",
        tags: TAGS,
        params: PeerParams,
        body: ResetPeerBody,
        response: {
          200: named<PeerReset>(PeerResetSchema),
          ...refusals(...GUARDED, ...BODY, "peer_not_found", "store_failed"),
        },
      },
    },
    async (request, reply) => {
      const { keyRotated = false } = request.body;
      const outcome = coordinator.replication.federation.reset(request.params.name, { keyRotated });
      if (outcome.outcome !== "done") return sendProblem(reply, refusalOf(request.params.name, outcome));
      return reply.send({ peer: outcome.peer, removed: outcome.removed });
    },
  );
}

/** `GET /api/origins`. */
export interface OriginsReport {
  readonly maxOriginsPerToken: number;
  readonly origins: readonly { readonly origin: string; readonly token: string; readonly boundAt: string }[];
}

export function originsRoute(app: App, { coordinator }: HttpComponents): void {
  app.get(
    "/api/origins",
    {
      config: { access: "view" },
      schema: {
        summary: "Which spoke writes as which origin",
        tags: TAGS,
        response: { 200: named<OriginsReport>(OriginsSchema), ...refusals(...GUARDED) },
      },
    },
    (_request, reply) => {
      const { bindings } = coordinator.replication;
      const origins = bindings
        .bound()
        .flatMap(({ origin, token, atUnixMs }) =>
          token === null ? [] : [{ origin, token, boundAt: isoTime(atUnixMs) }],
        );
      reply.send({ maxOriginsPerToken: bindings.maxPerToken, origins });
    },
  );
}

export function releaseOriginRoute(app: App, { coordinator }: HttpComponents): void {
  app.post(
    "/api/origins/:origin/release",
    {
      config: { access: "operate" },
      schema: {
        summary: "Lets another token, or the same writer with a new key, write as an origin",
        description:
          "The next one that does is bound to it. Both engines of the pair release the token; the key is forgotten here. " +
          "Records and operations stay.",
        tags: TAGS,
        params: OriginParams,
        body: NoFields,
        response: {
          200: named(OriginReleasedSchema),
          ...refusals(...GUARDED, ...BODY, "origin_not_found", "store_failed"),
        },
      },
    },
    async (request, reply) => {
      const { origin } = request.params;
      if (coordinator.replication.release(origin)) return reply.send({ origin });
      return sendProblem(reply, problem("origin_not_found", "no token and no key is bound to this origin", { origin }));
    },
  );
}

function refusalOf(name: string, refused: Exclude<PeerOutcome, { readonly outcome: "done" }>): Problem {
  switch (refused.outcome) {
    case "not-found":
      return problem("peer_not_found", "no federation peer of this name is configured", { name });
    case "not-pulling":
      return problem("not_pulling", "federation.mode is publish: this engine serves and asks nobody");
    default:
      return assertNever(refused);
  }
}
