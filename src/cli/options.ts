/**
 * The options that commands share: where the engine is, who asks, and in what form the answer is wanted.
 * A secret comes from the environment or from a file, never from the command line, where every process of
 * the host could read it.
 */
import { type Command, InvalidArgumentError } from "commander";
import { addressOf, Client } from "./client.ts";
import { isSendable } from "../config/secrets.ts";
import { readSmallFile } from "../config/small-file.ts";
import { CliError, EXIT } from "./exit.ts";

/** What `reaching` adds. */
export interface ReachOptions {
  readonly url: string;
  readonly tokenFile?: string;
}

/** What `reading` adds. */
export interface ReadOptions extends ReachOptions {
  readonly json?: boolean;
}

const DEFAULT_URL = "http://127.0.0.1:7401";

/** Options of a command that speaks to an engine. */
export function reaching(command: Command): Command {
  return command
    .option("--url <url>", "address of the engine (or CHANGEOVER_URL)", process.env["CHANGEOVER_URL"] || DEFAULT_URL)
    .option("--token-file <file>", "file with the bearer token (or the token in CHANGEOVER_TOKEN)");
}

/** Options of a command that reads and shows. */
export function reading(command: Command): Command {
  return reaching(command).option("--json", "print JSON");
}

/** A client for the engine that the options name. */
export function clientFor(options: ReachOptions, timeoutMs?: number): Client {
  const token = secretFrom(options.tokenFile, "CHANGEOVER_TOKEN");
  const url = addressOf(options.url === process.env["CHANGEOVER_URL"] ? "CHANGEOVER_URL" : "--url", options.url);
  return new Client({ url, token, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
}

/** A secret from a file, else from the environment; null when there is none. */
export function secretFrom(file: string | undefined, variable: string): string | null {
  const value = file === undefined ? process.env[variable] || null : readSecretFile(file);
  if (value === "") throw new CliError(EXIT.wrongUse, `the file ${file}: is empty; it must hold the secret`);
  if (value === null || isSendable(value)) return value;
  const rule =
    "must be printable ASCII without spaces; a byte-order mark, a line break or an accented letter never matches";
  throw new CliError(EXIT.wrongUse, `${file === undefined ? variable : `the file ${file}`}: ${rule}`);
}

function readSecretFile(file: string): string {
  try {
    return readSmallFile(file)
      .toString()
      .replace(/\r?\n$/, "");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unreadable";
    throw new CliError(EXIT.wrongUse, `cannot read the file ${file} (${code})`);
  }
}

/** Reads a whole number of an option, within its bounds. */
export function wholeNumber(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= minimum && value <= maximum) return value;
    throw new InvalidArgumentError(`must be a whole number from ${minimum} to ${maximum}`);
  };
}

/** Reads the name of something that an engine is asked for. */
export function nameOf(text: string): string {
  if (text.trim() !== "") return text;
  throw new InvalidArgumentError("must not be empty");
}

/** Reads one or more names. */
export function namesOf(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), nameOf(text)];
}
