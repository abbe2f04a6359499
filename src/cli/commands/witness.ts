/**
 * `changeover witness adopt|reset`: a person says that the witness is this pair's: in the place of a stranger's record [VT7],
 * or of a record of its own that no engine can live up to any more.
 */
import type { Command } from "commander";
import { confirmed } from "../confirm.ts";
import { CliError, EXIT } from "../exit.ts";
import { clientFor, type ReadOptions, reading } from "../options.ts";
import { json, line, plain } from "../output.ts";

/** The answers of `POST /api/witness/adopt` and `reset`. */
interface Replaced {
  readonly replaced: string;
}

export function addWitness(program: Command): void {
  const witness = program.command("witness").description("the third place that both engines ask");
  reading(witness.command("adopt"))
    .description("put this pair's record in the place of a foreign or damaged one, once its cause is gone")
    .action(async (options: ReadOptions) => {
      const done = await clientFor(options).post<Replaced>("/api/witness/adopt", ["replaced"], {});
      if (options.json) json(done);
      else line(`adopted; before: ${plain(done.replaced)}`);
    });
  reading(witness.command("reset"))
    .description("put a fresh record there, whatever stands there; for a record whose commands no engine has any more")
    .option("--yes", "do not ask")
    .action(async (options: ReadOptions & { readonly yes?: boolean }) => {
      const question = "forget what the witness remembers of this pair";
      if (options.yes !== true && !(await confirmed(question))) {
        throw new CliError(EXIT.wrongUse, "nothing was changed");
      }
      const done = await clientFor(options).post<Replaced>("/api/witness/reset", ["replaced"], {});
      if (options.json) json(done);
      else line(`reset; before: ${plain(done.replaced)}`);
    });
}
