/** `/metrics` of a real pair, judged by Prometheus's own tool. */
import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import { otherLabel } from "../../src/core/ids.ts";
import { describeWithServer, requireServer } from "../support/servers.ts";
import { startPair } from "./pair-rig.ts";

describeWithServer("promtool", "GET /metrics of a real pair", () => {
  it("leaves `promtool check metrics` nothing to say", async () => {
    const pair = await startPair();
    try {
      const leader = pair.sides[await pair.settled()];
      await leader.send("POST", "/engine/api/switch/cut", { source: "cam2" });
      const follower = pair.sides[otherLabel(leader.coordinator.state().engineLabel)];
      for (const side of [leader, follower]) {
        const { body } = await side.get("/metrics");
        const { status, stdout, stderr } = spawnSync(requireServer("promtool"), ["check", "metrics"], {
          input: body,
          encoding: "utf8",
        });
        expect(stdout + stderr).toBe("");
        expect(status).toBe(0);
      }
    } finally {
      await pair.close();
    }
  });
});
