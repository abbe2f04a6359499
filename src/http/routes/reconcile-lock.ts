/** The reconcile lock: read, acquire, refresh, release [RL1, RL3, A14]. */
import { assertNever } from "../../core/errors.ts";
import type { App, HttpComponents } from "../components.ts";
import { parseHolder } from "../../core/epoch.ts";
import { DEFAULT_LOCK_TTL_MS } from "../limits.ts";
import { acquireRefusal, lockRefusal, witnessUnreachable } from "../outcomes.ts";
import { problem, sendProblem } from "../problem.ts";
import { BODY, GUARDED, named, NoContent, refusals } from "../schemas/common.ts";
import {
  AcquireLockBody,
  HeldLockSchema,
  LockParams,
  LockStatusSchema,
  RefreshLockBody,
  ReleaseLockBody,
} from "../schemas/sync.ts";

const PATH = "/api/sync/reconcile-lock";
const TAGS = ["sync"];

export function readLockRoute(app: App, { coordinator }: HttpComponents): void {
  app.get(
    PATH,
    {
      config: { access: "sync-read" },
      schema: {
        summary: "Who holds the reconcile lock",
        tags: TAGS,
        response: { 200: named(LockStatusSchema), ...refusals(...GUARDED, "witness_unreachable") },
      },
    },
    async (_request, reply) => {
      const answer = await coordinator.readLock();
      switch (answer.outcome) {
        case "unreachable":
          return sendProblem(reply, witnessUnreachable(answer.reason));
        case "read": {
          if (answer.lock === null) return reply.send({ held: false });
          const { holder, expiresMs, fence } = answer.lock;
          return reply.send({ held: true, holder, expiresMs, fence });
        }
        default:
          return assertNever(answer);
      }
    },
  );
}

export function acquireLockRoute(app: App, { coordinator }: HttpComponents): void {
  app.post(
    PATH,
    {
      config: { access: "peer" },
      schema: {
        summary: "Acquires the reconcile lock",
        tags: TAGS,
        body: AcquireLockBody,
        response: {
          200: named(HeldLockSchema),
          ...refusals(...GUARDED, ...BODY, "lock_held", "witness_unreachable"),
        },
      },
    },
    async (request, reply) => {
      const { holder, ttlMs } = request.body;
      if (holder !== undefined && parseHolder(holder) !== null) {
        const detail = `holder: "${holder}" is the name of an engine's own recovery; use another name`;
        return sendProblem(reply, problem("invalid_request", detail, { field: "/holder" }));
      }
      const named = holder ?? request.caller.name;
      const answer = await coordinator.acquireLock({ holder: named, ttlMs: ttlMs ?? DEFAULT_LOCK_TTL_MS });
      if (answer.outcome !== "acquired") return sendProblem(reply, acquireRefusal(answer));
      return reply.send({ lockId: answer.lockId, expiresMs: answer.expiresMs, fence: answer.fence });
    },
  );
}

export function refreshLockRoute(app: App, { coordinator }: HttpComponents): void {
  app.put(
    `${PATH}/:lockId`,
    {
      config: { access: "peer" },
      schema: {
        summary: "Extends the reconcile lock",
        tags: TAGS,
        params: LockParams,
        body: RefreshLockBody,
        response: {
          200: named(HeldLockSchema),
          ...refusals(...GUARDED, ...BODY, "lock_not_found", "witness_unreachable"),
        },
      },
    },
    async (request, reply) => {
      const { lockId } = request.params;
      const answer = await coordinator.refreshLock(lockId, request.body?.ttlMs);
      if (answer.outcome !== "refreshed") return sendProblem(reply, lockRefusal(answer));
      return reply.send({ lockId, expiresMs: answer.expiresMs, fence: answer.fence });
    },
  );
}

export function releaseLockRoute(app: App, { coordinator }: HttpComponents): void {
  app.delete(
    `${PATH}/:lockId`,
    {
      config: { access: "peer" },
      schema: {
        summary: "Releases the reconcile lock",
        tags: TAGS,
        params: LockParams,
        body: ReleaseLockBody,
        response: {
          204: NoContent,
          ...refusals(...GUARDED, ...BODY, "lock_not_found", "witness_unreachable"),
        },
      },
    },
    async (request, reply) => {
      const answer = await coordinator.releaseLock(request.params.lockId);
      if (answer.outcome !== "released") return sendProblem(reply, lockRefusal(answer));
      return reply.code(204).send(undefined);
    },
  );
}
