/** Two links, of which one stands still now and then: late heartbeats are no alarm, and a dead leader is replaced at once. */
import { describe, expect, test } from "vitest";
import { until } from "../../src/cli/demo/observe.ts";
import { type Label, otherLabel } from "../../src/core/ids.ts";
import { call } from "../support/http-call.ts";
import type { RealPair } from "../support/real-pair.ts";
import { withPair } from "../support/stage-pair.ts";
import { PATIENCE_MS } from "./suites.ts";

const STALLS = 3;
/** Heartbeats that the other link overtakes in each. */
const OVERTAKEN = 3;
const LABELS = ["a", "b"] as const;

describe("one of two links stands still", { timeout: PATIENCE_MS }, () => {
  test("P3 HB4: late heartbeats are dropped in silence; the leader is killed in a stall: replaced by proof", async () => {
    await withPair({ blueLink: true }, async (pair) => {
      const leader = await pair.start();
      for (const label of LABELS) {
        await pair.untilState(label, "both links are up", ({ peer }) => peer.links.every(({ up }) => up));
      }
      for (let stall = 0; stall < STALLS; stall += 1) {
        const release = pair.stallBlue();
        await heartbeatsMore(pair, OVERTAKEN);
        release();
        await heartbeatsMore(pair, OVERTAKEN);
      }
      await pair.ready();
      expect(await pair.leader()).toBe(leader);
      for (const label of LABELS) expect(await alarmsOn(pair, label)).toEqual([]);

      pair.stallBlue();
      await heartbeatsMore(pair, OVERTAKEN);
      const heir = otherLabel(leader);
      await pair.kill(leader);
      await pair.untilLeads(heir);
      const { body } = await call("GET", `${pair.engines[heir].url}/api/leadership`);
      expect(body).toMatchObject({ history: [{ leader: heir, cause: "death-proof" }] });
      expect(await alarmsOn(pair, heir)).toEqual(["peer-unreachable"]);
    });
  });
});

/** Each engine has taken so many more, over whichever link. */
async function heartbeatsMore(pair: RealPair, count: number): Promise<void> {
  await Promise.all(
    LABELS.map(async (label) => {
      const sinceCount = await heartbeats(pair, label);
      await until(
        `${label} has heard ${count} heartbeats`,
        async () => (await heartbeats(pair, label)) >= sinceCount + count,
      );
    }),
  );
}

async function heartbeats(pair: RealPair, label: Label): Promise<number> {
  const text = await (await fetch(`${pair.engines[label].url}/metrics`)).text();
  return Number(/^changeover_heartbeats_received_total(?:\{[^}]*\})? (\d+)/m.exec(text)?.[1] ?? Number.NaN);
}

async function alarmsOn(pair: RealPair, label: Label): Promise<readonly string[]> {
  const { alarms } = await pair.state(label);
  return alarms.map(({ code }) => code).filter((code) => code !== "lockstep-degraded" && code !== "commands-late");
}
