/** `/sync` and `/api/records` over real HTTP: shapes, bounds, and what hostile callers may not do. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Op } from "../../src/core/operation.ts";
import { altered, makePlace, originOf, shown, wired } from "../support/replication-node.ts";
import { startHub, type HubServer } from "./hub-server.ts";

let hub: HubServer;
beforeEach(async () => {
  hub = await startHub();
});
afterEach(() => hub.close());

async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const sent =
    body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { "content-type": "application/json", ...headers } };
  const answer = await fetch(hub.url + path, { method, headers, ...sent });
  const text = await answer.text();
  return { status: answer.status, body: (text === "" ? null : JSON.parse(text)) as Record<string, unknown> };
}

/** Operations that the place `name` made. */
function opsOf(name: string, values: readonly unknown[]): Op[] {
  const place = makePlace({ name });
  for (const value of values) place.replication.records.set("macros", "opening", value as never);
  return place.replication.records.log("", 1_000).ops.map(({ op }) => wired(op) as unknown as Op);
}

const push = async (ops: readonly unknown[]) =>
  (await call("POST", "/sync/push", { ops })).body as { results: Record<string, unknown>[]; applied: number };

describe("records over HTTP", () => {
  it("are set, read, listed and deleted", async () => {
    const put = await call("PUT", "/api/records/source%20names/cam%2F1", { value: { name: "Größe" } });
    expect(put).toMatchObject({
      status: 200,
      body: { entity: "source names", field: "cam/1", value: { name: "Größe" } },
    });
    expect((await call("GET", "/api/records/source%20names/cam%2F1")).body).toEqual(put.body);
    await call("PUT", "/api/records/macros/b", { value: 1 });
    await call("PUT", "/api/records/macros/a", { value: null });
    const list = await call("GET", "/api/records?entity=macros&limit=1");
    expect(list.body).toMatchObject({ records: [{ field: "a", value: null }], hasMore: true });
    expect((await call("GET", "/api/records?entity=macros&afterField=a")).body).toMatchObject({
      records: [{ field: "b" }],
      hasMore: false,
    });
    expect((await call("DELETE", "/api/records/macros/a")).status).toBe(204);
    expect(await call("GET", "/api/records/macros/a")).toMatchObject({
      status: 404,
      body: { code: "record_not_found" },
    });
    expect((await call("DELETE", "/api/records/macros/a")).status).toBe(404);
  });

  it("are shown in pages that no reader can make large, with nothing left out", async () => {
    const value = "x".repeat(250_000);
    for (let field = 10; field < 30; field += 1) await call("PUT", `/api/records/macros/${field}`, { value });
    const fields: unknown[] = [];
    for (let after = "", more: unknown = true; more === true; after = `&afterField=${String(fields.at(-1))}`) {
      const { body } = await call("GET", `/api/records?entity=macros&limit=1000${after}`);
      const records = body["records"] as { readonly field: string }[];
      expect(JSON.stringify(body).length).toBeLessThan(2_200_000);
      fields.push(...records.map(({ field }) => field));
      more = body["hasMore"];
    }
    expect(fields).toEqual(Array.from({ length: 20 }, (_, at) => `${at + 10}`));
    const arrivals = new Set<unknown>();
    for (let after = "", more: unknown = true; more === true;) {
      const { body } = await call("GET", `/api/ops?limit=1000&after=${encodeURIComponent(after)}`);
      const ops = body["ops"] as { readonly arrival: string }[];
      expect(JSON.stringify(body).length).toBeLessThan(2_200_000);
      for (const { arrival } of ops) arrivals.add(arrival);
      [after, more] = [ops.at(-1)?.arrival ?? "", body["hasMore"]];
    }
    expect(arrivals.size).toBe(20);
    const newest = (await call("GET", "/api/ops?limit=1000")).body["ops"] as readonly unknown[];
    expect(newest.length).toBeGreaterThan(5);
    expect(newest.length).toBeLessThan(10);
  });

  it.each([
    ["PUT", "/api/records/a/b", {}],
    ["PUT", "/api/records/a/b", { value: 1, more: 2 }],
    ["PUT", `/api/records/${"x".repeat(129)}/b`, { value: 1 }],
    ["PUT", "/api/records/a/b", { value: "x".repeat(262_145) }],
    ["GET", "/api/records?limit=0", undefined],
    ["GET", "/sync/pull?limit=1001", undefined],
    ["GET", "/sync/pull?limit=0", undefined],
    ["GET", "/sync/pull?held=x%20y", undefined],
    ["GET", "/sync/pull?after=yesterday", undefined],
    ["GET", "/sync/pull?maxBytes=0", undefined],
    ["POST", "/sync/push", { ops: 5 }],
    ["POST", "/sync/push", { ops: Array.from({ length: 1_001 }, () => ({})) }],
    ["POST", "/sync/push", { ops: [], secret: 1 }],
  ])("%s %s with something wrong in it is refused, and nothing changes", async (method, path, body) => {
    const before = shown(hub.place);
    expect((await call(method, path, body)).status).toBe(400);
    expect(shown(hub.place)).toEqual(before);
  });
});

describe("/sync", () => {
  it("says who serves, takes, and gives pages by count and bytes, leaving out the caller's own", async () => {
    const identity = (await call("GET", "/sync/identity")).body;
    expect(identity).toEqual({
      hubId: "hub",
      engineId: "eng_hub",
      generation: identity["generation"],
      version: "0.1.0",
      mode: "sync",
    });
    const ops = opsOf("s1", [1, 2, 3]);
    expect(await push(ops)).toEqual({
      results: ops.map(({ origin, originSeq }) => ({ origin, originSeq, outcome: "applied" })),
      applied: 3,
    });
    expect((await push(ops)).results.map(({ outcome }) => outcome)).toEqual(["duplicate", "duplicate", "duplicate"]);
    const first = (await call("GET", "/sync/pull?limit=2")).body;
    expect(first).toEqual({
      ops: ops.slice(0, 2),
      nextCursor: first["nextCursor"],
      hasMore: true,
      hubId: "hub",
      generation: identity["generation"],
    });
    const rest = (await call("GET", `/sync/pull?after=${String(first["nextCursor"])}`)).body;
    expect(rest).toMatchObject({ ops: ops.slice(2), hasMore: false });
    expect((await call("GET", "/sync/pull?maxBytes=1")).body["ops"]).toHaveLength(1);
    const own = await call("GET", "/sync/pull", undefined, { "x-sync-origin": originOf("s1") });
    expect(own.body).toMatchObject({ ops: [], hasMore: false, nextCursor: rest["nextCursor"] });
  });

  it("rejects each bad operation with its reason, takes the others, and says which is which", async () => {
    const [one, two, three] = opsOf("s1", [1, 2, 3]) as [Op, Op, Op];
    const year = (3_600_000 * 24 * 365 + hub.place.clock.nowMs).toString(16).padStart(12, "0");
    const inflated = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`o${index}`, 1]));
    const reasons = async (ops: readonly unknown[]) =>
      (await push(ops)).results.map((one) => one["reason"] ?? one["outcome"]);
    expect(await reasons([null, "x", { ...one, origin: "" }, { ...one, originSeq: 0 }])).toEqual(
      Array(4).fill("invalid_trace_id"),
    );
    expect(await reasons([{ ...one, payload: 9 }])).toEqual(["checksum_mismatch"]);
    expect(await reasons([{ ...one, smuggled: 1 }])).toEqual(["unknown_type"]);
    expect(await reasons([altered(one, { hlc: `${year}0000-eng_s1` })])).toEqual(["clock_drift"]);
    expect(await reasons([three])).toEqual(["gap"]);
    expect(await reasons([one, { ...two, clock: { ...inflated, ...two.clock } }])).toEqual(["clock_cap", "clock_cap"]);
    expect(shown(hub.place).vector).toEqual({});
    expect(await reasons([one, two, three])).toEqual(["applied", "applied", "applied"]);
    expect(await reasons([altered(two, { payload: 77 })])).toEqual(["quarantined"]);
    expect((await call("GET", "/api/ops/aside")).body).toMatchObject({ aside: [], quarantined: [{ originSeq: 2 }] });
    expect((await call("GET", "/api/records/macros/opening")).body["value"]).toBe(3);
  });
});

describe("a field that two wrote apart", () => {
  it("is contested only where they differ", async () => {
    const [same, other] = [opsOf("s2", [1])[0], opsOf("s3", [1, 2])];
    await push([...opsOf("s1", [1]), same]);
    expect((await call("GET", "/api/records/macros/opening")).body).toMatchObject({ value: 1, contested: false });
    await push(other);
    expect((await call("GET", "/api/records/macros/opening")).body).toMatchObject({ contested: true });
    expect((await call("GET", "/api/records")).body).toMatchObject({ records: [{ contested: true }] });
  });
});

describe("/sync, page by page", () => {
  it.each([2_000, 5_000, 20_000])("gives pages of at most %i bytes, whatever is written in them", async (maxBytes) => {
    const values = Array.from({ length: 40 }, (_, index) => "画面".repeat(10 * index));
    const ops = opsOf("s1", values);
    await push(ops);
    const came: unknown[] = [];
    for (let after = "", more = true; more;) {
      const answer = await fetch(`${hub.url}/sync/pull?maxBytes=${maxBytes}&after=${after}`);
      const text = await answer.text();
      const page = JSON.parse(text) as { ops: unknown[]; nextCursor: string; hasMore: boolean };
      if (page.ops.length > 1) expect(Buffer.byteLength(text)).toBeLessThanOrEqual(maxBytes);
      came.push(...page.ops);
      [after, more] = [page.nextCursor, page.hasMore];
    }
    expect(came).toEqual(ops);
  });
});

describe("/sync, attacked", () => {
  it("keeps at most 256 origins, whoever makes them up", async () => {
    const flood = Array.from({ length: 300 }, (_, index) => opsOf(`s${index}`, [index])[0]);
    for (const one of flood.slice(0, 255)) await push([one]);
    expect((await push([flood[255]])).results).toMatchObject([{ outcome: "rejected", reason: "clock_cap" }]);
    expect(Object.keys(shown(hub.place).vector)).toHaveLength(255);
    expect((await call("PUT", "/api/records/a/b", { value: 1 })).status).toBe(200);
  });

  it("lets a field be written whose change claims to have seen as many origins as a clock holds", async () => {
    const [made] = opsOf("s1", [1]) as [Op];
    const claimed = Object.fromEntries(Array.from({ length: 255 }, (_, index) => [`made-up-${index}`, 9]));
    const hostile = altered(made, { clock: { ...made.clock, ...claimed } });
    expect((await push([hostile])).results).toMatchObject([{ outcome: "applied" }]);
    expect((await call("PUT", "/api/records/macros/opening", { value: 2 })).status).toBe(200);
    expect((await call("GET", "/api/records/macros/opening")).body).toMatchObject({ value: 2, contested: false });
    expect((await call("DELETE", "/api/records/macros/opening")).status).toBe(204);
  });

  it("lets a field be written whose change claims to have seen more of this engine than there is", async () => {
    const [made] = opsOf("s1", [1]) as [Op];
    const claim = { [originOf(hub.place.name)]: 999 };
    await push([altered(made, { clock: { ...made.clock, ...claim } })]);
    expect((await call("PUT", "/api/records/macros/opening", { value: 2 })).status).toBe(200);
    expect((await call("GET", "/api/records/macros/opening")).body).toMatchObject({ value: 2, contested: false });
  });

  it("refuses a snapshot whose clock nobody can have reached, and goes on writing", async () => {
    const clock = { [originOf(hub.place.name)]: Number.MAX_SAFE_INTEGER };
    const answer = await call("POST", "/sync/push", { ops: [], snapshot: { clock, complete: true } });
    expect(answer).toMatchObject({ status: 400, body: { code: "invalid_request" } });
    expect(answer.body["detail"]).toContain(String(Number.MAX_SAFE_INTEGER));
    expect((await call("PUT", "/api/records/macros/opening", { value: 2 })).status).toBe(200);
  });

  it("refuses a body of 100 MB without holding it", async () => {
    const before = process.memoryUsage().rss;
    const answer = await fetch(`${hub.url}/sync/push`, {
      method: "POST",
      headers: { "content-type": "application/json", "content-length": String(100 * 1_048_576) },
      body: new ReadableStream({
        pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
      }),
      duplex: "half",
    }).catch((error: unknown) => error as Error);
    if (answer instanceof Response) expect(answer.status).toBe(413);
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * 1_048_576);
    expect((await call("GET", "/sync/identity")).status).toBe(200);
  });
});
