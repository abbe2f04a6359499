/** Who leads when neither does, and the witness shows the record of engines that this pair does not know. */
import { expect } from "vitest";
import { makeId } from "../../src/core/ids.ts";
import { scenario } from "../scenarios/stage.ts";

for (const policy of ["on-air", "consistency"] as const) {
  scenario("P7 VT7", `both disks are new, the witness is not (${policy})`, { failover: { policy } }, async (stage) => {
    stage.world.ground.witness?.server.swap(null, {
      ...{ holder: "b", engineId: makeId("engine", "of-an-earlier-life"), epoch: 7, seq: 12, released: false },
      ...{ lastCommandSeq: 100, lastCommandEpoch: 7, clock: {} },
    });
    stage.world.boot();
    await stage.until("one leads", () => stage.leads("a") || stage.leads("b"), 5_000);
    const leader = stage.leads("a") ? "a" : "b";
    expect(stage.state(leader)).toMatchObject({ confirmedBy: "peer", witness: { reachable: true, usable: false } });
    expect(stage.alarms(leader)).toContain("witness-foreign");
    expect(stage.world.ground.witness?.server.record?.epoch).toBe(7);
    stage.world.ground.witness?.server.forget();
    await stage.until("both vote", () => stage.state(leader).confirmedBy === "both", 1_000);
    expect(stage.alarms(leader)).not.toContain("witness-foreign");
    await stage.atRest();
  });
}
