/** `changeover reload`: new tokens, secrets and certificates without a restart. */
import type { Command } from "commander";
import type { ReloadReport } from "../../config/types.ts";
import { clientFor, type ReadOptions, reading } from "../options.ts";
import { json, line } from "../output.ts";

export function addReload(program: Command): void {
  reading(program.command("reload"))
    .description("read tokens, secrets and certificates again; the engine goes on")
    .action(async (options: ReadOptions) => {
      const done = await clientFor(options).post<ReloadReport>("/api/reload", ["changed", "needsRestart"], {});
      if (options.json) {
        json(done);
        return;
      }
      line(done.changed.length === 0 ? "nothing has changed" : `in force: ${done.changed.join(", ")}`);
      if (done.needsRestart.length > 0) line(`waits for a restart: ${done.needsRestart.join(", ")}`);
    });
}
