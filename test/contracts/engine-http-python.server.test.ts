/** The example of an engine in another language keeps the contract, as it stands in `examples/`. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { HttpEngine } from "../../src/adapters/http-engine.ts";
import { SystemClock } from "../../src/adapters/basics.ts";
import { describeWithServer, requireServer } from "../support/servers.ts";
import { CUT_WITHOUT_SOURCE, engineContract } from "../../src/testing/engine-contract.ts";
import { runContract } from "./run-contract.ts";

const EXAMPLE = fileURLToPath(new URL("../../examples/http-engine/engine.py", import.meta.url));
const running: ChildProcess[] = [];

async function startExample(): Promise<string> {
  const child = spawn(requireServer("python3"), [EXAMPLE, "--port", "0"], { stdio: ["ignore", "pipe", "inherit"] });
  running.push(child);
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  return line.replace("listening on ", "");
}

describeWithServer("python3", "examples/http-engine", () => {
  runContract(
    "engine contract: the Python switcher",
    engineContract({
      make: async () =>
        new HttpEngine({ clock: new SystemClock() }, { baseUrl: await startExample(), executeTimeoutMs: 5_000 }),
      end: async () => {
        const children = running.splice(0);
        const gone = children.map((child) => once(child, "exit"));
        for (const child of children) child.kill();
        await Promise.all(gone);
      },
      failing: CUT_WITHOUT_SOURCE,
    }),
  );
});
