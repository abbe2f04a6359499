/** Scripts keep the engine's contract, with and without scripts for commands and state. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ExecEngine } from "../../src/adapters/exec-engine.ts";
import { SystemClock } from "../../src/adapters/basics.ts";
import { CUT_WITHOUT_SOURCE, engineContract } from "../../src/testing/engine-contract.ts";
import { runContract } from "./run-contract.ts";

const PLACE = { pair: "studio-1", label: "a" } as const;
const SLOW_MACHINE = { executeBudgetMs: 10_000, notifyBudgetMs: 10_000 };

runContract(
  "engine contract: an engine of notify scripts only",
  engineContract({
    make: async () => new ExecEngine({ clock: new SystemClock() }, { ...PLACE, notify: ["true"] }),
    failing: null,
  }),
);

const folders: string[] = [];

/** An engine whose state is a count in a file. */
async function countingScripts() {
  const folder = await mkdtemp(join(tmpdir(), "changeover-exec-"));
  folders.push(folder);
  const count = join(folder, "count");
  await writeFile(count, "0\n");
  const sh = (script: string) => ["sh", "-c", script, "sh", count];
  return {
    execute: sh('grep -q source\\": || { echo no source >&2; exit 1; }; echo $(($(cat "$1") + 1)) > "$1"'),
    snapshot: sh('cat "$1"'),
    restore: sh('cat > "$1"'),
    health: ["true"],
  };
}

runContract(
  "engine contract: an engine of scripts",
  engineContract({
    make: async () =>
      new ExecEngine({ clock: new SystemClock() }, { ...PLACE, ...SLOW_MACHINE, ...(await countingScripts()) }),
    end: async () => {
      await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
    },
    failing: CUT_WITHOUT_SOURCE,
  }),
);
