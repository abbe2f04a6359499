/**
 * Purpose: log lines on standard error, where a service manager collects them.
 * Keeps true: a reader that stalls or goes away never holds up the engine: lines beyond the buffer are dropped.
 */
import { pino } from "pino";
import { PinoLogger } from "../adapters/pino-logger.ts";
import type { Config } from "../config/types.ts";

/** Bytes of log lines that may wait for a slow reader. */
const MAX_WAITING_BYTES = 4_194_304;

/** A logger, and what writes out its last lines. */
export interface ErrorLog {
  readonly logger: PinoLogger;
  flush(): void;
}

/** The log of one engine: pino's JSON lines on standard error, each with pair and label. */
export function standardErrorLog({ log, pair, label }: Pick<Config, "log" | "pair" | "label">): ErrorLog {
  const destination = pino.destination({ dest: 2, sync: false, maxLength: MAX_WAITING_BYTES });
  // Nobody collects the lines any more; the engine has better to do than to end over it.
  destination.on("error", () => undefined);
  const logger = new PinoLogger({ destination }, { level: log.level, fields: { pair, label } });
  return { logger, flush: () => destination.flushSync() };
}
