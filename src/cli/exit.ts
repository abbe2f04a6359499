/**
 * How a command ends: its exit code, and one plain line that says what, where and how to repair it.
 * No stack trace reaches a user, and no error ends with code 0.
 */
import { ChangeoverError } from "../core/errors.ts";
import { plain } from "./output.ts";

/** The exit codes that scripts may rely on. */
export const EXIT = { done: 0, failed: 1, wrongUse: 2, unreachable: 3 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends a command with a code and a line for the user. */
export class CliError extends Error {
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "CliError";
    this.exitCode = exitCode;
  }
}

/** Tells the user and returns the exit code. */
export function report(error: unknown, write: (text: string) => void): ExitCode {
  write(`changeover: ${plain(oneLine(messageOf(error)))}\n`);
  if (error instanceof CliError) return error.exitCode;
  if (error instanceof ChangeoverError && error.code === "unsupported_runtime") return EXIT.wrongUse;
  return EXIT.failed;
}

/** What an error says, its cause included where that says more. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? error.cause.message : "";
  return cause === "" || error.message.includes(cause) ? error.message : `${error.message}: ${cause}`;
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, " ").trim();
}
