/** Who the peer is, on real processes: impostors in open mode, and an engine that is replaced while the other is on air. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ask, until } from "../../src/cli/demo/observe.ts";
import { type EngineId, makeId, otherLabel } from "../../src/core/ids.ts";
import { encodeMessage } from "../../src/adapters/peer-messages.ts";
import type { PairReport } from "../../src/core/outcomes.ts";
import { call } from "../support/http-call.ts";
import { RawPeer } from "../support/raw-peer.ts";
import type { RealPair } from "../support/real-pair.ts";
import { withPair } from "../support/stage-pair.ts";
import { keyOf } from "../support/test-keys.ts";

const PATIENCE_MS = 120_000;

async function pairOf(pair: RealPair, label: "a" | "b"): Promise<PairReport> {
  const { body } = await call("GET", `${pair.engines[label].url}/api/pair`);
  return body as unknown as PairReport;
}

test(
  "P10 ID1: in open mode an impostor as the peer freezes, evicts and moves nobody",
  { timeout: PATIENCE_MS },
  async () => {
    await withPair({}, async (pair) => {
      const leader = await pair.start();
      for (const label of ["a", "b"] as const) {
        const before = await pair.state(label);
        const { peer } = await pairOf(pair, label);
        const pinned = peer?.fingerprint;
        expect(peer).toMatchObject({
          connected: true,
          fingerprint: expect.stringMatching(/^sha256:[0-9a-f]{32}$/) as string,
        });
        const who = {
          pair: before.pair,
          label: otherLabel(label),
          link: "red",
          engineId: before.peer.engineId as EngineId,
          incarnation: makeId("incarnation", "999999999999999-x"),
          version: before.version,
        } as const;
        for (const [signatures, code] of [
          [keyOf("thief"), 4405],
          [null, 4426],
        ] as const) {
          const impostor = await RawPeer.connect(
            pair.engines[label].url.replace("http", "ws"),
            null,
            signatures !== null,
          );
          const seal = await impostor.shakeHands(null, who, signatures);
          for (let frame = 1; frame <= 40; frame++) {
            impostor.send(
              seal.seal(encodeMessage({ type: "stale-epoch", highestEpoch: before.epoch + frame * 2 ** 32 })),
            );
          }
          expect(await impostor.closed()).toBe(code);
        }
        const after = await pair.state(label);
        expect(after).toMatchObject({ role: before.role, epoch: before.epoch, peer: { state: "alive" } });
        const alarm = after.alarms.find(({ code }) => code === "peer-refused");
        expect(alarm?.detail).toMatch(/no-key|wrong-key/);
        expect((await pairOf(pair, label)).peer?.fingerprint).toBe(pinned);
        expect((await pairOf(pair, label)).strangers).toMatchObject([{ refusal: "wrong-key" }]);
      }
      // The real peer comes back after a restart: its start number is not taken for an old one.
      const follower = otherLabel(leader);
      pair.engines[follower].kill();
      await pair.engines[follower].gone();
      await pair.engines[follower].start();
      expect(await pair.settled()).toBe(leader);
    });
  },
);

test(
  "A32 ID2: b is replaced by an empty engine; a adopts it live and is never off air",
  { timeout: PATIENCE_MS },
  async () => {
    await withPair({}, async (pair) => {
      await Promise.all([pair.engines.a.start(), pair.engines.b.start()]);
      const leader = await pair.settled();
      if (leader === "b") await call("POST", `${pair.engines.b.url}/api/handover`, {});
      await pair.untilLeads("a");
      await pair.settled();
      const url = pair.engines.a.url;
      const command = { kind: "POST /api/switch/cut", payload: { source: "cam2" } };
      expect(await call("POST", `${url}/api/commands`, command)).toMatchObject({ status: 200 });
      pair.engines.b.kill();
      await pair.engines.b.gone();
      rmSync(join(pair.folder, "b"), { recursive: true });

      let watching = true;
      const statuses: (number | undefined)[] = [];
      const watch = (async () => {
        while (watching) statuses.push((await ask(`${url}/leader`, 2_000))?.status);
      })();
      await pair.engines.b.start();
      await pair.untilState("a", "refuses the stranger", ({ alarms }) =>
        alarms.some(({ code }) => code === "peer-refused"),
      );
      await pair.untilState("b", "is told", ({ alarms }) => alarms.some(({ code }) => code === "refused-by-peer"));
      const fresh = (await pairOf(pair, "b")).self.fingerprint ?? "";
      const told = (await pair.state("a")).alarms.find(({ code }) => code === "peer-refused")?.detail;
      expect(told).toContain(fresh);
      const other = `sha256:${"0".repeat(32)}`;
      expect(await call("POST", `${url}/api/pair/adopt`, { fingerprint: other })).toMatchObject({
        status: 404,
        body: { code: "stranger_not_found", seen: [fresh] },
      });
      expect(await call("POST", `${url}/api/pair/adopt`, { fingerprint: fresh })).toMatchObject({ status: 200 });
      await pair.settled();
      expect(await call("POST", `${url}/api/pair/forget`, {})).toMatchObject({
        status: 409,
        body: { code: "peer_connected" },
      });
      watching = false;
      await watch;
      expect(statuses.length).toBeGreaterThan(50);
      expect(new Set(statuses)).toEqual(new Set([200]));
      for (const label of ["a", "b"] as const) {
        const { alarms, epoch } = await pair.state(label);
        expect(alarms.map(({ code }) => code)).not.toContain("peer-refused");
        expect(alarms.map(({ code }) => code)).not.toContain("refused-by-peer");
        expect(epoch).toBe((await pair.state("a")).epoch);
      }
      await until("b is ready", async () => (await ask(`${pair.engines.b.url}/ready`))?.status === 200);
    });
  },
);
