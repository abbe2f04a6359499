/**
 * The peer's probe and force-leader.
 * The probe answers whatever is broken inside. Force-leader looks at nothing before it knows that a secret
 * is configured, and at no body before the secret was right [A12].
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import { Compile } from "typebox/compile";
import type { ForcedAnswer, PeerHealthReport } from "../../coordinator/types.ts";
import type { StallAnswer } from "../../core/stall.ts";
import type { App, HttpComponents, HttpInit } from "../components.ts";
import { forceRefusal } from "../outcomes.ts";
import { problem, sendProblem } from "../problem.ts";
import { BODY, GUARDED, named, refusals } from "../schemas/common.ts";
import {
  ForceLeaderBody,
  ForcedAnswerSchema,
  PeerHealthSchema,
  StallAnswerSchema,
  StallBody,
} from "../schemas/pair.ts";
import { secretMatcher, type WrongSecrets } from "../access.ts";

const isReport = Compile(PeerHealthSchema);

const SECRET_HEADER = "x-control-plane-secret";

export function peerHealthRoute(app: App, { coordinator }: HttpComponents, { label }: HttpInit): void {
  let lastReport: PeerHealthReport = {
    status: "degraded",
    uptimeMs: 0,
    programSource: "",
    lastCommandSeq: 0,
    engineLabel: label,
    epoch: 0,
    role: "follower",
  };
  // A report that cannot be written out is as broken as one that cannot be made.
  const report = (): PeerHealthReport => {
    try {
      const made = coordinator.peerHealth();
      if (isReport.Check(made)) return (lastReport = made);
    } catch {
      // What is broken shows in the log and in the alarms of anyone who broke; a probe only needs its answer.
    }
    return { ...lastReport, status: "degraded" };
  };
  app.get(
    "/api/peer/health",
    {
      config: { access: "exempt", hot: true },
      schema: {
        summary: "How this engine is, for the other one",
        tags: ["peer"],
        response: { 200: named<PeerHealthReport>(PeerHealthSchema) },
      },
    },
    (_request, reply) => {
      reply.send(report());
    },
  );
}

export function forceLeaderRoute(app: App, components: HttpComponents, { secrets }: HttpInit): void {
  const { coordinator } = components;
  app.post(
    "/api/peer/force-leader",
    {
      config: { access: "exempt" },
      onRequest: secretGuard(secrets, components, app.wrongSecrets),
      schema: {
        summary: "Makes this engine the leader, on the control plane's word",
        description: `The secret stands in the header ${SECRET_HEADER}.`,
        tags: ["peer"],
        body: ForceLeaderBody,
        response: {
          200: named<ForcedAnswer>(ForcedAnswerSchema),
          ...refusals(
            "not_configured",
            "bad_secret",
            "too_many_attempts",
            ...BODY,
            "already_leader",
            "epoch_mismatch",
            "no_quorum",
          ),
        },
      },
    },
    async (request, reply) => {
      const { mode, reason, requestId, expectedEpoch, acceptDualAir } = request.body;
      const outcome = await coordinator.forceLeader({
        mode: mode ?? "graceful",
        reason: reason ?? "",
        requestId: requestId ?? null,
        expectedEpoch: expectedEpoch ?? null,
        acceptDualAir: acceptDualAir ?? false,
        by: "control-plane",
      });
      return outcome.outcome === "leads" ? reply.send(outcome.answer) : sendProblem(reply, forceRefusal(outcome));
    },
  );
}

/** What the peer's worker thread says while the peer's event loop stands still [EN5]. */
export function peerStallRoute(app: App, { coordinator }: HttpComponents): void {
  app.post(
    "/api/peer/stall",
    {
      config: { access: "peer" },
      schema: {
        summary: "The event loop of the leader stands still: this engine takes its role if it can",
        description: "The report is signed with the key of the leader, which is pinned here.",
        tags: ["peer"],
        body: StallBody,
        response: { 200: named<StallAnswer>(StallAnswerSchema), ...refusals(...GUARDED, ...BODY) },
      },
    },
    async (request, reply) => reply.send(await coordinator.peerStalled(request.body)),
  );
}

/** Checks the secret before the body is looked at. */
function secretGuard(secrets: HttpInit["secrets"], { clock, logger }: HttpComponents, wrongSecrets: WrongSecrets) {
  let secret: string | null = null;
  let isRight: ((guess: string) => boolean) | null = null;
  return (request: FastifyRequest, reply: FastifyReply, done: () => void): void => {
    // A reload may put another secret in force.
    if (secret !== secrets.controlPlaneSecret) {
      secret = secrets.controlPlaneSecret;
      isRight = secret === null ? null : secretMatcher(secret);
    }
    if (isRight === null) {
      sendProblem(
        reply,
        problem("not_configured", "set auth.controlPlaneSecret on this engine, and the variable that it names"),
      );
      return;
    }
    const given = request.headers[SECRET_HEADER];
    // The right secret always passes: anyone who guesses must not be able to lock out the person who takes over.
    if (typeof given === "string" && isRight(given)) {
      done();
      return;
    }
    const waitMs = given === undefined ? 0 : wrongSecrets.note(request.ip, clock.monoMs());
    if (given !== undefined)
      logger.warn({ address: request.ip, total: wrongSecrets.total }, "wrong secret at force-leader");
    if (waitMs > 0) {
      const refusal = problem("too_many_attempts", "too many wrong secrets came; the right one is still taken");
      sendProblem(reply, { ...refusal, retryAfterSec: Math.ceil(waitMs / 1_000) });
      return;
    }
    sendProblem(reply, problem("bad_secret", `the header ${SECRET_HEADER} is missing or wrong`));
  };
}
