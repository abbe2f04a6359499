/** `changeover backup` and `changeover restore`: a copy of a running engine's data folder, and the way back. */
import { cpSync, existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import { loadConfig } from "../../config/load.ts";
import type { BackupReport } from "../../config/types.ts";
import { confirmed } from "../confirm.ts";
import { CliError, EXIT } from "../exit.ts";
import { clientFor, type ReadOptions, reading } from "../options.ts";
import { json, line, plain } from "../output.ts";

type Taken = BackupReport & { readonly folder: string };

interface RestoreOptions {
  readonly config: string;
  readonly replaceNewer?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** A large store on a slow disk. */
const TIMEOUT_MS = 600_000;

export function addBackup(program: Command): void {
  reading(program.command("backup"))
    .description("copy the data folder of a running engine; the engine goes on")
    .option("--to <folder>", "move the copy there, on this host; without it the copy stays in dataDir/backups")
    .action(async (options: ReadOptions & { readonly to?: string }) => {
      const to = options.to === undefined ? null : freeFolder(options.to);
      const taken = await clientFor(options, TIMEOUT_MS).post<Taken>("/api/backup", ["folder"], {});
      const folder = to === null ? taken.folder : moved(taken.folder, to);
      if (options.json) json({ ...taken, folder });
      else line(`${plain(folder)}: ${said(taken)}`);
    });
}

export function addRestore(program: Command): void {
  program
    .command("restore")
    .description("put a backup in the place of the data folder of an engine that is stopped")
    .argument("<folder>", "the backup, as `changeover backup` printed it")
    .requiredOption("-c, --config <file>", "configuration of the engine")
    .option("--replace-newer", "also where the data folder holds more than the backup")
    .option("--yes", "do not ask")
    .option("--json", "print JSON")
    .action(async (folder: string, options: RestoreOptions) => {
      const config = loadConfig(options.config, process.env);
      if (options.yes !== true && !(await confirmed(`restore ${config.dataDir} from ${folder}`))) {
        throw new CliError(EXIT.wrongUse, "nothing was changed");
      }
      const { restoreBackup } = await import("../../host/backup.ts");
      const replaceNewer = options.replaceNewer === true;
      const { backup, keptAs } = restoreBackup(folder, config, { replaceNewer, nowUnixMs: Date.now() });
      if (options.json) return json({ dataDir: resolve(config.dataDir), backup, keptAs });
      line(`${resolve(config.dataDir)} is restored: ${said(backup)}`);
      if (keptAs !== null) line(`what stood there is kept in ${keptAs}`);
      line(`now: changeover engine -c ${options.config}, with its peer running, then wait for GET /ready 200`);
    });
}

function said({ pair, label, takenAt, epoch, lastCommandSeq, bytes }: BackupReport): string {
  const size = `${(bytes / 1_048_576).toFixed(1)} MiB`;
  return `engine ${label} of ${plain(pair)}, ${new Date(takenAt).toISOString()}, through command ${lastCommandSeq} of epoch ${epoch}, ${size}`;
}

/** Looked at before anything is asked of the engine. */
function freeFolder(folder: string): string {
  const place = resolve(folder);
  if (existsSync(place) && readdirSync(place).length > 0) {
    throw new CliError(
      EXIT.wrongUse,
      `--to is "${plain(folder)}": must be a folder that does not exist yet, or an empty one`,
    );
  }
  return place;
}

function moved(from: string, to: string): string {
  if (!existsSync(from)) {
    throw new CliError(
      EXIT.failed,
      `the backup is ${plain(from)} on the engine's host; run the command with --to there`,
    );
  }
  try {
    rmSync(to, { recursive: true, force: true });
    try {
      renameSync(from, to);
    } catch {
      // Another file system.
      cpSync(from, to, { recursive: true, preserveTimestamps: true });
      rmSync(from, { recursive: true });
    }
    return to;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "failed";
    throw new CliError(EXIT.failed, `the backup could not be moved to ${plain(to)} (${code}); it is ${plain(from)}`);
  }
}
