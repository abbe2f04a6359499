/**
 * Purpose: the table of contents of the command line, and the one place where a command's end becomes an exit code.
 * Does not know: what a command does. Those that start an engine load it only when they run.
 */
import { Command, CommanderError } from "commander";
import { packageVersion } from "../host/package-root.ts";
import { addConfig } from "./config-check.ts";
import { addConflicts } from "./conflicts.ts";
import { addDemo } from "./demo/demo.ts";
import { addDoctor } from "./doctor.ts";
import { addEngine } from "./engine.ts";
import { EXIT, type ExitCode, report } from "./exit.ts";
import { addForceLeader } from "./force-leader.ts";
import { addHandover } from "./handover.ts";
import { addHistory } from "./history.ts";
import { addMachines } from "./machines.ts";
import { addMaintenance } from "./maintenance.ts";
import { addOps } from "./ops.ts";
import { addOutbox } from "./outbox.ts";
import { addStatus } from "./status.ts";
import { addSync } from "./sync.ts";
import { addWatch } from "./watch.ts";

/**
 * Runs the command that `argv` names.
 *
 * @param argv as `process.argv`
 * @param launcher path of the launcher, with which the demonstration starts engines as processes of their own
 * @returns the exit code
 */
export async function run(argv: readonly string[], launcher: string): Promise<ExitCode> {
  const program = new Command("changeover")
    .description("Dual-engine failover for live broadcast")
    .version(packageVersion())
    .showHelpAfterError("(changeover --help shows what there is)")
    .exitOverride();
  addEngine(program);
  addDemo(program, launcher);
  for (const add of [addStatus, addWatch, addForceLeader, addHandover, addMaintenance, addHistory]) add(program);
  for (const add of [addConflicts, addOutbox, addOps, addSync, addMachines, addConfig, addDoctor]) add(program);
  try {
    await program.parseAsync(argv);
    return (process.exitCode as ExitCode | undefined) ?? EXIT.done;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.wrongUse;
    return report(error, (text) => process.stderr.write(text));
  }
}
