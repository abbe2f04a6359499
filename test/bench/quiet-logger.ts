/** A logger for an engine inside the benchmark: only what is wrong is said. */
import type { Logger } from "../../src/ports/basics.ts";

export const quietLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: (fields, message) => console.error(message, fields),
};
