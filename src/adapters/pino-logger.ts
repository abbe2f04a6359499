/**
 * Purpose: structured log lines by pino.
 * Keeps true: no field that by its name holds a secret is ever written, down to three levels deep; a reader of the log
 * that stalls never holds up the engine (lines beyond the buffer are dropped).
 * Does not know: secrets inside message texts; messages are constant for that reason.
 */
import { pino } from "pino";
import type { LogFields, Logger } from "../ports/logger.ts";

/** Field names that are never written, wherever they stand. */
const SECRET_FIELDS = [
  "token",
  "tokens",
  "peerToken",
  "secret",
  "controlPlaneSecret",
  "password",
  "authorization",
  "Authorization",
  "cookie",
  "x-control-plane-secret",
  "X-Control-Plane-Secret",
] as const;

/** Bytes of log lines that may wait for a slow reader. */
const MAX_WAITING_BYTES = 4_194_304;

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

/** Where finished lines go; `process.stdout` or a file stream will do. */
export interface LogDestination {
  write(line: string): void;
}

export interface PinoLoggerInit {
  readonly level: LogLevel;
  /** Stand in every line: the pair and the label, say. */
  readonly fields?: LogFields;
}

export class PinoLogger implements Logger {
  readonly #pino: pino.Logger;
  readonly #flush: () => void;

  /** Without a destination the lines go to standard output, written behind the back of the caller. */
  constructor(components: { readonly destination?: LogDestination }, init: PinoLoggerInit) {
    const stdout = components.destination === undefined ? standardOutput() : null;
    this.#flush = () => stdout?.flushSync();
    this.#pino = pino(
      {
        level: init.level,
        base: init.fields ?? null,
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
        serializers: { error: pino.stdSerializers.err },
        redact: { paths: secretPaths(), censor: "[secret]" },
      },
      components.destination ?? stdout ?? process.stdout,
    );
  }

  debug(fields: LogFields, message: string): void {
    this.#pino.debug(fields, message);
  }

  info(fields: LogFields, message: string): void {
    this.#pino.info(fields, message);
  }

  warn(fields: LogFields, message: string): void {
    this.#pino.warn(fields, message);
  }

  error(fields: LogFields, message: string): void {
    this.#pino.error(fields, message);
  }

  /** Writes out what still waits. Before the process ends. */
  close(): void {
    this.#flush();
  }
}

function standardOutput(): ReturnType<typeof pino.destination> {
  return pino.destination({ dest: 1, sync: false, maxLength: MAX_WAITING_BYTES });
}

/** pino knows no "at any depth": each name is given once for every depth. */
function secretPaths(): string[] {
  return SECRET_FIELDS.flatMap((name) => ["", "*", "*.*"].map((above) => `${above}["${name}"]`));
}
