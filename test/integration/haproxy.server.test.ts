/** The HAProxy example as it stands, in front of two real engines: the leader is killed, and the client notices nothing. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, it } from "vitest";
import { otherLabel } from "../../src/core/ids.ts";
import { freePort } from "../support/free-port.ts";
import { call } from "../support/http-call.ts";
import { RealPair } from "../support/real-pair.ts";
import { describeWithServer, requireServer } from "../support/servers.ts";
import { until } from "../../src/cli/demo/observe.ts";

const CONFIG = join(import.meta.dirname, "../../examples/haproxy/haproxy.cfg");
const CUT = "/engine/api/switch/cut";

describeWithServer("haproxy", "HAProxy in front of a pair", () => {
  it("sends commands to whoever leads, also after the leader was killed", { timeout: 60_000 }, async () => {
    const pair = await RealPair.prepare();
    let proxy: ChildProcess | null = null;
    try {
      const leader = await pair.start();
      const front = await freePort();
      proxy = startProxy(pair, front);
      const cut = async (source: string): Promise<number> => sendCut(front, source);
      await until("the proxy has found the leader", async () => (await cut("cam2")) === 200);
      await pair.kill(leader);
      await until("the proxy has found the successor", async () => (await cut("cam3")) === 200, { withinMs: 10_000 });
      const { programSource, role } = await pair.state(otherLabel(leader));
      expect(role).toBe("leader");
      expect(["cam2", "cam3"]).toContain(programSource);
    } finally {
      proxy?.kill("SIGKILL");
      if (proxy !== null) await once(proxy, "exit");
      await pair.close();
    }
  });
});

function startProxy(pair: RealPair, front: number): ChildProcess {
  const address = (url: string): string => new URL(url).host;
  return spawn(requireServer("haproxy"), ["-f", CONFIG], {
    stdio: "ignore",
    env: {
      ENGINE_A: address(pair.engines.a.url),
      ENGINE_B: address(pair.engines.b.url),
      FRONT: `127.0.0.1:${front}`,
    },
  });
}

async function sendCut(front: number, source: string): Promise<number> {
  try {
    return (await call("POST", `http://127.0.0.1:${front}${CUT}`, { source }, { "idempotency-key": source })).status;
  } catch {
    return 0;
  }
}
