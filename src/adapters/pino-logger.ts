/**
 * Structured log lines by pino.
 * No field that by its name holds a secret is ever written, down to three levels deep.
 * It does not know secrets inside message texts, which are constant for that reason; where the lines go.
 */
import { pino } from "pino";
import type { LogFields, Logger, Clock, TimerHandle } from "../ports/basics.ts";

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

type Level = keyof Logger;
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
    this.#write("debug", fields, message);
  }

  info(fields: LogFields, message: string): void {
    this.#write("info", fields, message);
  }

  warn(fields: LogFields, message: string): void {
    this.#write("warn", fields, message);
  }

  error(fields: LogFields, message: string): void {
    this.#write("error", fields, message);
  }

  /** A thrown value may itself throw when it is written out, and no line of a log ends what it tells of. */
  #write(level: Level, fields: LogFields, message: string): void {
    try {
      this.#pino[level](fields, message);
    } catch {
      this.#pino[level]({ fields: "cannot be written" }, message);
    }
  }
}

/** pino knows no "at any depth": each name is given once for every depth. */
function secretPaths(): string[] {
  return SECRET_FIELDS.flatMap((name) => ["", "*", "*.*"].map((above) => `${above}["${name}"]`));
}

// A log that nothing floods. It stands before any other logger. No line comes twice within a second, and no message
// more than `MOST_OF_ONE_MESSAGE` times, whatever fails and however often. What was left out is counted: one line a
// second for each message says how many.

const WITHIN_MS = 1_000;
/** Lines of one message whose fields differ, such as a command number that rises. */
const MOST_OF_ONE_MESSAGE = 10;

interface Written {
  readonly message: string;
  readonly line: string;
  readonly atMs: number;
}

interface LeftOut {
  readonly level: Level;
  readonly times: number;
}

export class CalmLogger implements Logger {
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** What was written within the last second, oldest first. */
  readonly #recent: Written[] = [];
  /** By message. */
  readonly #leftOut = new Map<string, LeftOut>();
  #timer: TimerHandle | null = null;

  constructor({ clock, logger }: { readonly clock: Clock; readonly logger: Logger }) {
    this.#clock = clock;
    this.#logger = logger;
  }

  debug(fields: LogFields, message: string): void {
    this.#write("debug", fields, message);
  }

  info(fields: LogFields, message: string): void {
    this.#write("info", fields, message);
  }

  warn(fields: LogFields, message: string): void {
    this.#write("warn", fields, message);
  }

  error(fields: LogFields, message: string): void {
    this.#write("error", fields, message);
  }

  /** Says now what was left out so far; to be called last, as it also ends the timer. */
  flush(): void {
    if (this.#timer !== null) this.#clock.clearTimeout(this.#timer);
    this.#timer = null;
    const leftOut = [...this.#leftOut];
    this.#leftOut.clear();
    for (const [message, { level, times }] of leftOut) this.#logger[level]({ line: message, times }, "left out");
  }

  #write(level: Level, fields: LogFields, message: string): void {
    const nowMs = this.#clock.monoMs();
    while (this.#recent[0] !== undefined && nowMs - this.#recent[0].atMs >= WITHIN_MS) this.#recent.shift();
    const line = identityOf(fields, message);
    const alike = this.#recent.filter((written) => written.message === message);
    if (alike.length >= MOST_OF_ONE_MESSAGE || alike.some((written) => written.line === line)) {
      this.#leftOut.set(message, { level, times: (this.#leftOut.get(message)?.times ?? 0) + 1 });
      this.#timer ??= this.#clock.setTimeout(() => this.flush(), WITHIN_MS);
      return;
    }
    this.#recent.push({ message, line, atMs: nowMs });
    this.#logger[level](fields, message);
  }
}

/** Two lines are the same if this is. Of an alarm only its code counts, of an error only what it says. */
function identityOf({ alarm, ...fields }: LogFields, message: string): string {
  if (typeof alarm === "string") return `${message} ${alarm}`;
  try {
    return `${message} ${JSON.stringify(fields, (_name, value: unknown) => (value instanceof Error ? value.message : value))}`;
  } catch {
    return message;
  }
}
