/** Purpose: the `Logger` port of a simulated process: lines for whoever listens to the trace, nothing else. */
import type { Logger } from "../../ports/logger.ts";
import type { Scheduler } from "../ground/scheduler.ts";
import type { Trace } from "../ground/trace.ts";

/** A logger of the process that the trace calls `who`. */
export function simLogger(
  ground: { readonly trace: Trace; readonly scheduler: Pick<Scheduler, "nowMs"> },
  who: string,
): Logger {
  const silent = (): void => undefined;
  if (!ground.trace.listening) return { debug: silent, info: silent, warn: silent, error: silent };
  const write = (level: string) => (fields: object, message: string) =>
    ground.trace.aside(ground.scheduler.nowMs, who, level, `${message} ${JSON.stringify(fields, withoutStacks)}`);
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}

function withoutStacks(_key: string, value: unknown): unknown {
  return value instanceof Error ? value.message : value;
}
