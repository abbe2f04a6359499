/** Two real engines whose witness is a NATS server: the record follows the leader, also after a kill and without NATS. */
import { expect, it } from "vitest";
import { otherLabel } from "../../src/core/ids.ts";
import { until } from "../../src/cli/demo/observe.ts";
import { startNats } from "../support/nats-server.ts";
import { RealPair } from "../support/real-pair.ts";
import { describeWithServer } from "../support/servers.ts";

describeWithServer("nats-server", "a pair with its witness in NATS", () => {
  it("A killed leader is replaced; the witness names the successor; its loss is told with the cause", async () => {
    const server = await startNats();
    const pair = await RealPair.prepare({ witnessConfig: { kind: "nats", url: server.url } });
    try {
      const leader = await pair.start();
      const successor = otherLabel(leader);
      await until("the witness names the leader", async () => (await pair.state(successor)).witness.holder === leader);
      await pair.kill(leader);
      await until("the other engine leads by the witness's vote", async () => {
        const { role, witness } = await pair.state(successor);
        return role === "leader" && witness.holder === successor && witness.usable === true;
      });
      await server.stop();
      await until("the alarm names the cause", async () => {
        const { alarms } = await pair.state(successor);
        const alarm = alarms.find(({ code }) => code === "witness-unreachable");
        return /the witness does not answer: connection (refused|lost|closed)/.test(alarm?.detail ?? "");
      });
      expect((await pair.state(successor)).role).toBe("leader");
    } finally {
      await pair.close();
      await server.stop();
    }
  });
});
