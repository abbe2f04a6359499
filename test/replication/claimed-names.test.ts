/** `/sync` with tokens: who says to be another one takes nothing away from that other one. */
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Op } from "../../src/core/operation.ts";
import { makePlace, originOf, wired } from "../support/replication-node.ts";
import { type HubServer, startHub } from "./hub-server.ts";

const TOKENS = ["victim", "liar"].map((name) => ({ name, role: "peer" as const, value: `token-of-${name}` }));

let hub: HubServer;
beforeEach(async () => {
  hub = await startHub({}, 0, { tokens: TOKENS, controlPlaneSecret: null });
});
afterEach(() => hub.close());

async function call(token: string, method: string, path: string, body?: unknown) {
  const answer = await fetch(hub.url + path, {
    method,
    headers: {
      authorization: `Bearer token-of-${token}`,
      "x-sync-origin": originOf("victim"),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  expect(answer.status).toBe(200);
  return (await answer.json()) as { readonly ops: readonly Op[]; readonly nextCursor: string };
}

function opsOf(name: string, values: readonly unknown[]): Op[] {
  const place = makePlace({ name });
  for (const value of values) place.replication.records.set("macros", name, value as never);
  return place.replication.records.log("", 1_000).ops.map(({ op }) => wired(op) as unknown as Op);
}

it("what was pushed under another's name is not hidden from that one, only from who pushed it", async () => {
  const ops = opsOf("third", [1, 2]);
  await call("liar", "POST", "/sync/push", { ops });
  expect((await call("victim", "GET", "/sync/pull")).ops).toEqual(ops);
  expect((await call("liar", "GET", "/sync/pull")).ops).toEqual([]);
});

it("what a caller made itself is left out, whoever brought it", async () => {
  await call("liar", "POST", "/sync/push", { ops: opsOf("victim", [1]) });
  expect((await call("victim", "GET", "/sync/pull")).ops).toEqual([]);
});

it("nobody acknowledges for another: what that one lacks is not compacted away", async () => {
  for (const value of [1, 2, 3]) hub.place.replication.records.set("macros", "opening", value);
  await call("victim", "GET", "/sync/pull");
  const { nextCursor } = await call("liar", "GET", "/sync/pull");
  await call("liar", "GET", `/sync/pull?after=${nextCursor}`);
  expect(hub.place.replication.hub.compact()).toBe(0);
  await call("victim", "GET", `/sync/pull?after=${nextCursor}`);
  expect(hub.place.replication.hub.compact()).toBe(2);
});
