/**
 * The table of contents of the command line, and the one place where a command's end becomes an exit code. Commands that
 * start an engine load it only when they run.
 */
import { Command, CommanderError } from "commander";
import { packageVersion } from "../host/package-root.ts";
import { strangeAnswer } from "./client.ts";
import { addBackup, addRestore } from "./commands/backup.ts";
import { addConfig } from "./commands/config-check.ts";
import { addConflicts } from "./commands/conflicts.ts";
import { addDemo } from "./commands/demo.ts";
import { addDoctor } from "./commands/doctor.ts";
import { addEngine } from "./commands/engine.ts";
import { EXIT, type ExitCode, report } from "./exit.ts";
import { addFederation } from "./commands/federation.ts";
import { addForceLeader } from "./commands/force-leader.ts";
import { addHandover } from "./commands/handover.ts";
import { addHistory } from "./commands/history.ts";
import { addMachines } from "./commands/machines.ts";
import { addMaintenance } from "./commands/maintenance.ts";
import { addOps } from "./commands/ops.ts";
import { addOutbox } from "./commands/outbox.ts";
import { endWithReader } from "./reader-gone.ts";
import { addReload } from "./commands/reload.ts";
import { addStatus } from "./commands/status.ts";
import { addSync } from "./commands/sync.ts";
import { addWatch } from "./commands/watch.ts";
import { addPair } from "./commands/pair.ts";
import { addWitness } from "./commands/witness.ts";

/**
 * Runs the command that `argv` names.
 *
 * @param argv as `process.argv`
 * @param launcher path of the launcher, with which the demonstration starts engines as processes of their own
 * @returns the exit code
 */
export async function run(argv: readonly string[], launcher: string): Promise<ExitCode> {
  endWithReader();
  const program = buildProgram(launcher);
  try {
    await program.parseAsync(argv);
    return (process.exitCode as ExitCode | undefined) ?? EXIT.done;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.wrongUse;
    return report(strangeAnswer(error) ?? error, (text) => process.stderr.write(text));
  }
}

/** Every command with its options. */
export function buildProgram(launcher: string): Command {
  const program = new Command("changeover")
    .description("Dual-engine failover for live broadcast")
    .version(packageVersion())
    .showHelpAfterError("(changeover --help shows what there is)")
    .exitOverride();
  addEngine(program);
  addDemo(program, launcher);
  for (const add of [addStatus, addWatch, addForceLeader, addHandover, addMaintenance, addPair, addWitness, addHistory])
    add(program);
  for (const add of [
    addConflicts,
    addOutbox,
    addOps,
    addSync,
    addFederation,
    addMachines,
    addConfig,
    addDoctor,
    addReload,
    addBackup,
    addRestore,
  ]) {
    add(program);
  }
  return program;
}
