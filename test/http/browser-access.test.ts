/** H6: which pages in a browser reach this surface: Host in open mode, CORS, and the Origin of sockets. */
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { waitUntil } from "../support/wait-until.ts";
import { bearer, buildRig, OPEN, problemIn, type Rig } from "./rig.ts";

const PANEL = "https://panel.example:8443";
let rig: Rig;
afterEach(() => rig.app.close());

describe("in open mode", () => {
  it.each(["evil.example:7401", "evil.example", "10.0.0.7:7401", "127.0.0.1.evil.example", "[fe80::1]:7401", "::1"])(
    "H6: the host %j gets 421 on every path",
    async (host) => {
      rig = await buildRig({ secrets: OPEN });
      for (const url of [
        "/api/state",
        "/leader",
        "/live",
        "/api/peer/health",
        "/openapi.json",
        "/machines/",
        "/none",
      ]) {
        problemIn(await rig.app.inject({ url, headers: { host } }), 421, "misdirected_request");
      }
      expect(rig.coordinator.calls.filter(([name]) => name !== "state")).toEqual([]);
    },
  );

  it.each(["127.0.0.1:7401", "localhost", "LocalHost:80", "[::1]:7401", "127.9.9.9"])(
    "the host %s is this one",
    async (host) => {
      rig = await buildRig({ secrets: OPEN });
      expect((await rig.app.inject({ url: "/api/state", headers: { host } })).statusCode).toBe(200);
    },
  );

  it("H6: a socket for another host gets 421", async () => {
    rig = await buildRig({ secrets: OPEN });
    expect(await dial("/api/control/channel", { headers: { host: "evil.example" } })).toBe(421);
    expect(await dial("/api/control/channel", {})).toBe(101);
  });
});

describe("http.cors.origins", () => {
  it("answers preflights without a token, and lets the page read the answer", async () => {
    rig = await buildRig({ corsOrigins: [PANEL] });
    const asked = { origin: PANEL, "access-control-request-method": "GET" };
    const preflight = await rig.app.inject({ method: "OPTIONS", url: "/api/sync/health", headers: asked });
    expect(preflight.statusCode).toBe(204);
    expect(preflight.headers["access-control-allow-origin"]).toBe(PANEL);
    const answer = await rig.app.inject({ url: "/api/sync/health", headers: { ...bearer("viewer"), origin: PANEL } });
    expect([answer.statusCode, answer.headers["access-control-allow-origin"]]).toEqual([200, PANEL]);
    const refused = await rig.app.inject({ url: "/api/sync/health", headers: { origin: PANEL } });
    expect([refused.statusCode, refused.headers["access-control-allow-origin"]]).toEqual([401, PANEL]);
  });

  it("allows no other origin, and none unless configured", async () => {
    rig = await buildRig({ corsOrigins: [PANEL] });
    const from = { ...bearer("viewer"), origin: "https://evil.example" };
    const answer = await rig.app.inject({ url: "/api/sync/health", headers: from });
    expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
    await rig.app.close();
    rig = await buildRig({});
    const unasked = await rig.app.inject({ url: "/api/sync/health", headers: { ...bearer("viewer"), origin: PANEL } });
    expect(unasked.headers["access-control-allow-origin"]).toBeUndefined();
  });

  it("leaves unknown paths and wrong methods as they are", async () => {
    rig = await buildRig({ corsOrigins: [PANEL] });
    problemIn(await rig.app.inject({ url: "/none", headers: bearer("viewer") }), 404, "not_found");
    const wrong = await rig.app.inject({ method: "PUT", url: "/api/state", headers: bearer("viewer") });
    expect([wrong.statusCode, wrong.headers.allow]).toEqual([405, "GET, HEAD"]);
    const options = await rig.app.inject({ method: "OPTIONS", url: "/api/state", headers: bearer("viewer") });
    expect([options.statusCode, options.headers.allow]).toEqual([405, "GET, HEAD"]);
  });

  it("leaves an OPTIONS that is no preflight to the probes", async () => {
    rig = await buildRig({ corsOrigins: [PANEL] });
    const get = await rig.app.inject({ url: "/leader" });
    const options = await rig.app.inject({ method: "OPTIONS", url: "/leader" });
    expect([options.statusCode, options.body]).toEqual([get.statusCode, get.body]);
    const fromPage = await rig.app.inject({ method: "OPTIONS", url: "/leader", headers: { origin: PANEL } });
    expect([fromPage.statusCode, fromPage.headers["access-control-allow-origin"]]).toEqual([get.statusCode, PANEL]);
  });

  it("holds for sockets too", async () => {
    rig = await buildRig({ corsOrigins: [PANEL] });
    const headers = bearer("operator");
    expect(await dial("/api/control/channel", { headers, origin: "https://evil.example" })).toBe(403);
    expect(await dial("/api/control/channel", { headers, origin: PANEL })).toBe(101);
    expect(await dial("/api/control/channel", { headers })).toBe(101);
  });

  it("opens open mode to the pages that it lists", async () => {
    rig = await buildRig({ secrets: OPEN, corsOrigins: [PANEL] });
    expect((await rig.app.inject({ url: "/api/state", headers: { origin: PANEL } })).statusCode).toBe(200);
    problemIn(await rig.app.inject({ url: "/api/state", headers: { origin: "https://x.example" } }), 403, "forbidden");
  });
});

/** The status with which an upgrade is answered. */
async function dial(path: string, options: { headers?: Record<string, string>; origin?: string }): Promise<number> {
  if (!rig.app.server.listening) await rig.app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = rig.app.server.address() as { port: number };
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, options);
  let status = 0;
  socket
    .on("error", () => undefined)
    .on("unexpected-response", (_request, response) => (status = response.statusCode ?? 0))
    .on("open", () => (status = 101));
  await waitUntil(() => status !== 0);
  socket.terminate();
  return status;
}
