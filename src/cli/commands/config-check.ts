/** `changeover config check`: says whether a configuration would be taken, and what it comes to. */
import type { Command } from "commander";
import { withoutPasswords } from "../../config/check.ts";
import { loadConfig } from "../../config/load.ts";
import { readSecrets } from "../../config/secrets.ts";
import { checkFolders } from "../../host/folders.ts";
import { checkTlsFiles } from "../../host/tls-files.ts";
import { line } from "../output.ts";

interface Options {
  readonly json?: boolean;
}

export function addConfig(program: Command): void {
  const config = program.command("config").description("the configuration of an engine");
  config
    .command("check")
    .description("validate a file together with the environment; starts nothing")
    .argument("<file>", "YAML or JSON")
    .option("--json", "print the whole configuration with its defaults, without secrets")
    .action((file: string, options: Options) => {
      const loaded = loadConfig(file, process.env);
      const secrets = readSecrets(loaded, process.env);
      checkTlsFiles(loaded);
      checkFolders(loaded, file);
      if (options.json) return line(withoutPasswords(JSON.stringify(loaded, null, 2)));
      const { pair, label, listen, failover, witness } = loaded;
      line(`${file} is valid: engine ${label} of ${pair}, ${listen.host}:${listen.port}, ${failover.policy}`);
      line(`  witness ${witness.kind}, ${secrets.tokens.length} tokens, control plane ${secretState(secrets)}`);
    });
}

function secretState({ controlPlaneSecret }: { controlPlaneSecret: string | null }): string {
  return controlPlaneSecret === null ? "not configured (force-leader answers 501)" : "configured";
}
