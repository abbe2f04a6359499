/**
 * An engine that embeds Changeover around the reference switcher and writes down every execution:
 * `node journal-engine-process.ts engine -c FILE`. The journal is the file `executed.jsonl` in the engine's folder.
 * Keeps true: a line stands on disk before the execution is over, so that SIGKILL takes none with it.
 */
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import closeWithGrace from "close-with-grace";
import { SystemClock } from "../../src/adapters/basics.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { Command } from "../../src/core/command.ts";
import { startHost } from "../../src/host/start-host.ts";
import type { ExecuteOutcome } from "../../src/ports/engine.ts";
import { ReferenceEngine } from "../../src/reference-engine/reference-engine.ts";

const config = loadConfig(process.argv.at(-1) ?? null, process.env);
const journal = join(config.dataDir, "executed.jsonl");

class JournalEngine extends ReferenceEngine {
  override execute(command: Command): ExecuteOutcome {
    const { epoch, seq, kind } = command;
    // The monotonic clock is the same for all processes of a machine.
    const atMs = Number(process.hrtime.bigint()) / 1e6;
    appendFileSync(journal, `${JSON.stringify({ epoch, seq, kind, atMs, process: process.pid })}\n`);
    return super.execute(command);
  }
}

const host = await startHost(config, { engine: new JournalEngine({ clock: new SystemClock() }) });
closeWithGrace({ logger: false }, async () => host.close());
process.stdout.write("ready\n");
