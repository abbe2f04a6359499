/** `/sync` of a running hub under hostile input, over real HTTP: nothing is taken, nothing ends, and each refusal says why. */
import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makePlace, shown, wired } from "../support/replication-node.ts";
import { type HubServer, startHub } from "./hub-server.ts";

const SPOKE = "token-of-one";
let hub: HubServer;
beforeAll(async () => {
  const tokens = [
    { name: "one", role: "spoke" as const, value: SPOKE },
    { name: "look", role: "viewer" as const, value: "token-of-look" },
  ];
  hub = await startHub({ init: { maxOriginsPerToken: 3 } }, 0, { tokens, controlPlaneSecret: null });
});
afterAll(() => hub.close());

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** Sends exactly these bytes: `fetch` would correct some of them. */
function send(method: string, path: string, body: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const usual = { authorization: `Bearer ${SPOKE}`, "content-type": "application/json", connection: "close" };
    const call = request(hub.url + path, { method, agent: false, headers: { ...usual, ...headers } }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (piece: string) => (text += piece));
      answer.on("end", () =>
        resolve({ status: answer.statusCode ?? 0, body: JSON.parse(text || "null") as Record<string, unknown> }),
      );
    });
    call.on("error", reject).end(body);
  });
}

const place = makePlace({ name: "hostile" });
place.replication.records.set("macros", "x", 1);
const good = wired(place.replication.records.log("", 1).ops[0]?.op) as unknown as Record<string, unknown>;

const WRONG: Readonly<Record<string, readonly unknown[]>> = {
  origin: ["", " ", "a b", "ü", "x".repeat(65), 7, null, "__proto__", "hub", "\u0000"],
  originSeq: [0, -1, 1.5, 2 ** 53, 1e308, "1", null, true],
  epoch: [-1, 1.5, 2 ** 53, "1", null],
  hlc: ["", "x", "9".repeat(300), 7, null, "99999999999999-0000-hostile"],
  kind: ["", "SET", "drop", 1, null],
  entity: ["", "x".repeat(129), 1, null, "\ud800"],
  field: ["", "x".repeat(129), {}, null],
  clock: [null, [], { hostile: -1 }, { hostile: 1.5 }, { hostile: 2 ** 53 }, { "": 1 }, { hostile: "1" }],
  checksum: ["", "0".repeat(64), "Z".repeat(64), null, 7],
};

describe("POST /sync/push", () => {
  it.each(Object.entries(WRONG).flatMap(([field, values]) => values.map((value) => [field, value] as const)))(
    "an operation whose %s is %j is rejected with a reason, and changes nothing",
    async (field, value) => {
      const before = shown(hub.place);
      const { status, body } = await send("POST", "/sync/push", JSON.stringify({ ops: [{ ...good, [field]: value }] }));
      if (status === 200) {
        const results = body["results"] as { outcome: string; reason?: string }[];
        expect(results).toHaveLength(1);
        expect(results[0]?.outcome).toBe("rejected");
        expect(results[0]?.reason).toMatch(/\w/);
      } else {
        expect([400, 403]).toContain(status);
        expect(body["detail"]).toMatch(/\w/);
      }
      expect(shown(hub.place)).toEqual(before);
    },
  );

  it.each<[string, string, Record<string, string>, number, string]>([
    ["no JSON", "{", {}, 400, "invalid_json"],
    ["NaN", '{"ops":[NaN]}', {}, 400, "invalid_json"],
    ["a number beyond a double", '{"ops":[{"originSeq":1e400}]}', {}, 400, "invalid_json"],
    ["a key twice", '{"ops":[],"ops":[]}', {}, 400, "invalid_json"],
    ["__proto__", '{"ops":[],"__proto__":{}}', {}, 400, "invalid_json"],
    ["a list", "[]", {}, 400, "invalid_request"],
    ["null", "null", {}, 400, "invalid_request"],
    ["no operations", "{}", {}, 400, "invalid_request"],
    ["an unknown field", '{"ops":[],"force":true}', {}, 400, "invalid_request"],
    ["too many", `{"ops":[${"0,".repeat(20_000)}0]}`, {}, 400, "invalid_request"],
    [
      "a snapshot with a negative clock",
      '{"ops":[],"snapshot":{"clock":{"a":-1},"complete":true}}',
      {},
      400,
      "invalid_request",
    ],
    ["another type", '{"ops":[]}', { "content-type": "text/plain" }, 415, "unsupported_media_type"],
    ["a coding", '{"ops":[]}', { "content-encoding": "gzip" }, 415, "unsupported_media_type"],
    ["an origin that is none", '{"ops":[]}', { "x-sync-origin": "a b" }, 400, "invalid_request"],
    ["a foreign token", '{"ops":[]}', { authorization: "Bearer nobody" }, 401, "unauthorized"],
    ["no token", '{"ops":[]}', { authorization: "" }, 401, "unauthorized"],
    ["a viewer's token", '{"ops":[]}', { authorization: "Bearer token-of-look" }, 403, "forbidden"],
  ])("a body with %s", async (_what, text, headers, status, code) => {
    const before = shown(hub.place);
    const answer = await send("POST", "/sync/push", text, headers);
    expect(answer).toMatchObject({ status, body: { code } });
    expect(answer.body["error"]).toBe(answer.body["detail"]);
    expect(shown(hub.place)).toEqual(before);
  });
});

describe("GET /sync/pull and /sync/identity", () => {
  it.each([
    "after=-1",
    "after=1.5",
    "after=%00",
    "after=%C3%BC",
    `after=${"9".repeat(400)}`,
    "held=x y",
    "limit=0",
    "limit=-1",
    "limit=1e9",
    "limit=NaN",
    "limit=",
    "limit=1&limit=2",
    "maxBytes=0",
    "maxBytes=99999999999999999999",
  ])("%s is refused by name", async (query) => {
    const { status, body } = await send("GET", `/sync/pull?${query}`, "");
    expect([status, body["code"]]).toEqual([400, "invalid_request"]);
    expect(body["detail"]).toContain(query.split("=")[0]);
  });

  it.each(["x".repeat(5_000), "%00", "%F0%9F%92%A9"])(
    "a challenge like %.10s is refused or signed, and no more",
    async (text) => {
      const { status, body } = await send("GET", `/sync/identity?challenge=${text}`, "");
      expect([200, 400]).toContain(status);
      if (status === 400) expect(body["detail"]).toContain("challenge");
    },
  );
});

describe("POST /sync/compare", () => {
  it.each([
    { heads: { "a b": { n: 1, head: null } } },
    { heads: { a: { n: -1, head: null } } },
    { heads: { a: { n: 1e300, head: "zz" } } },
    { heads: Object.fromEntries(Array.from({ length: 257 }, (_, at) => [`o${at}`, { n: 1, head: null }])) },
    {},
  ])("digests that are none are refused by name (%#)", async (body) => {
    const answer = await send("POST", "/sync/compare", JSON.stringify(body));
    expect(answer).toMatchObject({ status: 400, body: { code: "invalid_request" } });
    expect(answer.body["detail"]).toContain("heads");
  });
});

it("after all of it a good operation is taken", async () => {
  const { status, body } = await send("POST", "/sync/push", JSON.stringify({ ops: [good] }));
  expect([status, body["applied"]]).toEqual([200, 1]);
});
