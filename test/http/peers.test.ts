/** `/api/peers` over HTTP: shapes and refusals; what modes mean to callers of `/sync`. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Replication } from "../../src/replication/replication.ts";
import { newKey, peerPort } from "../support/federation.ts";
import { makePlace, type Place } from "../support/replication-node.ts";
import { buildRig, OPEN, type Rig } from "./rig.ts";

let rig: Rig;
let place: Place;
const there = makePlace({ name: "there" });

async function build(init: Parameters<typeof makePlace>[0], secrets?: typeof OPEN): Promise<void> {
  place = makePlace(init);
  rig = await buildRig(secrets === undefined ? {} : { secrets });
  (rig.coordinator as { replication: Replication }).replication = place.replication;
}

beforeEach(() =>
  build({ name: "here", signatures: newKey(), federation: [peerPort("west", there.wayFor("rec_here"))] }),
);
afterEach(async () => {
  place.replication.stop();
  await rig.app.close();
});

describe("/api/peers", () => {
  it("shows this engine by a fingerprint, and each peer", async () => {
    const answer = await rig.get("/api/peers");
    expect(answer.statusCode).toBe(200);
    const { fingerprint } = answer.json<{ fingerprint: string }>();
    expect(answer.json()).toMatchObject({
      name: "here",
      engineId: "eng_here",
      access: "keyed",
      mode: "sync",
      signatures: "off",
      peers: [{ name: "west", endpoint: "test:west", mode: "sync", health: null, keys: [] }],
    });
    expect(fingerprint).toMatch(/^sha256:[0-9a-f]{32}$/);
  });

  it("pauses, resumes and resets; an unknown peer is 404, an unknown field 400", async () => {
    const call = (path: string, payload?: object) =>
      rig.call("operator", { method: "POST", url: path, ...(payload === undefined ? {} : { payload }) });
    expect((await call("/api/peers/west/pause")).json()).toMatchObject({ name: "west", mode: "paused" });
    expect((await call("/api/peers/west/resume")).json()).toMatchObject({ mode: "sync" });
    for (const body of [undefined, {}, { keyRotated: true }]) {
      expect((await call("/api/peers/west/reset", body)).json()).toMatchObject({ peer: { name: "west" } });
    }
    expect((await call("/api/peers/west/reset", { keyRotated: 1 })).statusCode).toBe(400);
    expect((await call("/api/peers/west/reset", { all: true })).json()).toMatchObject({ code: "invalid_request" });
    for (const what of ["pause", "resume", "reset"]) {
      const answer = await call(`/api/peers/nobody/${what}`);
      expect(answer.statusCode).toBe(404);
      expect(answer.json()).toMatchObject({ code: "peer_not_found", name: "nobody" });
    }
    expect((await rig.call("viewer", { method: "POST", url: "/api/peers/west/reset" })).statusCode).toBe(403);
    expect((await rig.call("peer", { method: "GET", url: "/api/peers" })).statusCode).toBe(403);
  });
});

describe("federation.mode", () => {
  it("subscribe serves nobody, but says who it is", async () => {
    await build({ name: "here", init: { mode: "subscribe" } });
    const call = (method: "GET" | "POST", url: string, payload?: object) =>
      rig.call("peer", { method, url, ...(payload === undefined ? {} : { payload }) });
    expect((await call("GET", "/sync/identity")).json()).toMatchObject({ mode: "subscribe" });
    for (const answer of [await call("GET", "/sync/pull"), await call("POST", "/sync/push", { ops: [] })]) {
      expect(answer.statusCode).toBe(409);
      expect(answer.json()).toMatchObject({ code: "not_serving" });
    }
  });

  it("publish asks nobody: there is nothing to pause", async () => {
    await build({ name: "here", init: { mode: "publish" }, federation: [peerPort("west", there.wayFor("rec_here"))] });
    const answer = await rig.post("/api/peers/west/pause");
    expect(answer.statusCode).toBe(409);
    expect(answer.json()).toMatchObject({ code: "not_pulling" });
  });
});

it("the identity has more than the contract says only for one that gives a challenge", async () => {
  const plain = (await rig.call("peer", { method: "GET", url: "/sync/identity" })).json<object>();
  expect(Object.keys(plain).sort()).toEqual(["engineId", "generation", "hubId", "mode", "version"]);
  const asked = (await rig.call("peer", { method: "GET", url: "/sync/identity?challenge=c1" })).json<object>();
  expect(Object.keys(asked).sort()).toEqual(
    [...Object.keys(plain), "clock", "held", "key", "proof", "unixMs", "heads"].sort(),
  );
  expect((await rig.call("peer", { method: "GET", url: "/sync/identity?challenge=" })).statusCode).toBe(400);
});

it("without tokens the access is open", async () => {
  await build({ name: "here" }, OPEN);
  expect((await rig.call(null, { method: "GET", url: "/api/peers" })).json()).toMatchObject({
    access: "open",
    fingerprint: null,
  });
});
