/** What operators and pages call: commands, the engine's own calls, state, handover, maintenance, history, conflicts. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import * as sample from "../support/samples.ts";
import { bearer, buildRig, problemIn, type Rig } from "./rig.ts";

let rig: Rig;
beforeEach(async () => {
  rig = await buildRig();
});
afterEach(() => rig.app.close());

const command = { kind: "POST /api/switch/cut", payload: { source: "cam2" } };
const given = { seq: 4, epoch: 7, executeAtUs: 1_700_000_000_040_000, durability: "pair" };

const REFUSALS = [
  [{ outcome: "not-leader", leader: "b", leaderUrl: "http://b:7401" }, 409, "not_leader"],
  [{ outcome: "not-leader", leader: null, leaderUrl: null }, 409, "not_leader"],
  [{ outcome: "fenced", epoch: 9 }, 409, "fenced"],
  [{ outcome: "idempotency-conflict", epoch: 9, seq: 12 }, 422, "idempotency_conflict"],
  [{ outcome: "outcome-unknown", epoch: 9, seq: 12 }, 503, "outcome_unknown"],
  [{ outcome: "invalid-command", detail: "payload.source: unknown" }, 422, "invalid_command"],
  [{ outcome: "store-failed", detail: "there is no room" }, 503, "store_failed"],
  [{ outcome: "busy", detail: "10000 commands wait" }, 503, "busy"],
] as const;

describe("commands", () => {
  it("are given, with everything that a caller may say", async () => {
    const full = { ...command, idempotencyKey: "k", executeAtUs: 1_700_000_000_040_000, ack: "local" };
    const answer = await rig.post("/api/commands", full);
    expect([answer.statusCode, answer.json()]).toEqual([200, given]);
    expect(rig.coordinator.argsOf("submit")).toEqual([[full]]);
  });

  it.each([null, 5, "text", [], [{ a: 1 }]])("take %j for a payload", async (payload) => {
    expect((await rig.post("/api/commands", { kind: "x", payload })).statusCode).toBe(200);
    expect(rig.coordinator.argsOf("submit")).toEqual([[{ kind: "x", payload }]]);
  });

  it.each(REFUSALS)("are refused: %j is %i %s", async (outcome, status, code) => {
    rig.coordinator.submitted = outcome;
    const answer = await rig.post("/api/commands", command);
    const document = problemIn(answer, status, code);
    if (outcome.outcome === "not-leader")
      expect(document).toMatchObject({ leader: outcome.leader, leaderUrl: outcome.leaderUrl });
    if (outcome.outcome === "fenced") expect(document["epoch"]).toBe(9);
    if (outcome.outcome === "outcome-unknown") expect(document).toMatchObject({ epoch: 9, seq: 12 });
    if (status === 503) expect(answer.headers["retry-after"]).toBe("1");
  });

  it.each([
    ["POST", "/api/commands", '{"kind":"k","payload":{"id":9007199254740993}}', "/payload/id"],
    ["POST", "/api/commands", '{"kind":"k","payload":[1,1e400]}', "/payload/1"],
    ["POST", "/api/commands", '{"kind":"k","payload":9007199254740993.0}', "/payload"],
    ["POST", "/api/commands", '{"kind":"k","payload":1,"executeAtUs":9007199254740993}', "/executeAtUs"],
    ["POST", "/engine/api/switch/cut", '{"source":"cam2","id":9007199254740993}', "/id"],
    ["PUT", "/engine/api/list", "[1,[-9007199254740993]]", "/1/0"],
    ["PATCH", "/engine/api/x", "9007199254740993", ""],
    ["DELETE", "/engine/api/x", '{"a":{"b":1e23}}', "/a/b"],
    ["PUT", "/api/records/show/title", '{"value":{"id":9007199254740993}}', "/value/id"],
    ["POST", "/api/conflicts/cfl_1/resolve", '{"choice":"value","value":9007199254740993}', "/value"],
  ] as const)("H1 %s %s with %s is refused with the path of the number", async (method, url, payload, path) => {
    const headers = { ...bearer("operator"), "content-type": "application/json" };
    const answer = await rig.app.inject({ method, url, payload, headers });
    expect(problemIn(answer, 422, "number_not_exact")).toMatchObject({ path, value: expect.any(String) as string });
    expect(rig.coordinator.argsOf("submit")).toEqual([]);
  });

  it("are listed, oldest first", async () => {
    const { seq, epoch, kind, payload, executeAtUs, origin } = sample.command;
    const listed = { commands: [{ seq, epoch, kind, payload, executeAtUs, origin }], hasMore: false };
    expect((await rig.get("/api/commands")).json()).toEqual(listed);
    expect(rig.coordinator.argsOf("commands")).toEqual([[0, 100]]);
  });
});

describe("the engine's own calls", () => {
  it.each(["POST", "PUT", "PATCH", "DELETE"] as const)("%s becomes a command", async (method) => {
    const url = "/engine/api/sources/srt:cam%201/label?x=1&y=%2F";
    const answer = await rig.call("operator", { method, url, payload: { label: "Left" } });
    expect([answer.statusCode, answer.json()]).toEqual([200, given]);
    const kind = `${method} /api/sources/srt:cam%201/label?x=1&y=%2F`;
    expect(rig.coordinator.argsOf("submit")).toEqual([[{ kind, payload: { label: "Left" } }]]);
  });

  it.each([
    ["none", undefined, {}],
    ["an empty one", "", { "content-type": "application/json" }],
  ])("take %s for a body: the payload is null", async (_what, payload, headers) => {
    const url = "/engine/api/sources/cam1/key";
    const options = payload === undefined ? {} : { payload };
    expect((await rig.call("operator", { method: "DELETE", url, headers, ...options })).statusCode).toBe(200);
    expect(rig.coordinator.argsOf("submit")).toEqual([[{ kind: "DELETE /api/sources/cam1/key", payload: null }]]);
  });

  it("carry an idempotency key in its header", async () => {
    const headers = { "idempotency-key": "take-7" };
    await rig.call("operator", { method: "POST", url: "/engine/api/switch/ftb", headers });
    expect(rig.coordinator.argsOf("submit")[0]?.[0]).toMatchObject({ idempotencyKey: "take-7" });
    const long = { "idempotency-key": "x".repeat(129) };
    const answer = await rig.call("operator", { method: "POST", url: "/engine/api/switch/ftb", headers: long });
    problemIn(answer, 400, "invalid_request");
  });

  it.each(REFUSALS)("are refused: %j is %i %s", async (outcome, status, code) => {
    rig.coordinator.submitted = outcome;
    problemIn(await rig.post("/engine/api/switch/cut", {}), status, code);
  });

  it("read the local engine, its own refusals included", async () => {
    expect((await rig.get("/engine/api/switch/state?deep=1")).json()).toEqual({ program: "cam-1" });
    expect(rig.coordinator.argsOf("readEngine")).toEqual([["/api/switch/state?deep=1"]]);
    rig.coordinator.read = { status: 404, body: { error: "no such source" } };
    const answer = await rig.get("/engine/api/sources/x");
    expect([answer.statusCode, answer.json()]).toEqual([404, { error: "no such source" }]);
  });

  it.each([0, 100, 600, 200.5, Number.NaN])("503 when the engine answers with the status %j", async (status) => {
    rig.coordinator.read = { status, body: {} };
    problemIn(await rig.get("/engine/api/x"), 503, "engine_not_ready");
  });

  it("cannot be longer than a kind may be", async () => {
    problemIn(await rig.post(`/engine/${"x".repeat(1_100)}`, {}), 400, "invalid_request");
    problemIn(await rig.post(`/engine/x?${"y".repeat(1_100)}`, {}), 400, "invalid_request");
  });
});

describe("state, machines, history", () => {
  it("are shown whole", async () => {
    expect((await rig.get("/api/state")).json()).toEqual(sample.state);
    expect((await rig.get("/api/machines")).json()).toEqual({
      machines: [{ name: "leadership", value: "leader", definition: { initial: "follower" } }],
    });
    const { epoch, leader, cause, by, reason, tookMs, fromUnixMs, toUnixMs } = sample.leadership;
    const entry = { epoch, leader, cause, by, reason, tookMs, from: fromUnixMs, to: toUnixMs };
    expect((await rig.get("/api/leadership?limit=5")).json()).toEqual({ history: [entry] });
    expect(rig.coordinator.argsOf("leadership")).toEqual([[5]]);
  });
});

describe("handover and maintenance", () => {
  it("hand over, by the token's name", async () => {
    const answer = await rig.post("/api/handover", { reason: "swap the power supply" });
    expect([answer.statusCode, answer.json()]).toEqual([
      200,
      { leader: "b", epoch: 8, tookMs: 3.5, requestId: "req_1" },
    ]);
    expect((await rig.post("/api/handover")).statusCode).toBe(200);
    expect(rig.coordinator.argsOf("handover")).toEqual([
      [{ reason: "swap the power supply", by: "the-operator" }],
      [{ reason: "", by: "the-operator" }],
    ]);
  });

  it("refuse to hand over", async () => {
    rig.coordinator.handed = { outcome: "not-leader", leader: "b", leaderUrl: "http://b:7401" };
    expect(problemIn(await rig.post("/api/handover"), 409, "not_leader")["leader"]).toBe("b");
    rig.coordinator.handed = { outcome: "no-valid-backup", detail: "b is catching up" };
    problemIn(await rig.post("/api/handover"), 409, "no_valid_backup");
  });

  it.each([
    ["2026-11-29T18:00:00Z", 1_795_975_200_000],
    ["2026-11-29T19:00:00.250+01:00", 1_795_975_200_250],
    ["2026-11-29 18:00Z", 1_795_975_200_000],
    [1_795_975_200_000, 1_795_975_200_000],
  ])("HO10: plan a handover at %j", async (at, atUnixMs) => {
    const answer = await rig.post("/api/handover", { reason: "swap the power supply", at });
    expect(answer.statusCode).toBe(202);
    expect(answer.json()).toEqual({
      planned: { at: 1_700_000_060_000, by: "ops", reason: "swap the power supply", epoch: 7 },
    });
    expect(rig.coordinator.argsOf("planHandover")).toEqual([
      [{ atUnixMs, reason: "swap the power supply", by: "the-operator" }],
    ]);
    expect(rig.coordinator.argsOf("handover")).toEqual([]);
  });

  it.each(["18:00", "2026-11-29T18:00:00", "2026-13-29T18:00:00Z", "soon", "", -1, 1e300, null, true])(
    "HO10: do not take %j for a time",
    async (at) => {
      const refused = problemIn(await rig.post("/api/handover", { at }), 400, "invalid_request");
      expect(refused["detail"]).toContain("/at");
      expect(rig.coordinator.argsOf("planHandover")).toEqual([]);
      expect(rig.coordinator.argsOf("handover")).toEqual([]);
    },
  );

  it("HO10: refuse a plan, and cancel one", async () => {
    const at = "2026-11-29T18:00:00Z";
    rig.coordinator.planned = { outcome: "not-leader", leader: "b", leaderUrl: "http://b:7401" };
    expect(problemIn(await rig.post("/api/handover", { at }), 409, "not_leader")["leader"]).toBe("b");
    rig.coordinator.planned = { outcome: "invalid-time", detail: "at is 2020: must be later" };
    expect(problemIn(await rig.post("/api/handover", { at }), 400, "invalid_request")["field"]).toBe("/at");
    problemIn(await rig.call("operator", { method: "DELETE", url: "/api/handover" }), 409, "nothing_planned");
    const plan = { at: 1_700_000_060_000, by: "ops", reason: "", epoch: 7 };
    rig.coordinator.cancelled = { outcome: "cancelled", plan };
    const answer = await rig.call("operator", { method: "DELETE", url: "/api/handover" });
    expect([answer.statusCode, answer.json()]).toEqual([200, { cancelled: plan }]);
    expect(rig.coordinator.argsOf("cancelHandover").at(-1)).toEqual([{ by: "the-operator" }]);
    problemIn(await rig.call("viewer", { method: "DELETE", url: "/api/handover" }), 403, "forbidden");
  });

  it("copy the data folder", async () => {
    expect((await rig.post("/api/backup")).json()).toEqual(sample.backup);
    problemIn(await rig.call("viewer", { method: "POST", url: "/api/backup" }), 403, "forbidden");
  });

  it("reset the witness, but not beside a leader", async () => {
    expect((await rig.post("/api/witness/reset")).json()).toEqual({ reset: true, replaced: "the record of a" });
    rig.coordinator.resetting = { outcome: "not-leader", leader: "b", leaderUrl: "http://b:7401" };
    problemIn(await rig.post("/api/witness/reset"), 409, "not_leader");
    rig.coordinator.resetting = { outcome: "no-witness" };
    problemIn(await rig.post("/api/witness/reset"), 409, "no_witness");
  });

  it("hold automation and let it go", async () => {
    const answer = await rig.post("/api/maintenance", { on: true, reason: "rehearsal" });
    expect(answer.json()).toMatchObject({ on: true, reason: "rehearsal", by: "the-operator" });
    problemIn(await rig.post("/api/maintenance", {}), 400, "invalid_request");
    problemIn(await rig.post("/api/maintenance", { on: "yes" }), 400, "invalid_request");
  });
});

describe("conflicts", () => {
  const url = "/api/conflicts/cfl_1/resolve";

  it("are listed and resolved", async () => {
    expect((await rig.get("/api/conflicts")).json()).toEqual({ conflicts: [sample.conflict] });
    for (const body of [{ choice: "keep" }, { choice: "reapply" }, { choice: "value", value: null }]) {
      expect((await rig.post(url, body)).json()).toEqual(sample.conflict);
      expect(rig.coordinator.argsOf("resolveConflict").at(-1)).toEqual(["cfl_1", body, "the-operator"]);
    }
  });

  it.each([{}, { choice: "drop" }, { choice: "value" }, { choice: "keep", value: 1 }, { choice: "keep", by: "me" }])(
    "are not resolved by %j",
    async (body) => {
      problemIn(await rig.post(url, body), 400, "invalid_request");
    },
  );

  it.each([
    [{ outcome: "not-found" }, 404, "conflict_not_found"],
    [{ outcome: "already-resolved", conflict: sample.conflict }, 409, "already_resolved"],
    ...REFUSALS,
  ] as const)("are refused: %j is %i %s", async (outcome, status, code) => {
    rig.coordinator.resolved = outcome;
    problemIn(await rig.post(url, { choice: "keep" }), status, code);
  });
});

describe("outbox", () => {
  it("is shown, and its events are tended under the name of who asked", async () => {
    expect((await rig.get("/api/outbox")).json()).toEqual(sample.outbox);
    const tended = { eventId: "cmd_eng_a_7", stackId: "programme" };
    expect((await rig.post("/api/outbox/cmd_eng_a_7/retry")).json()).toEqual({ ...tended, outcome: "retried" });
    expect((await rig.post("/api/outbox/cmd_eng_a_7/skip")).json()).toEqual({ ...tended, outcome: "skipped" });
    expect(rig.coordinator.argsOf("retryEvent")).toEqual([["cmd_eng_a_7"]]);
    expect(rig.coordinator.argsOf("skipEvent")).toEqual([["cmd_eng_a_7", "the-operator"]]);
  });

  it.each([
    [{ outcome: "not-found" }, 404, "event_not_found"],
    [{ outcome: "already-published" }, 409, "already_published"],
    [{ outcome: "not-dead" }, 409, "not_dead"],
    [{ outcome: "not-leader", leader: "b", leaderUrl: "http://b" }, 409, "not_leader"],
  ] as const)("tells why not: %j is %i %s", async (outcome, status, code) => {
    rig.coordinator.tended = outcome;
    problemIn(await rig.post("/api/outbox/cmd_eng_a_7/skip"), status, code);
  });
});
