/** HTTP hooks keep the engine's contract, here with a small engine inside the test. */
import { HttpEngine } from "../../src/adapters/http-engine.ts";
import { SystemClock } from "../../src/adapters/basics.ts";
import { type HookServer, startHookServer } from "../support/hook-server.ts";
import { CUT_WITHOUT_SOURCE, engineContract } from "../../src/testing/engine-contract.ts";
import { runContract } from "./run-contract.ts";

const servers: HookServer[] = [];

runContract(
  "engine contract: an engine behind HTTP hooks",
  engineContract({
    make: async () => {
      const server = await startHookServer();
      servers.push(server);
      return new HttpEngine({ clock: new SystemClock() }, { baseUrl: server.baseUrl, executeTimeoutMs: 5_000 });
    },
    end: async () => {
      await Promise.all(servers.splice(0).map((server) => server.close()));
    },
    failing: CUT_WITHOUT_SOURCE,
  }),
);
