/**
 * The `Logger` port of a simulated process: lines for whoever listens to the trace. An error that is logged and is none
 * of Changeover's own was expected by nobody: a broken invariant that was caught on its way [no-throw].
 */
import { ChangeoverError } from "../../core/errors.ts";
import type { Logger } from "../../ports/basics.ts";
import type { Scheduler } from "../ground/scheduler.ts";
import type { Trace } from "../ground/trace.ts";

interface LoggerGround {
  readonly trace: Trace;
  readonly scheduler: Pick<Scheduler, "nowMs">;
  violate(invariant: string, detail: string): void;
}

/** What the world itself throws at a process carries a code, as the errors of sockets do. */
interface Coded {
  readonly code?: string;
}

/** A logger of the process that the trace calls `who`. */
export function simLogger(ground: LoggerGround, who: string): Logger {
  const { trace, scheduler } = ground;
  const judge = (fields: object, message: string): void => {
    const { err } = fields as { readonly err?: unknown };
    if (!(err instanceof Error) || err instanceof ChangeoverError || (err as Coded).code !== undefined) return;
    ground.violate("no-throw", `${who} logged "${message}": ${err.stack ?? err.message}`);
  };
  const write = (level: string) => (fields: object, message: string) => {
    if (level !== "debug" && level !== "info") judge(fields, message);
    if (trace.listening)
      trace.aside(scheduler.nowMs, who, level, `${message} ${JSON.stringify(fields, withoutStacks)}`);
  };
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}

function withoutStacks(_key: string, value: unknown): unknown {
  return value instanceof Error ? value.message : value;
}
