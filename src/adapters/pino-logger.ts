/**
 * Structured log lines by pino.
 * No field that by its name holds a secret is ever written, down to three levels deep.
 * It does not know secrets inside message texts, which are constant for that reason; where the lines go.
 */
import { pino } from "pino";
import type { LogFields, Logger } from "../ports/basics.ts";

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

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

/** Where finished lines go. One that waits for a slow reader holds up the engine. */
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

  constructor(components: { readonly destination: LogDestination }, init: PinoLoggerInit) {
    this.#pino = pino(
      {
        level: init.level,
        base: init.fields ?? null,
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
        serializers: { error: pino.stdSerializers.err },
        redact: { paths: secretPaths(), censor: "[secret]" },
      },
      components.destination,
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
}

/** pino knows no "at any depth": each name is given once for every depth. */
function secretPaths(): string[] {
  return SECRET_FIELDS.flatMap((name) => ["", "*", "*.*"].map((above) => `${above}["${name}"]`));
}
