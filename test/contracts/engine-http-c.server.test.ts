/** The engine in C keeps the contract, as it stands in `examples/`; both examples pass `changeover engine check`. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { HttpEngine } from "../../src/adapters/http-engine.ts";
import { SystemClock } from "../../src/adapters/basics.ts";
import { checkEngineAt } from "../../src/cli/commands/engine-check.ts";
import { CUT_WITHOUT_SOURCE, engineContract } from "../../src/testing/engine-contract.ts";
import { describeWithServer, requireServer } from "../support/servers.ts";
import { runContract } from "./run-contract.ts";

const example = (path: string): string => fileURLToPath(new URL(`../../examples/${path}`, import.meta.url));
const running: ChildProcess[] = [];

async function start(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "ignore"] });
  running.push(child);
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  return line.replace("listening on ", "");
}

async function endAll(): Promise<void> {
  const children = running.splice(0);
  const gone = children.map((child) => once(child, "exit"));
  for (const child of children) child.kill();
  await Promise.all(gone);
}

describeWithServer(["gcc", "python3"], "engines in other languages", () => {
  let folder: string;
  let program: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "changeover-c-"));
    program = join(folder, "engine");
    const flags = ["-O2", "-Wall", "-Wextra", "-Werror", "-pthread"];
    execFileSync(requireServer("gcc"), [...flags, "-o", program, example("c-engine/engine.c")]);
  }, 60_000);
  afterEach(endAll);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  runContract(
    "engine contract: the switcher in C",
    engineContract({
      make: async () =>
        new HttpEngine({ clock: new SystemClock() }, { baseUrl: await start(program, ["0"]), executeTimeoutMs: 5_000 }),
      end: endAll,
      failing: CUT_WITHOUT_SOURCE,
    }),
  );

  test.each([
    ["C", () => start(program, ["0"])],
    ["Python", () => start(requireServer("python3"), [example("http-engine/engine.py"), "--port", "0"])],
  ])("EN2 EN9 EN10: the engine in %s holds what engine check asks for", { timeout: 60_000 }, async (_name, begin) => {
    const found = await checkEngineAt(await begin(), { timeout: 5_000, lifelineMs: 500, listenMs: 1_000 });
    expect(found.filter(({ state }) => state !== "good")).toEqual([]);
  });
});
