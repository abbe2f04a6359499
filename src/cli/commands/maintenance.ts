/** `changeover maintenance on|off`: stops and allows automatic failover on both engines. */
import { Argument, type Command } from "commander";
import { clientFor, type ReadOptions, reading } from "../options.ts";
import { json, line } from "../output.ts";

interface Options extends ReadOptions {
  readonly reason: string;
}

export function addMaintenance(program: Command): void {
  reading(program.command("maintenance"))
    .description("hold (on) or allow (off) automatic failover on both engines; a person can always move the role")
    .addArgument(new Argument("<state>").choices(["on", "off"]))
    .option("--reason <text>", "shown while it lasts", "by hand")
    .action(async (state: string, options: Options) => {
      const body = { on: state === "on", reason: options.reason };
      const answer = await clientFor(options).post<{ readonly on: boolean }>("/api/maintenance", ["on"], body);
      if (options.json) json(answer);
      else line(state === "on" ? "maintenance is on: no automatic failover" : "maintenance is off");
    });
}
