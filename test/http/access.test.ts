/** Every route against every role, from the table that the routes themselves make: a new route cannot be forgotten. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Access, EXEMPT_PATHS } from "../../src/http/access.ts";
import type { TokenRole } from "../../src/config/types.ts";
import { bearer, buildRig, OPEN, problemIn, type Rig, SECRET } from "./rig.ts";

type Asker = "nobody" | "stranger" | TokenRole;
type Gate = "open" | 401 | 403;

const GATES: Record<Access, Record<Asker, Gate>> = {
  exempt: { nobody: "open", stranger: "open", viewer: "open", operator: "open", peer: "open", spoke: "open" },
  page: { nobody: "open", stranger: "open", viewer: "open", operator: "open", peer: "open", spoke: "open" },
  view: { nobody: 401, stranger: 401, viewer: "open", operator: "open", peer: 403, spoke: 403 },
  operate: { nobody: 401, stranger: 401, viewer: 403, operator: "open", peer: 403, spoke: 403 },
  "sync-read": { nobody: 401, stranger: 401, viewer: "open", operator: "open", peer: "open", spoke: 403 },
  replicate: { nobody: 401, stranger: 401, viewer: 403, operator: 403, peer: "open", spoke: "open" },
  peer: { nobody: 401, stranger: 401, viewer: 403, operator: 403, peer: "open", spoke: 403 },
};

/** What the contract says of every path, so that a route that states the wrong access is found. */
const CONTRACT: Record<string, Access> = {
  "GET /api/peer/health": "exempt",
  "POST /api/peer/force-leader": "exempt",
  "POST /api/peer/stall": "peer",
  "GET /api/sync/health": "sync-read",
  "GET /api/sync/state-snapshot": "sync-read",
  "POST /api/sync/state-snapshot": "peer",
  "GET /api/sync/reconcile-lock": "sync-read",
  "POST /api/sync/reconcile-lock": "peer",
  "PUT /api/sync/reconcile-lock/:lockId": "peer",
  "DELETE /api/sync/reconcile-lock/:lockId": "peer",
  "POST /api/commands": "operate",
  "GET /api/commands": "view",
  "POST /engine/*": "operate",
  "PUT /engine/*": "operate",
  "PATCH /engine/*": "operate",
  "DELETE /engine/*": "operate",
  "GET /engine/*": "view",
  "GET /api/state": "view",
  "GET /api/machines": "view",
  "POST /api/handover": "operate",
  "DELETE /api/handover": "operate",
  "POST /api/backup": "operate",
  "POST /api/witness/reset": "operate",
  "POST /api/maintenance": "operate",
  "GET /api/leadership": "view",
  "GET /api/conflicts": "view",
  "POST /api/conflicts/:id/resolve": "operate",
  "GET /api/outbox": "view",
  "POST /api/outbox/:eventId/retry": "operate",
  "POST /api/outbox/:eventId/skip": "operate",
  "GET /api/records": "view",
  "GET /api/records/:entity/:field": "view",
  "PUT /api/records/:entity/:field": "operate",
  "DELETE /api/records/:entity/:field": "operate",
  "GET /api/ops": "view",
  "GET /api/ops/aside": "view",
  "POST /api/ops/aside/:origin/:originSeq/skip": "operate",
  "GET /api/peers": "view",
  "POST /api/peers/:name/pause": "operate",
  "POST /api/peers/:name/resume": "operate",
  "POST /api/peers/:name/reset": "operate",
  "GET /sync/identity": "replicate",
  "GET /sync/pull": "replicate",
  "POST /sync/compare": "replicate",
  "POST /sync/push": "replicate",
  "GET /api/origins": "view",
  "POST /api/origins/:origin/release": "operate",
  "GET /leader": "exempt",
  "OPTIONS /leader": "exempt",
  "GET /follower": "exempt",
  "OPTIONS /follower": "exempt",
  "GET /live": "exempt",
  "OPTIONS /live": "exempt",
  "POST /api/witness/adopt": "operate",
  "POST /api/reload": "operate",
  "GET /api/pair": "view",
  "POST /api/pair/adopt": "operate",
  "POST /api/pair/forget": "operate",
  "POST /api/pair/reset-numbers": "operate",
  "POST /api/outbox/resync": "operate",
  "GET /ready": "exempt",
  "OPTIONS /ready": "exempt",
  "GET /metrics": "view",
  "GET /openapi.json": "view",
  "GET /api/control/channel": "view",
  "GET /api/machines/stream": "sync-read",
  "GET /machines": "page",
  "GET /machines/": "page",
  "GET /api/peer/channel": "peer",
};

function credentials(asker: Asker): Record<string, string> {
  if (asker === "nobody") return {};
  return asker === "stranger" ? { authorization: "Bearer guessed" } : bearer(asker);
}

let rig: Rig;
beforeAll(async () => {
  rig = await buildRig();
});
afterAll(() => rig.app.close());

describe("access", () => {
  it("is what the contract says, for every route that there is", () => {
    const own = rig.app.routeTable.entries().filter(({ method, url }) => method !== "HEAD" && !url.startsWith("/docs"));
    expect(Object.fromEntries(own.map(({ method, url, access }) => [`${method} ${url}`, access]))).toEqual(CONTRACT);
  });

  it("lets everybody to the exempt paths, and to no other", () => {
    const open = rig.app.routeTable.entries().filter(({ access }) => access === "exempt");
    expect(new Set(open.map(({ url }) => url))).toEqual(EXEMPT_PATHS);
  });

  it("answers every role as its gate says, on every route", async () => {
    for (const { method, url, access } of rig.app.routeTable.entries()) {
      for (const [asker, gate] of Object.entries(GATES[access]) as [Asker, Gate][]) {
        const path = url.replace(/:\w+/, "x").replace("*", "x");
        const answer = await rig.app.inject({ method: method as "GET", url: path, headers: credentials(asker) });
        const where = `${asker}: ${method} ${path}`;
        if (url !== "/api/peer/force-leader") {
          expect([401, 403].includes(answer.statusCode), where).toBe(gate !== "open");
        }
        if (gate !== "open") expect(answer.statusCode, where).toBe(gate);
      }
    }
  });
});

describe("a token", () => {
  it("is refused before the body is read, and the coordinator hears nothing", async () => {
    rig.coordinator.calls.length = 0;
    const headers = { "content-type": "application/json" };
    const answer = await rig.app.inject({ method: "POST", url: "/api/commands", headers, payload: "{ broken" });
    problemIn(answer, 401, "unauthorized");
    expect(answer.headers["www-authenticate"]).toContain("Bearer");
    problemIn(
      await rig.call("viewer", { method: "POST", url: "/api/commands", headers, payload: "{" }),
      403,
      "forbidden",
    );
    expect(rig.coordinator.calls).toEqual([]);
  });

  it.each(["/leader/", "//leader", "/leader/x", "/api/peer/health/", "/API/peer/health", "/leader;x"])(
    "does not take %s for an exempt path",
    async (url) => {
      expect((await rig.app.inject({ url })).statusCode).toBe(404);
    },
  );

  it.each(["Basic dmlld2VyOng=", "Bearer", "Bearer ", "Bearer a b", "token-of-viewer", "Bearer token-of-viewerx"])(
    "takes %j for no token",
    async (authorization) => {
      problemIn(await rig.app.inject({ url: "/api/state", headers: { authorization } }), 401, "unauthorized");
    },
  );

  it("reads the scheme whatever its case", async () => {
    const headers = { authorization: "bearer token-of-viewer" };
    expect((await rig.app.inject({ url: "/api/state", headers })).statusCode).toBe(200);
  });

  it("never shows a secret", async () => {
    const answers = await Promise.all([
      rig.app.inject({ url: "/api/state", headers: { authorization: "Bearer hunter2-guess" } }),
      rig.call("peer", { method: "POST", url: "/api/commands", payload: {} }),
      rig.app.inject({
        method: "POST",
        url: "/api/peer/force-leader",
        headers: { "x-control-plane-secret": "hunter2" },
      }),
      rig.get("/metrics"),
      rig.get("/openapi.json"),
    ]);
    const said =
      answers.map((answer) => answer.body + JSON.stringify(answer.headers)).join() + JSON.stringify(rig.log.lines);
    for (const secret of ["hunter2", "token-of-", SECRET]) expect(said).not.toContain(secret);
  });
});

describe("open mode", () => {
  it("lets everybody do everything", async () => {
    const open = await buildRig({ secrets: OPEN });
    for (const { method, url, access } of open.app.routeTable.entries()) {
      const answer = await open.app.inject({ method: method as "GET", url: url.replace(/:\w+|\*/, "x") });
      expect([401, 403], `${method} ${url} ${access}`).not.toContain(answer.statusCode);
    }
    await open.app.close();
  });

  it("does not lend a page of another site its reach to this host", async () => {
    const open = await buildRig({ secrets: OPEN });
    const from = (origin: string) =>
      open.app.inject({ method: "POST", url: "/engine/api/switch/ftb", headers: { origin } });
    problemIn(await from("https://evil.example"), 403, "forbidden");
    problemIn(await from("null"), 403, "forbidden");
    expect((await from("http://127.0.0.1:5173")).statusCode).toBe(200);
    expect((await from("http://localhost:7401")).statusCode).toBe(200);
    await open.app.close();
  });
});
