/** An engine that comes back with a higher epoch than the one on air: the one on air stays [EP5]. */
import { describe, expect, test } from "vitest";
import { until } from "../../src/cli/demo/observe.ts";
import { call } from "../support/http-call.ts";
import type { RealPair } from "../support/real-pair.ts";
import { withPair } from "../support/stage-pair.ts";
import { Recorder } from "../support/recorder.ts";
import { PATIENCE_MS } from "./suites.ts";

/** Cuts that are taken while the other engine is off. */
const LIVE_CUTS = 200;

async function cut(pair: RealPair, label: "a" | "b", source: string): Promise<void> {
  const command = { kind: "POST /api/switch/cut", payload: { source } };
  expect((await call("POST", `${pair.engines[label].url}/api/commands`, command)).status).toBe(200);
}

describe("an engine that returns", { timeout: PATIENCE_MS }, () => {
  test("P6 EP5 I20: b is on air alone when a returns with a higher epoch: b stays, a's old commands are conflicts", async () => {
    await withPair({ witness: "none" }, async (pair) => {
      await pair.start();
      await pair.kill("b");
      for (const show of ["before-outage1", "before-outage2"]) {
        await pair.kill("a");
        await pair.engines.a.start();
        await pair.untilLeads("a");
        await cut(pair, "a", show);
      }
      const before = await pair.state("a");
      await pair.kill("a");
      await pair.engines.b.start();
      await pair.untilLeads("b");
      expect((await pair.state("b")).epoch).toBeLessThan(before.epoch);
      for (let at = 0; at < LIVE_CUTS; at += 1) await cut(pair, "b", `LIVE-${at}`);
      const recorder = Recorder.watch(pair);
      try {
        await pair.engines.a.start();
        await pair.untilState("b", "leads above a's epoch", ({ epoch }) => epoch > before.epoch);
        expect(await pair.settled()).toBe("b");
      } finally {
        await recorder.stop();
      }
      expect(recorder.reigns.map(({ label }) => label)).toEqual(["b", "b"]);
      expect(recorder.reigns[1]?.epoch).toBe(before.epoch + 1);
      expect(await pair.state("b")).toMatchObject({ programSource: `LIVE-${LIVE_CUTS - 1}`, confirmedBy: "peer" });
      expect(await pair.state("a")).toMatchObject({ programSource: `LIVE-${LIVE_CUTS - 1}`, syncState: "ready" });
      for (const label of ["a", "b"] as const) {
        await until(`${label} lists what a did alone`, async () => {
          const { body } = await call("GET", `${pair.engines[label].url}/api/conflicts`);
          const text = JSON.stringify(body);
          return text.includes("before-outage1") && text.includes("before-outage2");
        });
      }
    });
  });
});
