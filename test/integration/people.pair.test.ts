/** What a control plane and its tools ask of a real pair over HTTP: force-leader and the reconcile lock. */
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { until } from "../../src/cli/demo/observe.ts";
import { otherLabel } from "../../src/core/ids.ts";
import { call } from "../support/http-call.ts";
import { withLoadedPair, withPair } from "../support/stage-pair.ts";
import { expectWholeWithoutConflicts } from "../support/verdict.ts";

const PATIENCE_MS = 120_000;
const FORCE = "/api/peer/force-leader";
const LOCK = "/api/sync/reconcile-lock";
const WRONG_SECRETS = 10;

const folder = mkdtempSync(join(tmpdir(), "changeover-secret-"));
const file = join(folder, "control-plane");
writeFileSync(file, "a-secret-for-the-tests\n");
const auth = { controlPlaneSecret: { file } };
const secret = { "x-control-plane-secret": "a-secret-for-the-tests" };

afterAll(() => rmSync(folder, { recursive: true }));

describe.concurrent("force-leader over HTTP", { timeout: PATIENCE_MS }, () => {
  test("[A12] without a secret configured: 501, whatever is sent", async () => {
    await withPair({}, async (pair) => {
      await pair.engines.a.start();
      const answer = await call("POST", pair.engines.a.url + FORCE, { mode: 7 }, secret);
      expect(answer).toMatchObject({ status: 501, body: { code: "not_configured" } });
    });
  });

  test("[A12] [HO4] [I8] refusals change nothing; a request is one epoch, audited, and its repetition the same answer", async () => {
    await withLoadedPair({ auth }, async ({ pair, recorder, leader, finish }) => {
      const other = otherLabel(leader);
      const { epoch } = await pair.state(leader);
      const force = async (body: object, headers: Readonly<Record<string, string>>, label = other) =>
        call("POST", pair.engines[label].url + FORCE, body, headers);
      expect(await force({}, {})).toMatchObject({ status: 401, body: { code: "bad_secret" } });
      expect(await force({}, { "x-control-plane-secret": "x" })).toMatchObject({ status: 401 });
      expect(await force({}, secret, leader)).toMatchObject({ status: 409, body: { code: "already_leader" } });
      const stale = { expectedEpoch: epoch + 1 };
      expect(await force(stale, secret)).toMatchObject({ status: 409, body: { code: "epoch_mismatch" } });
      expect(await force({ mode: "perhaps" }, secret)).toMatchObject({ status: 400 });
      expect((await pair.state(leader)).epoch).toBe(epoch);

      const request = { mode: "graceful", reason: "rehearsal", requestId: "request-1", expectedEpoch: epoch };
      const first = await force(request, secret);
      expect(first).toMatchObject({
        status: 200,
        body: { engineLabel: other, role: "leader", previousEpoch: epoch, previousLeader: leader, mode: "graceful" },
      });
      expect(first.body?.["tookMs"]).toBeLessThan(1_000);
      const again = await Promise.all([force(request, secret), force(request, secret)]);
      expect(again.map(({ body }) => body)).toEqual([first.body, first.body]);
      const { body } = await call("GET", `${pair.engines[other].url}/api/leadership?limit=1`);
      expect(body?.["history"]).toMatchObject([{ leader: other, cause: "forced", reason: "rehearsal" }]);
      expect(await pair.ready()).toBe(other);
      // The other engine gives the same answer, and takes nothing back.
      const elsewhere = await force(request, secret, leader);
      expect(elsewhere).toMatchObject({ status: 200, body: first.body });
      expect(await pair.ready()).toBe(other);

      const back = await force({ mode: "immediate", reason: "back" }, secret, leader);
      expect(back).toMatchObject({ status: 200, body: { engineLabel: leader, mode: "immediate" } });
      expect(await pair.ready()).toBe(leader);
      const acknowledged = await finish();
      expect(recorder.reigns.map(({ label }) => label)).toEqual([leader, other, leader]);
      await expectWholeWithoutConflicts(pair, acknowledged);
    });
  });

  test("[A12] H3: after ten wrong secrets the address waits, but the right secret passes", async () => {
    await withPair({ auth }, async (pair) => {
      await pair.engines.a.start();
      const url = pair.engines.a.url + FORCE;
      for (let wrong = 0; wrong < WRONG_SECRETS; wrong += 1) {
        expect((await call("POST", url, {}, { "x-control-plane-secret": String(wrong) })).status).toBe(401);
      }
      const answer = await call("POST", url, {}, { "x-control-plane-secret": "one too many" });
      expect(answer).toMatchObject({ status: 429, body: { code: "too_many_attempts" } });
      expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
      // Alone, the engine leads: the secret was looked at, and it was right.
      expect((await call("POST", url, {}, secret)).status).not.toBe(429);
    });
  });
});

describe.concurrent("the reconcile lock over HTTP", { timeout: PATIENCE_MS }, () => {
  test("[A14] [RL1] [RL3] one holder for both engines; what lapsed opens nothing", async () => {
    await withPair({}, async (pair) => {
      const leader = await pair.start();
      const [one, other] = [pair.engines[leader].url, pair.engines[otherLabel(leader)].url];
      const held = await call("POST", one + LOCK, { holder: "tool-1", ttlMs: 30_000 });
      expect(held).toMatchObject({ status: 200, body: { fence: expect.any(Number) as number } });
      const lockId = String(held.body?.["lockId"]);
      expect(await call("POST", other + LOCK, { holder: "tool-2" })).toMatchObject({
        status: 409,
        body: { code: "lock_held", holder: "tool-1" },
      });
      expect(await call("GET", other + LOCK)).toMatchObject({ status: 200, body: { held: true, holder: "tool-1" } });
      expect(await call("DELETE", `${one}${LOCK}/not-this-one`)).toMatchObject({ status: 404 });
      expect(await call("PUT", `${one}${LOCK}/${lockId}`)).toMatchObject({ status: 200, body: { lockId } });
      expect(await call("DELETE", `${one}${LOCK}/${lockId}`)).toMatchObject({ status: 204, body: null });

      const short = await call("POST", one + LOCK, { holder: "tool-1", ttlMs: 1_000 });
      const lapsed = String(short.body?.["lockId"]);
      await until("the lock has lapsed", async () => (await call("GET", other + LOCK)).body?.["held"] === false);
      expect(await call("PUT", `${one}${LOCK}/${lapsed}`)).toMatchObject({
        status: 404,
        body: { code: "lock_not_found" },
      });
      const next = await call("POST", other + LOCK, { holder: "tool-2" });
      expect(next.status).toBe(200);
      expect(next.body?.["fence"]).toBeGreaterThan(Number(short.body?.["fence"]));

      const before = await call("GET", `${other}/api/sync/state-snapshot`);
      const posted = await call("POST", `${other}/api/sync/state-snapshot`, before.body, {
        "x-reconcile-lock": lapsed,
      });
      expect(posted).toMatchObject({ status: 409, body: { code: "lock_not_held" } });
      expect((await call("GET", `${other}/api/sync/state-snapshot`)).body?.["checksum"]).toBe(
        before.body?.["checksum"],
      );
    });
  });
});
