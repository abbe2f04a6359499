/** Who leads when neither does, and the witness remembers more than both. */
import { expect } from "vitest";
import { makeId } from "../../src/core/ids.ts";
import { scenario } from "../scenarios/stage.ts";

for (const policy of ["on-air", "consistency"] as const) {
  scenario("CP4", `both disks are new, the witness is not (${policy})`, { failover: { policy } }, async (stage) => {
    stage.world.ground.witness?.server.swap(null, {
      ...{ holder: "b", engineId: makeId("engine", "of-an-earlier-life"), epoch: 7, seq: 12, released: false },
      ...{ lastCommandSeq: 100, lastCommandEpoch: 7, clock: {} },
    });
    stage.world.boot();
    await stage.until("one leads", () => stage.leads("a") || stage.leads("b"), 5_000);
    const leader = stage.leads("a") ? "a" : "b";
    expect(stage.state(leader).epoch).toBeGreaterThan(7);
    expect(stage.alarms(leader)).toContain("stale-takeover");
    await stage.atRest();
  });
}
