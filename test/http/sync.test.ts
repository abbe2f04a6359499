/** `/api/sync` and the peer's probe: every row of the nine endpoints, each success and each refusal. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import * as sample from "../support/samples.ts";
import { buildRig, problemIn, type Rig } from "./rig.ts";

let rig: Rig;
beforeEach(async () => {
  rig = await buildRig();
});
afterEach(() => rig.app.close());

const lockUrl = "/api/sync/reconcile-lock";

describe("GET /api/peer/health", () => {
  it("200 with the report", async () => {
    const answer = await rig.app.inject("/api/peer/health");
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual(sample.peerHealth);
  });

  it("answers degraded, with what was known last, whatever is broken inside", async () => {
    await rig.app.inject("/api/peer/health");
    rig.coordinator.broken = new Error("no state");
    const answer = await rig.app.inject("/api/peer/health");
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({ ...sample.peerHealth, status: "degraded" });
  });

  it.each([undefined, null, {}, { ...sample.peerHealth, epoch: undefined }, { ...sample.peerHealth, epoch: "x" }])(
    "answers degraded when the report is %j",
    async (report) => {
      rig.coordinator.health = report as never;
      const answer = await rig.app.inject("/api/peer/health");
      expect(answer.statusCode).toBe(200);
      expect(answer.json()).toMatchObject({ status: "degraded", engineLabel: "a" });
      expect(Object.keys(answer.json<object>()).sort()).toEqual(Object.keys(sample.peerHealth).sort());
    },
  );
});

describe("GET /api/sync/health", () => {
  it("200 with the report", async () => {
    expect((await rig.get("/api/sync/health")).json()).toEqual(sample.syncHealth);
  });
});

describe("the reconcile lock", () => {
  it("is acquired, with or without a body", async () => {
    const held = { lockId: sample.lockId, expiresMs: 30_000, fence: 4 };
    expect((await rig.post(lockUrl)).json()).toEqual(held);
    expect((await rig.post(lockUrl, { holder: "recovery", ttlMs: 1_000 })).json()).toEqual(held);
    expect(rig.coordinator.argsOf("acquireLock")).toEqual([
      [{ holder: null, ttlMs: 30_000 }],
      [{ holder: "recovery", ttlMs: 1_000 }],
    ]);
  });

  it("[A14] is refused while another holds it, with holder and time", async () => {
    rig.coordinator.acquired = { outcome: "held", holder: "eng_b", fence: 5, expiresMs: 12_000 };
    expect(problemIn(await rig.post(lockUrl), 409, "lock_held")).toMatchObject({ holder: "eng_b", expiresMs: 12_000 });
  });

  it("says who holds it", async () => {
    expect((await rig.get(lockUrl)).json()).toEqual({ held: false });
    const lock = { holder: "eng_b", lockId: sample.lockId, fence: 5, ttlMs: 1_000, expiresMs: 900 };
    rig.coordinator.lock = { outcome: "read", lock };
    const answer = await rig.get(lockUrl);
    expect(answer.json()).toEqual({ held: true, holder: "eng_b", expiresMs: 900, fence: 5 });
    expect(answer.body).not.toContain(sample.lockId);
  });

  it("is refreshed and released", async () => {
    const refreshed = await rig.call("peer", { method: "PUT", url: `${lockUrl}/${sample.lockId}` });
    expect(refreshed.json()).toEqual({ lockId: sample.lockId, expiresMs: 30_000, fence: 4 });
    const released = await rig.call("peer", { method: "DELETE", url: `${lockUrl}/${sample.lockId}` });
    expect([released.statusCode, released.body]).toEqual([204, ""]);
  });
});

describe("the reconcile lock, refused", () => {
  it.each([{ ttlMs: 999 }, { ttlMs: 120_001 }, { ttlMs: 1_500.5 }, { holder: "" }, { who: "me" }])(
    "is refused for %j",
    async (body) => {
      problemIn(await rig.post(lockUrl, body), 400, "invalid_request");
    },
  );

  it.each(["expired", "wrong-id"] as const)("[A14] is not found when %s", async (outcome) => {
    rig.coordinator.refreshed = { outcome };
    rig.coordinator.released = { outcome };
    problemIn(await rig.call("peer", { method: "PUT", url: `${lockUrl}/any` }), 404, "lock_not_found");
    problemIn(await rig.call("peer", { method: "DELETE", url: `${lockUrl}/any` }), 404, "lock_not_found");
  });

  it("503 for each call while the witness is out of reach", async () => {
    const unreachable = { outcome: "unreachable", reason: "time-out" } as const;
    Object.assign(rig.coordinator, {
      acquired: unreachable,
      refreshed: unreachable,
      released: unreachable,
      lock: unreachable,
    });
    for (const [method, url] of [
      ["POST", lockUrl],
      ["GET", lockUrl],
      ["PUT", `${lockUrl}/x`],
      ["DELETE", `${lockUrl}/x`],
    ] as const) {
      problemIn(await rig.call("peer", { method, url }), 503, "witness_unreachable");
    }
  });

  it("takes no fields on PUT and DELETE", async () => {
    for (const method of ["PUT", "DELETE"] as const) {
      const answer = await rig.call("peer", { method, url: `${lockUrl}/x`, payload: { ttlMs: 5_000 } });
      expect(problemIn(answer, 400, "invalid_request")["field"]).toBe("/ttlMs");
    }
  });
});
