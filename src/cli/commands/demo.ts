/**
 * `changeover demo`. The demonstration is part of the repository and not of the published package, so this file, which is
 * in both, loads it only when the command runs, and says where to find it when it is missing.
 */
import type { Command } from "commander";
import type { DemoOptions, demonstrate } from "../demo/demo.ts";
import { CliError, EXIT } from "../exit.ts";

/** @param launcher path of the launcher, which also starts the engines */
export function addDemo(program: Command, launcher: string): void {
  program
    .command("demo")
    .description("two real engines on this host play a show while you break things (only in a clone of the repository)")
    .option("--scripted", "play kill, freeze, split brain and handover by itself, then settle the account")
    .option("--redis <url>", "use a running Redis of this host as witness")
    .option("--sites", "instead: a pair, a hub, spokes and a second site edit apart, come together, and settle")
    .action(async (options: DemoOptions) => {
      const play = await loadDemo();
      process.exitCode = await play(launcher, options);
    });
}

async function loadDemo(): Promise<typeof demonstrate> {
  try {
    return (await import("../demo/demo.ts")).demonstrate;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== "ERR_MODULE_NOT_FOUND" || !/demo[\\/]demo\.[jt]s/.test(message)) throw error;
    throw new CliError(
      EXIT.wrongUse,
      "the demonstration is not in the published package: clone the repository, then run npm ci && npm run demo",
    );
  }
}
