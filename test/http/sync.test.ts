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
      [{ holder: expect.any(String) as string, ttlMs: 30_000 }],
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
  it.each([{ ttlMs: 999 }, { ttlMs: 120_001 }, { ttlMs: 1_500.5 }, { holder: "" }])(
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

  it("P11 RL1: PUT takes a time within the bounds, and no time: the one of the acquisition", async () => {
    const put = (payload?: object) =>
      rig.call("peer", { method: "PUT", url: `${lockUrl}/${sample.lockId}`, ...(payload && { payload }) });
    for (const payload of [undefined, {}, { ttlMs: 1_000 }, { ttlMs: 120_000 }]) {
      expect((await put(payload)).statusCode).toBe(200);
    }
    expect(rig.coordinator.argsOf("refreshLock").map(([, ttlMs]) => ttlMs)).toEqual([
      undefined,
      undefined,
      1_000,
      120_000,
    ]);
    for (const ttlMs of [999, 120_001, 1_500.5, "5000"]) {
      expect(problemIn(await put({ ttlMs }), 400, "invalid_request")["field"]).toBe("/ttlMs");
    }
  });

  it("SB7: nobody takes the name of an engine's own recovery", async () => {
    const refused = await rig.post(lockUrl, { holder: "engine b, epoch 4" });
    expect(problemIn(refused, 400, "invalid_request")["field"]).toBe("/holder");
  });
});
