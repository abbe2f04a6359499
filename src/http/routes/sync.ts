/**
 * Sync health and the state snapshot.
 * A large snapshot goes out and comes in a slice at a time; whatever is wrong with a posted one, nothing has
 * changed [SB4, A15].
 */
import type { Readable } from "node:stream";
import type { SyncHealthReport } from "../../coordinator/types.ts";
import type { StateSnapshot } from "../../core/messages.ts";
import { parseId } from "../../core/ids.ts";
import type { App, HttpComponents } from "../components.ts";
import { textStream } from "../body.ts";
import { SNAPSHOT_LIMIT_BYTES } from "../limits.ts";
import { snapshotRefusal } from "../outcomes.ts";
import { problem, sendProblem } from "../problem.ts";
import { GUARDED, named, NoContent, refusals } from "../schemas/common.ts";
import {
  LockQuery,
  SnapshotAppliedSchema,
  StateSnapshotBody,
  StateSnapshotSchema,
  SyncHealthSchema,
} from "../schemas/sync.ts";

const LOCK_HEADER = "x-reconcile-lock";

export function syncHealthRoute(app: App, { coordinator }: HttpComponents): void {
  app.get(
    "/api/sync/health",
    {
      config: { access: "sync-read" },
      schema: {
        summary: "Clock and positions",
        tags: ["sync"],
        response: { 200: named<SyncHealthReport>(SyncHealthSchema), ...refusals(...GUARDED) },
      },
    },
    (_request, reply) => {
      reply.send(coordinator.syncHealth());
    },
  );
}

export function takeSnapshotRoute(app: App, { coordinator, clock }: HttpComponents): void {
  app.get(
    "/api/sync/state-snapshot",
    {
      config: { access: "sync-read" },
      schema: {
        summary: "The engine's state at one moment",
        tags: ["sync"],
        response: {
          200: named<StateSnapshot | Readable>(StateSnapshotSchema),
          304: NoContent,
          ...refusals(...GUARDED, "engine_not_ready"),
        },
      },
    },
    async (request, reply) => {
      const outcome = await coordinator.snapshot();
      if (outcome.outcome === "engine-not-ready") {
        return sendProblem(reply, problem("engine_not_ready", outcome.detail));
      }
      const { snapshot, stateText } = outcome;
      // Weak: the stamp of the hybrid clock may differ where epoch, position and state are the same.
      const tag = `W/"${snapshot.checksum}"`;
      reply.header("etag", tag).header("cache-control", "no-cache");
      if (namesTag(request.headers["if-none-match"], tag)) return reply.code(304).send(undefined);
      reply.type("application/json; charset=utf-8");
      return reply.send(textStream(snapshotText(snapshot, stateText), (fn) => clock.soon(fn)));
    },
  );
}

/** The snapshot as JSON. Its state is written once only: for the checksum. */
function* snapshotText({ state: _state, checksum, ...rest }: StateSnapshot, stateText: readonly string[]) {
  yield `${JSON.stringify(rest).slice(0, -1)},"state":`;
  yield* stateText;
  yield `,"checksum":"${checksum}"}`;
}

/** Weak comparison of RFC 9110, 13.1.2. */
function namesTag(header: string | undefined, tag: string): boolean {
  const opaque = (text: string): string => text.trim().replace(/^W\//, "");
  return (header ?? "").split(",").some((listed) => listed.trim() === "*" || opaque(listed) === opaque(tag));
}

export function applySnapshotRoute(app: App, { coordinator }: HttpComponents): void {
  app.post(
    "/api/sync/state-snapshot",
    {
      config: { access: "peer", invalidBodyCode: "invalid_snapshot", holdsState: true },
      bodyLimit: SNAPSHOT_LIMIT_BYTES,
      schema: {
        summary: "Replaces the engine's state, under the reconcile lock",
        description:
          `The lock's id stands in the header ${LOCK_HEADER} or in the query \`lockId\`. With neither, the lock counts ` +
          "whose holder is the name of the caller's token.",
        querystring: LockQuery,
        tags: ["sync"],
        body: StateSnapshotBody,
        response: {
          200: named(SnapshotAppliedSchema),
          ...refusals(
            ...GUARDED,
            "invalid_snapshot",
            "unsupported_media_type",
            "lock_not_held",
            "stale_epoch",
            "payload_too_large",
            "witness_unreachable",
            "engine_not_ready",
          ),
        },
      },
    },
    async (request, reply) => {
      const named = request.headers[LOCK_HEADER] ?? request.query.lockId;
      const outcome =
        named === undefined
          ? await coordinator.applySnapshot(null, request.body, request.caller.name)
          : await coordinator.applySnapshot(parseId("lock", String(named)), request.body);
      if (outcome.outcome !== "applied") return sendProblem(reply, snapshotRefusal(outcome));
      return reply.send({ applied: true, clock: outcome.clock, lastCommandSeq: outcome.lastCommandSeq });
    },
  );
}
