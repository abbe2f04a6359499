/** Refusals that belong to no route: unknown paths, wrong methods, bad bodies, what breaks inside. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ChangeoverError } from "../../src/core/errors.ts";
import { BODY_LIMIT_BYTES } from "../../src/http/limits.ts";
import * as sample from "../support/samples.ts";
import { buildRig, problemIn, type Rig, SECRET } from "./rig.ts";

let rig: Rig;
beforeAll(async () => {
  rig = await buildRig();
});
afterAll(() => rig.app.close());
beforeEach(() => {
  rig.coordinator.broken = null;
});

const command = { kind: "POST /api/switch/cut", payload: {} };
const raw = (body: string | Buffer, type = "application/json", url = "/api/commands") =>
  rig.call("operator", { method: "POST", url, headers: { "content-type": type }, payload: body });

describe("paths and methods", () => {
  it.each(["/nothing", "/", "/api", "/engine", "/api/commands/1", "/api/sync/reconcile-lock/a/b"])(
    "404 for %s, with and without a token",
    async (url) => {
      problemIn(await rig.app.inject({ url }), 404, "not_found");
      problemIn(await rig.call("operator", { url }), 404, "not_found");
    },
  );

  it.each([
    ["DELETE", "/api/commands", "GET, HEAD, POST"],
    ["POST", "/leader", "GET, HEAD, OPTIONS"],
    ["GET", "/api/handover", "DELETE, POST"],
    ["OPTIONS", "/api/state", "GET, HEAD"],
    ["PATCH", "/api/sync/reconcile-lock/lock_1?x=1", "DELETE, PUT"],
    ["OPTIONS", "/engine/api/switch/cut", "DELETE, GET, HEAD, PATCH, POST, PUT"],
    ["GET", "/api/peer/force-leader", "POST"],
  ] as const)("405 with Allow for %s %s", async (method, url, allow) => {
    const answer = await rig.app.inject({ method, url });
    problemIn(answer, 405, "method_not_allowed");
    expect(answer.headers.allow).toBe(allow);
  });

  it.each([
    ["bad JSON", { headers: { "content-type": "application/json" }, payload: "{" }],
    ["another type", { headers: { "content-type": "text/plain" }, payload: "x" }],
    ["a coding", { headers: { "content-type": "application/json", "content-encoding": "gzip" }, payload: "{}" }],
    ["too many bytes", { headers: { "content-type": "application/json" }, payload: " ".repeat(BODY_LIMIT_BYTES + 1) }],
    ["no type", { payload: "x" }],
  ] as const)("a wrong path or method is told whatever the body: %s", async (_what, sent) => {
    for (const method of ["POST", "DELETE", "QUERY"] as const) {
      const wrongMethod = await rig.app.inject({ method: method as "POST", url: "/leader", ...sent });
      problemIn(wrongMethod, 405, "method_not_allowed");
      expect(wrongMethod.headers.allow).toBe("GET, HEAD, OPTIONS");
      problemIn(await rig.app.inject({ method: method as "POST", url: "/nothing", ...sent }), 404, "not_found");
    }
  });

  it("every page that answers GET says so to a wrong method", async () => {
    for (const url of ["/docs", "/docs/", "/machines", "/machines/", "/openapi.json"]) {
      const answer = await rig.app.inject({ method: "POST", url, payload: {} });
      problemIn(answer, 405, "method_not_allowed");
      expect([url, answer.headers.allow]).toEqual([url, "GET, HEAD"]);
    }
  });

  it("every route that changes something says what its body may hold; the engine alone knows what its calls hold", () => {
    const { paths } = rig.app.swagger() as unknown as { paths: Record<string, Record<string, object>> };
    const writes = Object.entries(paths).flatMap(([path, operations]) =>
      Object.entries(operations)
        .filter(([method]) => ["post", "put", "patch", "delete"].includes(method))
        .map(([method, operation]) => [`${method} ${path}`, "requestBody" in operation] as const),
    );
    expect(writes.length).toBeGreaterThan(30);
    const silent = writes.flatMap(([route, hasBody]) => (hasBody || route.endsWith(" /engine/{path}") ? [] : [route]));
    expect(silent).toEqual([]);
  });

  it("401 says how to show who calls", async () => {
    const url = "/api/peer/force-leader";
    const secret = await rig.app.inject({ method: "POST", url, headers: { "x-control-plane-secret": "wrong" } });
    expect(secret.headers["www-authenticate"]).toBe('X-Control-Plane-Secret realm="changeover"');
  });

  it("400 for a path that cannot be decoded", async () => {
    problemIn(await rig.app.inject({ url: "/api/%zz" }), 400, "invalid_request");
  });
});

describe("bodies", () => {
  it.each(["gzip", "br", "x-odd"])("415 for a body in the content-encoding %s, and says so", async (coding) => {
    const headers = { "content-type": "application/json", "content-encoding": coding };
    const url = "/api/commands";
    const answer = await rig.call("operator", { method: "POST", url, headers, payload: "{}" });
    const { detail } = problemIn(answer, 415, "unsupported_media_type") as { readonly detail: string };
    expect(detail).toContain(`content-encoding is ${coding}`);
  });

  it.each([
    ["", "nothing"],
    ["{", "half an object"],
    ['{"kind":"x","payload":1', "a truncated object"],
    ['{"kind":"x","payload":1}}', "a bracket too many"],
    ['{"kind":"x","kind":"y","payload":1}', "a repeated key"],
    ['{"kind":"x","payload":{"__proto__":1}}', "__proto__"],
    ['{"kind":"x","payload":"\\ud800"}', "a lone surrogate"],
    [`{"kind":"x","payload":${"[".repeat(200)}${"]".repeat(200)}}`, "deep nesting"],
    ["[1,2]", "an array"],
    ["null", "null"],
  ])("400 for %j (%s)", async (body) => {
    const answer = await raw(body);
    expect(answer.statusCode).toBe(400);
    expect(["invalid_json", "invalid_request"]).toContain(answer.json<{ code: string }>().code);
    expect(rig.coordinator.argsOf("submit")).toEqual([]);
  });
});

describe("fields, media types and sizes", () => {
  it("400 for bytes that are not UTF-8", async () => {
    problemIn(await raw(Buffer.from([0x22, 0xff, 0x22])), 400, "invalid_json");
  });

  it("400 that names the unknown field, the missing field, the value and the bound", async () => {
    const said = async (body: object, url = "/api/commands") =>
      problemIn(await rig.post(url, body), 400, "invalid_request");
    expect(await said({ ...command, prio: 1 })).toMatchObject({
      field: "/prio",
      detail: "body/prio: is an unknown field",
    });
    expect(await said({ kind: "x" })).toMatchObject({ field: "/payload", detail: "body/payload: is missing" });
    expect(await said({ ...command, ack: "both" })).toMatchObject({
      field: "/ack",
      detail: 'body/ack: is "both", must be one of "pair", "local"',
    });
    expect(await said({ ttlMs: 120_001 }, "/api/sync/reconcile-lock")).toMatchObject({
      field: "/ttlMs",
      detail: "body/ttlMs: is 120001, must be <= 120000",
    });
  });

  it.each([
    ["DELETE", "/api/records/e/f"],
    ["POST", "/api/ops/aside/x/1/skip"],
  ] as const)("400 for an unknown field also where nothing is to be said: %s %s", async (method, url) => {
    const answer = await rig.call("operator", { method, url, payload: { x: 1 } });
    expect(problemIn(answer, 400, "invalid_request")).toMatchObject({ field: "/x" });
  });

  it("400 for null where a body may be left out: it is no object", async () => {
    problemIn(await raw("null", "application/json", "/api/handover"), 400, "invalid_request");
    expect(rig.coordinator.argsOf("handover")).toEqual([]);
  });

  it("does not take a text for a number in a body, but does in a query", async () => {
    problemIn(await rig.post("/api/commands", { ...command, executeAtUs: "5" }), 400, "invalid_request");
    expect((await rig.get("/api/commands?afterSeq=5&limit=2")).statusCode).toBe(200);
    expect(rig.coordinator.argsOf("commands").at(-1)).toEqual([5, 2]);
  });

  it.each(["limit=0", "limit=1001", "limit=1.5", "limit=x", "afterSeq=-1", "limit=", "limit=1&limit=2", "limit=1e400"])(
    "400 for the query %s",
    async (query) => {
      problemIn(await rig.get(`/api/commands?${query}`), 400, "invalid_request");
    },
  );

  it.each(["text/plain", "application/x-www-form-urlencoded", "application/xml", "nonsense"])(
    "415 for %s",
    async (type) => {
      problemIn(await raw("a=b", type), 415, "unsupported_media_type");
    },
  );

  it("413 beyond 1 MB", async () => {
    const answer = await raw(JSON.stringify({ ...command, payload: "x".repeat(BODY_LIMIT_BYTES) }));
    problemIn(answer, 413, "payload_too_large");
    expect(answer.json()).toMatchObject({ detail: `the body is over the limit of ${BODY_LIMIT_BYTES} bytes` });
  });
});

describe("the coordination endpoints are tolerant", () => {
  const lockUrl = "/api/sync/reconcile-lock";
  const calls = [
    { method: "POST", url: lockUrl, role: "peer", fields: { holder: "h" } },
    { method: "PUT", url: `${lockUrl}/${sample.lockId}`, role: "peer", fields: { ttlMs: 5_000 } },
    { method: "DELETE", url: `${lockUrl}/${sample.lockId}`, role: "peer", fields: {} },
    { method: "POST", url: "/api/peer/force-leader", role: null, fields: { mode: "immediate" } },
  ] as const;
  const asked = ({ method, url, role }: (typeof calls)[number], body: string) => {
    const headers = { "content-type": "application/json", "x-control-plane-secret": SECRET };
    return rig.call(role, { method, url, headers, payload: body });
  };

  it.each(calls)("$method $url ignores unknown fields and takes null for no body", async (call) => {
    for (const body of ["null", " null ", JSON.stringify({ ...call.fields, unknown: { deep: [1] } })]) {
      const answer = await asked(call, body);
      expect([200, 204], answer.body).toContain(answer.statusCode);
    }
    for (const body of ["[]", "5", '"null"', "{"]) expect((await asked(call, body)).statusCode, body).toBe(400);
  });

  it("a known field with a wrong value is still refused", async () => {
    const answer = await asked(calls[0], JSON.stringify({ holder: "", unknown: 1 }));
    expect(problemIn(answer, 400, "invalid_request")).toMatchObject({ field: "/holder" });
  });
});

describe("/api/v1", () => {
  it("answers as /api does, with the same access, on every route", async () => {
    const urls = [...new Set(rig.app.routeTable.entries().map(({ url }) => url))].filter((url) =>
      url.startsWith("/api/"),
    );
    expect(urls.length).toBeGreaterThan(30);
    for (const { method, url } of rig.app.routeTable.entries()) {
      if (!url.startsWith("/api/") || method === "HEAD") continue;
      const path = url.replaceAll(/:\w+/g, "x");
      for (const role of [null, "viewer", "operator", "peer"] as const) {
        const ask = (at: string) => rig.call(role, { method: method, url: `${at}?limit=5` });
        const [plain, versioned] = [await ask(path), await ask(path.replace("/api/", "/api/v1/"))];
        expect([versioned.statusCode, versioned.body], `${method} ${path}`).toEqual([plain.statusCode, plain.body]);
      }
    }
  });

  it("knows methods, unknown paths and no second version", async () => {
    const answer = await rig.app.inject({ method: "DELETE", url: "/api/v1/commands" });
    problemIn(answer, 405, "method_not_allowed");
    expect(answer.headers.allow).toBe("GET, HEAD, POST");
    for (const url of [
      "/api/v1",
      "/api/v1/",
      "/api/v1/nothing",
      "/api/v1/v1/state",
      "/v1/api/state",
      "/api/v2/state",
    ]) {
      problemIn(await rig.get(url), 404, "not_found");
    }
    expect((await rig.app.inject("/api/v1/peer/health")).statusCode).toBe(200);
  });
});

describe("what breaks inside", () => {
  it("500 without a word of the cause, which is in the log under the request id", async () => {
    rig.coordinator.broken = new Error("the secret sauce is off");
    const answer = await rig.get("/api/state");
    problemIn(answer, 500, "internal_error");
    expect(answer.body).not.toContain("sauce");
    const line = rig.log.lines.at(-1);
    expect(line).toMatchObject({ level: "error", message: "request failed" });
    expect(line?.fields["requestId"]).toBe(answer.headers["x-request-id"]);
  });

  it.each([
    ["store_full", 503, "store_failed"],
    ["engine_not_ready", 503, "engine_not_ready"],
    ["stopped", 503, "stopping"],
    ["invalid_value", 400, "invalid_request"],
    ["store_corrupt", 500, "internal_error"],
  ] as const)("an error %s is %i %s", async (code, status, word) => {
    rig.coordinator.broken = new ChangeoverError(code, "told");
    problemIn(await rig.post("/api/commands", command), status, word);
  });
});

describe("X-Request-Id", () => {
  const idFor = async (given?: string) => {
    const headers = given === undefined ? {} : { "x-request-id": given };
    return (await rig.app.inject({ url: "/live", headers })).headers["x-request-id"];
  };

  it("is the caller's own where that is harmless, else a fresh one, on every answer", async () => {
    expect(await idFor("show-42:cut/7")).toBe("show-42:cut/7");
    const fresh = [await idFor(), await idFor(), await idFor("a b"), await idFor("x".repeat(129)), await idFor("ä")];
    expect(new Set(fresh).size).toBe(fresh.length);
    for (const id of fresh) expect(id).toMatch(/^req_/);
  });
});
