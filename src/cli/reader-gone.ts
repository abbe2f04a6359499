/**
 * What happens when anyone who reads the output goes away (`changeover watch | head`, a log collector that dies).
 * A command ends quietly, as there is nobody left to tell; an engine goes on, for the programme does. Output that cannot
 * be written for another reason is a failure.
 */
import { EXIT } from "./exit.ts";

let goesOn = false;

/** From now on this process does not depend on being read. */
export function outliveReader(): void {
  goesOn = true;
}

/** Watches both outputs; to be called once. */
export function endWithReader(): void {
  for (const output of [process.stdout, process.stderr]) {
    output.on("error", (error: NodeJS.ErrnoException) => {
      if (goesOn) return;
      if (error.code === "EPIPE") process.exit(EXIT.done);
      // Such as a full disk: the file that the output goes to is cut short.
      if (output === process.stdout) process.stderr.write(`changeover: the output cannot be written (${error.code})\n`);
      process.exit(EXIT.failed);
    });
  }
}
