/** `POST /api/peer/force-leader`: the order of its checks, and the bound on wrong secrets. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SystemClock } from "../../src/adapters/basics.ts";
import { MAX_WATCHED_ADDRESSES } from "../../src/http/limits.ts";
import { WrongSecrets } from "../../src/http/access.ts";
import * as sample from "../support/samples.ts";
import { buildRig, problemIn, type Rig, SECRET, SECRETS } from "./rig.ts";

/** Goes on by itself, and further when told. */
class PushedClock extends SystemClock {
  aheadMs = 0;
  override monoMs(): number {
    return super.monoMs() + this.aheadMs;
  }
}

const url = "/api/peer/force-leader";
let rig: Rig;
let clock: PushedClock;
beforeEach(async () => {
  clock = new PushedClock();
  rig = await buildRig({ clock });
});
afterEach(() => rig.app.close());

const force = (secret: string | null, payload?: unknown, remoteAddress = "10.0.0.1") =>
  rig.app.inject({
    method: "POST",
    url,
    remoteAddress,
    headers: secret === null ? {} : { "x-control-plane-secret": secret },
    ...(payload === undefined ? {} : { payload: payload as object }),
  });

describe("[A12] force-leader", () => {
  it("200 with the coordinator's answer, without any bearer token", async () => {
    const answer = await force(SECRET, {
      mode: "immediate",
      reason: "show must go on",
      requestId: "r-1",
      expectedEpoch: 8,
    });
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual(sample.forcedAnswer);
    expect(rig.coordinator.argsOf("forceLeader")).toEqual([
      [
        {
          mode: "immediate",
          reason: "show must go on",
          requestId: "r-1",
          expectedEpoch: 8,
          acceptDualAir: false,
          by: "control-plane",
        },
      ],
    ]);
  });

  it.each([
    ["no body", {}, undefined],
    ["an empty body", { "content-type": "application/json" }, ""],
    ["an empty form", { "content-type": "application/x-www-form-urlencoded", "content-length": "0" }, undefined],
    ["an empty object", { "content-type": "application/json" }, "{}"],
  ])("takes %s for a graceful request", async (_what, headers, payload) => {
    const answer = await rig.app.inject({
      method: "POST",
      url,
      headers: { ...headers, "x-control-plane-secret": SECRET },
      ...(payload === undefined ? {} : { payload }),
    });
    expect(answer.statusCode).toBe(200);
    expect(rig.coordinator.argsOf("forceLeader")[0]?.[0]).toMatchObject({ mode: "graceful", requestId: null });
  });
});

describe("[A12] force-leader refused", () => {
  it("501 before any other check when no secret is configured", async () => {
    const unset = await buildRig({ secrets: { ...SECRETS, controlPlaneSecret: null } });
    for (const payload of [undefined, "{ broken", "x".repeat(2_000_000)]) {
      const headers = { "content-type": "application/json", "x-control-plane-secret": "any" };
      problemIn(
        await unset.app.inject({ method: "POST", url, headers, payload: payload ?? "" }),
        501,
        "not_configured",
      );
    }
    await unset.app.close();
  });

  it("401 without or with a wrong secret, before the body is looked at", async () => {
    problemIn(await force(null), 401, "bad_secret");
    problemIn(await force("wrong", { nonsense: true }), 401, "bad_secret");
    problemIn(await force(`${SECRET} `.repeat(2)), 401, "bad_secret");
    expect(rig.coordinator.argsOf("forceLeader")).toEqual([]);
  });

  it.each([
    [{ mode: "gentle" }, "/mode"],
    [{ requestId: "" }, "/requestId"],
    [{ requestId: "x".repeat(129) }, "/requestId"],
    [{ reason: "x".repeat(513) }, "/reason"],
    [{ expectedEpoch: -1 }, "/expectedEpoch"],
    [{ expectedEpoch: "7" }, "/expectedEpoch"],
    [{ acceptDualAir: "yes" }, "/acceptDualAir"],
  ])("400 for %j", async (body, field) => {
    expect(problemIn(await force(SECRET, body), 400, "invalid_request")["field"]).toBe(field);
  });

  it("409 and 503 as the coordinator refuses", async () => {
    rig.coordinator.forced = { outcome: "already-leader", epoch: 7 };
    expect(problemIn(await force(SECRET), 409, "already_leader")["epoch"]).toBe(7);
    rig.coordinator.forced = { outcome: "epoch-mismatch", epoch: 8 };
    expect(problemIn(await force(SECRET, { expectedEpoch: 6 }), 409, "epoch_mismatch")["epoch"]).toBe(8);
    rig.coordinator.forced = { outcome: "no-quorum", detail: "nobody answers" };
    const answer = await force(SECRET);
    problemIn(answer, 503, "no_quorum");
    expect(answer.headers["retry-after"]).toBe("1");
  });
});

describe("[A12] wrong secrets", () => {
  it("H3: 429 after 10 wrong secrets a minute from one address; the right one always passes", async () => {
    for (let guess = 0; guess < 10; guess += 1) problemIn(await force(`wrong ${guess}`), 401, "bad_secret");
    const limited = await force("wrong again");
    problemIn(limited, 429, "too_many_attempts");
    const waitSec = Number(limited.headers["retry-after"]);
    expect(waitSec).toBeGreaterThan(50);
    expect(waitSec).toBeLessThanOrEqual(60);
    expect((await force(SECRET)).statusCode).toBe(200);
    problemIn(await force("wrong again"), 429, "too_many_attempts");
    expect((await force(SECRET, undefined, "10.0.0.2")).statusCode).toBe(200);
    clock.aheadMs += 60_000;
    problemIn(await force("wrong again"), 401, "bad_secret");
  });

  it("a request without any secret is no guess", async () => {
    for (let n = 0; n < 20; n += 1) problemIn(await force(null), 401, "bad_secret");
    expect((await force(SECRET)).statusCode).toBe(200);
  });
});

describe("wrong secrets from many addresses", () => {
  it("H3: wait once there are 100 a minute in total; the right one passes, and all are counted", async () => {
    for (let n = 0; n < 100; n += 1) problemIn(await force("wrong", undefined, `10.0.${n}.1`), 401, "bad_secret");
    problemIn(await force("wrong", undefined, "10.1.0.1"), 429, "too_many_attempts");
    expect((await force(SECRET, undefined, "10.2.0.1")).statusCode).toBe(200);
    const { body } = await rig.get("/metrics");
    expect(body.split("\n")).toContain('changeover_wrong_secrets_total{pair="studio-1",engine="a"} 101');
    const lines = rig.log.lines.filter(({ message }) => message === "wrong secret at force-leader");
    expect(lines.at(-1)?.fields).toEqual({ address: "10.1.0.1", total: 101 });
  });
});

describe("the memory of wrong secrets", () => {
  it("is bounded, and forgets the oldest first", () => {
    const wrong = new WrongSecrets();
    for (let n = 0; n < 10; n += 1) expect(wrong.note("first", 0)).toBe(0);
    expect(wrong.note("first", 1_000)).toBe(59_000);
    // Slowly enough for the bound on all addresses together.
    for (let n = 0; n < MAX_WATCHED_ADDRESSES; n += 1) wrong.note(`address ${n}`, n);
    expect(wrong.total).toBe(11 + MAX_WATCHED_ADDRESSES);
  });
});
