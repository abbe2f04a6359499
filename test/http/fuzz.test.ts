/** Bad input on every route: no 5xx, no crash, nothing changed, whatever arrives. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TokenRole } from "../../src/config/types.ts";
import type { Coordinator } from "../../src/coordinator/types.ts";
import * as sample from "../support/samples.ts";
import { bearer, buildRig, type Rig, SECRET } from "./rig.ts";

let rig: Rig;
beforeAll(async () => {
  rig = await buildRig();
});
afterAll(() => rig.app.close());

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;

/** Bodies that a route could know, with something wrong in them. */
const KNOWN_BODIES: readonly object[] = [
  { kind: "POST /x", payload: {}, idempotencyKey: "k", executeAtUs: 1, ack: "pair" },
  { mode: "graceful", reason: "r", requestId: "q", expectedEpoch: 1, acceptDualAir: true },
  { holder: "h", ttlMs: 5_000 },
  { on: true, reason: "r" },
  { choice: "value", value: 1 },
  sample.snapshot,
];

const oddValue = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom(null, -1, 1.5, 1e308, "", "x".repeat(3_000), [], {}, true, "\u0000", "💥", "__proto__"),
);

const spoiled = fc
  .tuple(
    fc.constantFrom(...KNOWN_BODIES),
    fc.array(fc.tuple(fc.string(), oddValue), { maxLength: 3 }),
    fc.nat(),
    oddValue,
  )
  .map(([body, more, at, value]) => {
    const keys = Object.keys(body);
    return { ...body, ...Object.fromEntries(more), [keys[at % keys.length] ?? ""]: value };
  });

const body = fc.oneof(
  spoiled.map((json) => JSON.stringify(json)),
  fc.json(),
  fc.string({ maxLength: 200 }),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc.integer({ min: 1, max: 5_000 }).map((depth) => "[".repeat(depth)),
  fc.integer({ min: 1, max: 5_000 }).map((depth) => '{"a":'.repeat(depth)),
);

const path = fc.oneof(
  fc.constantFrom(
    "/api/commands",
    "/api/state",
    "/api/outbox",
    "/api/leadership",
    "/engine/api/x",
    "/leader",
    "/api/sync/reconcile-lock",
  ),
  fc.webPath().map((text) => `/${text.replace(/^\/+/, "")}`),
  fc.string().map((text) => `/api/conflicts/${encodeURIComponent(text.toWellFormed())}/resolve`),
  fc.string().map((text) => `/api/outbox/${encodeURIComponent(text.toWellFormed())}/skip`),
  fc.string().map((text) => `/api/sync/reconcile-lock/${encodeURIComponent(text.toWellFormed())}`),
);

const header = fc.string({ maxLength: 40 }).map((text) => text.replace(/[^\x20-\x7e]/g, "?"));

const request = fc.record({
  method: fc.constantFrom(...METHODS),
  path,
  query: fc.oneof(
    fc.constant(""),
    fc.webQueryParameters(),
    fc.constantFrom("limit=-1", "limit[]=1", "afterSeq=9e99", "limit=%00"),
  ),
  body,
  type: fc.oneof(fc.constant("application/json"), header),
  lock: header,
  requestId: header,
  role: fc.constantFrom<TokenRole>("viewer", "operator", "peer"),
});

/** What a sound request may change. */
const CHANGES: readonly (keyof Coordinator)[] = ["forceLeader", "handover", "applySnapshot"];

describe("bad input", () => {
  it("is answered below 500 on every kind of request", async () => {
    await fc.assert(
      fc.asyncProperty(request, async ({ method, path: at, query, body: payload, type, lock, requestId, role }) => {
        const answer = await rig.app.inject({
          method,
          url: query === "" ? at : `${at}?${query}`,
          payload,
          headers: {
            ...bearer(role),
            "content-type": type,
            "x-reconcile-lock": lock,
            "x-request-id": requestId,
            "x-control-plane-secret": SECRET,
          },
        });
        expect(answer.statusCode).toBeLessThan(500);
        expect(answer.headers["x-request-id"]).toBeDefined();
        if (answer.statusCode >= 400) expect(answer.headers["content-type"]).toBe("application/problem+json");
      }),
      { numRuns: 1_500 },
    );
  });

  it("changes nothing: a spoiled body reaches the coordinator only where it is sound after all", async () => {
    const targets = [
      ["/api/peer/force-leader", "forceLeader"],
      ["/api/handover", "handover"],
      ["/api/sync/state-snapshot", "applySnapshot"],
    ] as const;
    expect(targets.map(([, method]) => method).sort()).toEqual([...CHANGES].sort());
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...targets), body, async ([url, method], payload) => {
        const before = rig.coordinator.argsOf(method).length;
        const role = url.startsWith("/api/sync") ? "peer" : "operator";
        const headers = {
          ...bearer(role),
          "content-type": "application/json",
          "x-reconcile-lock": sample.lockId,
          "x-control-plane-secret": SECRET,
        };
        const answer = await rig.app.inject({ method: "POST", url, payload, headers });
        expect([200, 400]).toContain(answer.statusCode);
        const reached = rig.coordinator.argsOf(method).length - before;
        expect(reached).toBe(answer.statusCode === 200 ? 1 : 0);
      }),
      { numRuns: 600 },
    );
  });
});
