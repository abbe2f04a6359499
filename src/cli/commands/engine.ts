/**
 * `changeover engine`: runs one engine until it is told to stop. SIGTERM and SIGINT end it cleanly: it hands the role over,
 * then closes [DP3]. SIGHUP reloads tokens, secrets and certificates. Logs go to standard error, so that standard output
 * has one line: that it is ready, where, and as what.
 */
import closeWithGrace from "close-with-grace";
import type { Command } from "commander";
import { loadConfig } from "../../config/load.ts";
import type { Config } from "../../config/types.ts";
import { addEngineCheck } from "./engine-check.ts";
import { report } from "../exit.ts";
import { outliveReader } from "../reader-gone.ts";
import { line } from "../output.ts";
import { releaseYoungGeneration } from "../young-generation.ts";

interface Options {
  readonly config?: string;
}

/** A handover, the answers under way and the last writes fit into this; after it the process just ends. */
const STOP_WITHIN_MS = 10_000;

export function addEngine(program: Command): void {
  const engine = program
    .command("engine")
    .description(
      "run one engine of a pair; SIGTERM hands the role over and stops it, SIGHUP reloads tokens and certificates",
    )
    .option("-c, --config <file>", "YAML or JSON; without it the environment must say everything")
    .action(runEngine);
  addEngineCheck(engine);
}

async function runEngine({ config: file }: Options): Promise<void> {
  const readConfig = (): Config => loadConfig(file ?? null, process.env);
  const config = readConfig();
  // Only here: the adapters bring native code with them.
  const { startHost } = await import("../../host/start-host.ts");
  const { SystemClock } = await import("../../adapters/basics.ts");
  const { SystemdNotifier } = await import("../../adapters/systemd-notifier.ts");
  const systemd = new SystemdNotifier({ clock: new SystemClock() }, process.env);
  const host = await startHost(config, { environment: process.env, readConfig });
  outliveReader();
  releaseYoungGeneration();
  process.on("SIGHUP", () => {
    try {
      host.reload();
    } catch (error) {
      // The old ones stay in force.
      report(error, (text) => process.stderr.write(text));
    }
  });
  closeWithGrace({ delay: STOP_WITHIN_MS, logger: false, skip: ["SIGHUP"] }, async ({ err }) => {
    if (err !== undefined) report(err, (text) => process.stderr.write(text));
    systemd.stopping();
    await host.close();
    systemd.close();
  });
  const { role, epoch } = host.coordinator.state();
  systemd.ready(`${config.label} of ${config.pair} at ${host.url}`);
  line(`changeover: engine ${config.label} of ${config.pair} is ready at ${host.url}, ${role}, epoch ${epoch}`);
}
