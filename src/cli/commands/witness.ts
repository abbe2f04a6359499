/** `changeover witness adopt`: a person says that the witness is this pair's, whatever record stands there [VT7]. */
import type { Command } from "commander";
import { clientFor, type ReadOptions, reading } from "../options.ts";
import { json, line, plain } from "../output.ts";

/** The answer of `POST /api/witness/adopt`. */
interface Adopted {
  readonly adopted: true;
  readonly replaced: string;
}

export function addWitness(program: Command): void {
  const witness = program.command("witness").description("the third place that both engines ask");
  reading(witness.command("adopt"))
    .description("put this pair's record in the place of a foreign or damaged one, once its cause is gone")
    .action(async (options: ReadOptions) => {
      const done = await clientFor(options).post<Adopted>("/api/witness/adopt", {});
      if (options.json) json(done);
      else line(`adopted; before: ${plain(done.replaced)}`);
    });
}
