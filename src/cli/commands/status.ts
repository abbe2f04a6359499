/** `changeover status`: one engine on one screen. */
import type { Command } from "commander";
import { clientFor, type ReadOptions, reading } from "../options.ts";
import { json, line } from "../output.ts";
import { stateLines } from "./state-view.ts";

export function addStatus(program: Command): void {
  reading(program.command("status"))
    .description("show one engine: role, epoch, votes, peer, witness, positions, alarms")
    .action(async (options: ReadOptions) => {
      const state = await clientFor(options).state();
      if (options.json) json(state);
      else stateLines(state).forEach((text) => line(text));
    });
}
