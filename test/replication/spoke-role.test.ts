/** H4: what a token of role `spoke` opens, and for which origins: over real HTTP. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Op } from "../../src/core/operation.ts";
import { newKey } from "../support/federation.ts";
import { makePlace, originOf, shown, wired } from "../support/replication-node.ts";
import { type HubServer, startHub } from "./hub-server.ts";

const TOKENS = [
  ...["one", "two"].map((name) => ({ name, role: "spoke" as const, value: `token-of-${name}` })),
  { name: "pair", role: "peer" as const, value: "token-of-pair" },
  { name: "ops", role: "operator" as const, value: "token-of-ops" },
];

let hub: HubServer;
beforeEach(async () => {
  hub = await startHub({ init: { maxOriginsPerToken: 3 } }, 0, { tokens: TOKENS, controlPlaneSecret: null });
});
afterEach(() => hub.close());

async function call(token: string, method: string, path: string, body?: unknown, origin?: string) {
  const answer = await fetch(hub.url + path, {
    method,
    headers: {
      authorization: `Bearer token-of-${token}`,
      ...(origin === undefined ? {} : { "x-sync-origin": origin }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, body: JSON.parse(text === "" ? "null" : text) as Record<string, unknown> };
}

/** Operations of the place `name`, in the entity `name`. */
function opsOf(name: string, values: readonly unknown[]): Op[] {
  const place = makePlace({ name });
  for (const value of values) place.replication.records.set("macros", name, value as never);
  return place.replication.records.log("", 1_000).ops.map(({ op }) => wired(op) as unknown as Op);
}

const push = (token: string, ops: readonly unknown[], origin?: string, snapshot?: object) =>
  call(token, "POST", "/sync/push", { ops, ...(snapshot === undefined ? {} : { snapshot }) }, origin);

const outcomes = ({ body }: { readonly body: Record<string, unknown> }) =>
  (body["results"] as { outcome: string; reason?: string }[]).map(({ outcome, reason }) => reason ?? outcome);

describe("H4: a token of role spoke", () => {
  it.each([
    ["POST", "/api/sync/state-snapshot"],
    ["GET", "/api/sync/state-snapshot"],
    ["GET", "/api/sync/health"],
    ["POST", "/api/sync/reconcile-lock"],
    ["GET", "/api/sync/reconcile-lock"],
    ["PUT", "/api/sync/reconcile-lock/lock_1"],
    ["DELETE", "/api/sync/reconcile-lock/lock_1"],
    ["POST", "/api/commands"],
    ["GET", "/api/state"],
    ["POST", "/api/handover"],
    ["PUT", "/api/records/macros/x"],
    ["GET", "/api/origins"],
  ])("does not open %s %s, and the refusal says what it opens", async (method, path) => {
    const refused = await call("one", method, path, method === "GET" || method === "DELETE" ? undefined : {});
    expect(refused).toMatchObject({ status: 403, body: { code: "forbidden" } });
    expect(refused.body["detail"]).toMatch(/"one" has role spoke, which opens only \/sync\/identity/);
  });

  it("opens identity, pull and push", async () => {
    expect(await call("one", "GET", "/sync/identity")).toMatchObject({ status: 200, body: { hubId: "hub" } });
    expect(outcomes(await push("one", opsOf("s1", [1, 2])))).toEqual(["applied", "applied"]);
    expect((await call("two", "GET", "/sync/pull")).body["ops"]).toHaveLength(2);
  });

  it("is bound to the origin of its first push: another token may not go on with it", async () => {
    const [first, second] = opsOf("s1", [1, 2]) as [Op, Op];
    await push("one", [first]);
    const before = shown(hub.place);
    const stolen = await push("two", [second]);
    expect(stolen).toMatchObject({
      status: 403,
      body: { code: "origin_not_bound", token: "two", origins: [originOf("s1")] },
    });
    expect(await push("two", [], originOf("s1"))).toMatchObject({ status: 403, body: { code: "origin_not_bound" } });
    expect(outcomes(await push("two", [second, ...opsOf("s2", [1])]))).toEqual(["origin_not_bound", "applied"]);
    expect(shown(hub.place).vector).toEqual({ ...before.vector, [originOf("s2")]: 1 });
    expect(outcomes(await push("one", [second]))).toEqual(["applied"]);
    expect(outcomes(await push("pair", opsOf("s1", [1, 2, 3])))).toContain("applied");
  });

  it("another one's operation again is a duplicate; one that claims its place raises no alarm", async () => {
    const [first] = opsOf("s1", [1]) as [Op];
    await push("one", [first]);
    expect(outcomes(await push("two", [first], originOf("s2")))).toEqual(["duplicate"]);
    const [other] = opsOf("s1", [77]) as [Op];
    expect(outcomes(await push("two", [other], originOf("s2")))).toEqual(["origin_not_bound"]);
    expect(hub.place.replication.records.quarantined(10)).toEqual([]);
    expect(hub.place.replication.bindings.bound()).toMatchObject([{ origin: originOf("s1"), token: "one" }]);
  });

  it("may not write as the hub itself", async () => {
    const refused = await push("one", opsOf("hub", [1]));
    expect(refused).toMatchObject({ status: 403, body: { code: "origin_not_bound" } });
    expect(shown(hub.place).vector).toEqual({});
  });

  it("has room for as many origins as configured; the next one is refused by name", async () => {
    const four = ["s1", "s2", "s3", "s4"].flatMap((name) => opsOf(name, [1]));
    const pushed = await push("one", four);
    expect(outcomes(pushed)).toEqual(["applied", "applied", "applied", "quota"]);
    expect((pushed.body["results"] as { origin: string }[])[3]?.origin).toBe(originOf("s4"));
    const refused = await push("one", opsOf("s4", [1]));
    expect(refused).toMatchObject({ status: 403, body: { code: "quota", token: "one", origins: [originOf("s4")] } });
    expect(refused.body["detail"]).toContain(originOf("s4"));
    expect(await call("one", "POST", "/sync/push", { ops: [] }, originOf("s4"))).toMatchObject({
      status: 403,
      body: { code: "quota" },
    });
    expect(outcomes(await push("two", opsOf("s4", [1])))).toEqual(["applied"]);
  });

  it("what is set aside of an origin counts against the bound too: nobody fills the shelf under made-up names", async () => {
    const poison = ["s1", "s2", "s3", "s4"].flatMap((name) => opsOf(name, [1])).map((op) => ({ ...op, kind: "drop" }));
    expect(outcomes(await push("one", poison))).toEqual([...Array<string>(3).fill("unknown_action"), "quota"]);
    expect(await push("one", poison.slice(3))).toMatchObject({ status: 403, body: { code: "quota" } });
    expect(hub.place.store.replica.ops.allSetAside(10).map(({ origin }) => origin)).toEqual(
      ["s3", "s2", "s1"].map((name) => originOf(name)),
    );
    expect(outcomes(await push("two", opsOf("s4", [1])))).toEqual(["applied"]);
  });

  it("a pushed snapshot counts for its own origins only", async () => {
    const victim = opsOf("victim", [1]);
    await push("two", victim);
    const clock = { [originOf("victim")]: 900, [originOf("unheard")]: 900, [originOf("hub")]: 900 };
    const { [originOf("unheard")]: _unheard, ...known } = clock;
    expect(await push("one", [], undefined, { clock: known, complete: true })).toMatchObject({
      status: 403,
      body: { code: "origin_not_bound" },
    });
    const [, second] = opsOf("s1", [1, 2]) as [Op, Op];
    const mixed = { clock: { ...clock, [originOf("s1")]: 2 }, complete: true };
    expect(outcomes(await push("one", [second], originOf("s1"), mixed))).toEqual(["applied"]);
    expect(shown(hub.place).vector).toEqual({ [originOf("victim")]: 1, [originOf("s1")]: 2 });
    expect(outcomes(await push("two", opsOf("victim", [1, 2])))).toEqual(["duplicate", "applied"]);
  });

  it("an alarm names the token of a caller that does not say as whom it writes", async () => {
    const alarms: string[] = [];
    await hub.close();
    const joint = { alarm: (code: string, detail: string) => void alarms.push(`${code}: ${detail}`) };
    hub = await startHub({ joint }, 0, { tokens: TOKENS, controlPlaneSecret: null });
    await push("one", opsOf("s1", [1]));
    const far = { clock: { [originOf("s1")]: 2 ** 47 }, complete: true };
    expect((await push("one", [], undefined, far)).status).toBe(400);
    await push("one", opsOf("s1", [77]));
    expect(alarms).toEqual([
      expect.stringMatching(/^number-out-of-reach: the token "one" sent a snapshot: /),
      expect.stringMatching(/^op-quarantined: rec_s1\/1 came again from the token "one" with other content$/),
    ]);
  });

  it("a person releases an origin, and the next token that writes as it is bound", async () => {
    const [first, second] = opsOf("s1", [1, 2]) as [Op, Op];
    await push("one", [first]);
    expect((await call("ops", "GET", "/api/origins")).body).toMatchObject({
      maxOriginsPerToken: 3,
      origins: [{ origin: originOf("s1"), token: "one" }],
    });
    const path = `/api/origins/${originOf("s1")}/release`;
    expect((await call("ops", "POST", path)).body).toEqual({ origin: originOf("s1") });
    expect(await call("ops", "POST", path)).toMatchObject({ status: 404, body: { code: "origin_not_found" } });
    expect(outcomes(await push("two", [second]))).toEqual(["applied"]);
    expect((await push("one", opsOf("s1", [1, 2, 3]), originOf("s1"))).status).toBe(403);
  });
});

it("H4: an operation that its origin signed may come through any spoke", async () => {
  await hub.close();
  const init = { signatures: "warn" as const };
  hub = await startHub({ signatures: newKey(), init }, 0, { tokens: TOKENS, controlPlaneSecret: null });
  const writer = makePlace({ name: "s1", signatures: newKey(), init });
  const leaving = () => {
    writer.replication.records.set("macros", "s1", "x");
    const { ops } = writer.replication.hub.pull({
      caller: { origin: "", token: null },
      ...{ after: "", limit: 100, maxBytes: 1_000_000 },
    });
    return wired(ops) as unknown as Op[];
  };
  expect(outcomes(await push("one", leaving()))).toEqual(["applied"]);
  const [, second] = leaving() as [Op, Op];
  const { signature: _signature, ...unsigned } = second;
  expect(outcomes(await push("two", [unsigned], originOf("s2")))).toEqual(["origin_not_bound"]);
  expect(outcomes(await push("two", [second], originOf("s2")))).toEqual(["applied"]);
});

it("both engines of a pair keep the same bindings, and the later change stands", () => {
  const [a, b] = ["a", "b"].map((name) => makePlace({ name }).replication.bindings);
  a?.bind("one", ["rec_x"]);
  b?.told(a?.toTell() ?? []);
  expect(b?.refusal("two", "rec_x")).toBe("origin_not_bound");
  b?.release("rec_x");
  b?.bind("two", ["rec_x"]);
  a?.told(b?.toTell() ?? []);
  b?.told([{ origin: "rec_x", token: "one", atUnixMs: 5 }]);
  for (const one of [a, b]) expect(one?.bound()).toMatchObject([{ origin: "rec_x", token: "two" }]);
});
