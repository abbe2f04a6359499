/** Asks a person before something is lost; where nobody can be asked, `--yes` must have said so. */
import { createInterface } from "node:readline/promises";
import { CliError, EXIT } from "./exit.ts";

/** Whether the person at the terminal says yes. */
export async function confirmed(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new CliError(EXIT.wrongUse, `${question}: nobody can be asked here; give --yes`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}
