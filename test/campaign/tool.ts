/** What `npm run campaign` and `npm run soak` share as commands: reading their arguments, and how they end. */
import { parseArgs, type ParseArgsConfig } from "node:util";
import { stopObserving } from "../../src/cli/demo/observe.ts";

/** Something was asked wrongly. The message names the argument, the value and the bound. */
export class WrongUse extends Error {}

export const text = (fallback: string) => ({ type: "string", default: fallback }) as const;
export const flag = { type: "boolean", default: false } as const;

/** @throws WrongUse */
export function parsed<Options extends NonNullable<ParseArgsConfig["options"]>>(
  argv: readonly string[],
  options: Options,
) {
  try {
    return parseArgs({ args: [...argv], options }).values;
  } catch (error) {
    throw new WrongUse(error instanceof Error ? error.message : String(error));
  }
}

/** @throws WrongUse */
export function whole(name: string, given: string, [least, most]: readonly [number, number], example?: number): number {
  const value = Number(given);
  if (/^\d+$/.test(given) && value >= least && value <= most) return value;
  const hint = example === undefined ? "" : `, for example --${name} ${example}`;
  throw new WrongUse(`--${name} ${given}: must be a whole number from ${least} to ${most}${hint}`);
}

/** @throws WrongUse; `orElse`: what else the message says may be given */
export function oneOf<Word extends string>(name: string, given: string, words: readonly Word[], orElse = ""): Word {
  const found = words.find((word) => word === given);
  if (found === undefined) throw new WrongUse(`--${name} ${given}: must be ${words.join(" or ")}${orElse}`);
  return found;
}

/** What one command does. */
export interface Tool<Options> {
  readonly name: string;
  readonly usage: string;
  /** null: only for help. */
  readonly readOptions: (argv: readonly string[]) => Options | null;
  /** What this machine lacks. */
  readonly missing: (options: Options) => readonly string[];
  /** Whether all was well. */
  readonly run: (options: Options) => Promise<boolean>;
}

/** Runs a command. Exit code 0: all was well; 1: it was not; 2: asked wrongly, or the machine lacks something. */
export async function runTool<Options>(tool: Tool<Options>): Promise<void> {
  try {
    process.exitCode = await exitCodeOf(tool);
  } catch (error) {
    if (!(error instanceof WrongUse)) throw error;
    console.error(`${tool.name}: ${error.message}\n${tool.usage}`);
    process.exitCode = 2;
  }
  stopObserving();
}

async function exitCodeOf<Options>({ name, usage, readOptions, missing, run }: Tool<Options>): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options === null) {
    console.log(usage);
    return 0;
  }
  // Every child process has a listener that ends it with this one.
  process.setMaxListeners(0);
  const lacking = missing(options);
  for (const line of lacking) console.error(`${name}: ${line}`);
  if (lacking.length > 0) return 2;
  return (await run(options)) ? 0 : 1;
}
