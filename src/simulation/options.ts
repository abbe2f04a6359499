/** Purpose: what `npm run sim` was asked for. Every fault names the option, the value and the bound. */
import { availableParallelism } from "node:os";
import { Command } from "commander";
import { ChangeoverError } from "../core/errors.ts";
import type { Policy } from "../core/settings.ts";
import { FAULT_KINDS, type Fault } from "./faults/catalogue.ts";

export interface SimOptions {
  readonly seeds: number;
  readonly first: number;
  readonly policies: readonly Policy[];
  /** Ends after so many minutes of real time, whatever `seeds` says; null: only `seeds` counts. */
  readonly minutes: number | null;
  readonly workers: number;
  readonly trace: string | null;
  readonly faults: readonly Fault[] | null;
  /** Whether the planted bugs are looked for too; a sweep of many seeds always does. */
  readonly bugs: boolean;
  /** Whether every moment is struck by every fault, after the seeds. */
  readonly systematic: boolean;
  /** Of the aimed faults every so many-th is played. */
  readonly every: number;
  /** Only scenarios whose name has this text are played. */
  readonly scenario: string;
  /** Only moments that have one of these texts are struck; empty: all. */
  readonly moments: readonly string[];
  /** Whether each mistake of `mutants.ts` is tried. */
  readonly mutants: boolean;
  /** Mistakes and planted bugs whose name has this in it; of a mistake also the file. */
  readonly only: string;
  /** Where what was found of mistakes and planted bugs is kept; null: nowhere. */
  readonly results: string | null;
  /** Ends at the first broken invariant, which is not cut down. */
  readonly firstViolation: boolean;
  /** Whether what the seeds reach is counted and told. */
  readonly coverage: boolean;
}

/** From so many seeds on, a call is a proof, and a proof says that its invariants bite. */
const SWEEP = 1_000;

const MOST_WORKERS = 64;
const MOST_SEEDS = 100_000_000;

interface Given {
  readonly seeds?: string;
  readonly first: string;
  readonly policy: string;
  readonly minutes?: string;
  readonly workers: string;
  readonly trace?: string;
  readonly faults?: string;
  readonly bugs?: true;
  readonly systematic?: true;
  readonly every: string;
  readonly scenario: string;
  readonly moments?: string;
  readonly coverage?: true;
  readonly mutants?: true;
  readonly only: string;
  readonly results?: string;
  readonly firstViolation?: true;
}

function command(): Command {
  return new Command("npm run sim --")
    .description("Plays the pair, its sites and its spokes in a virtual world with faults, and checks every invariant.")
    .option("--seeds <n>", "schedules to play under each policy (default: 1000; with --systematic 0)")
    .option("--first <n>", "the first seed", "1")
    .option("--policy <policy>", "both, on-air or consistency", "both")
    .option("--minutes <n>", "end after so many minutes instead of after --seeds")
    .option("--workers <n>", "threads", String(availableParallelism()))
    .option(
      "--trace <file>",
      "write every step of one seed, for the page; with --systematic, of the first aimed fault that breaks an invariant",
    )
    .option("--faults <json>", "play this schedule instead of the seed's own")
    .option("--first-violation", "end at the first broken invariant, and do not shorten its schedule")
    .option("--coverage", "tell which states and rules were reached; a hole without a reason fails")
    .option("--systematic", "strike every moment with every fault that can occur there")
    .option("--every <n>", "with --systematic: play only every n-th of them", "1")
    .option("--scenario <text>", "with --systematic: only scenarios whose name has this text", "")
    .option("--moments <texts>", 'with --systematic: strike only moments with one of these texts, parted by "|"')
    .option("--bugs", "look for every planted bug; 1000 seeds and more do so anyway")
    .option("--mutants", "try every small mistake of mutants.ts")
    .option(
      "--only <text>",
      "with --mutants or --bugs: only those whose name has this text; of a mistake also its file",
      "",
    )
    .option("--results <file>", "keep what was found of bugs and mistakes in this file")
    .addHelpText(
      "after",
      "\nExit code 0: nothing broken. 1: an invariant broke, a bug was not found, or a hole has no reason. 2: wrong use.",
    )
    .allowExcessArguments(false)
    .configureOutput({ outputError: () => {} })
    .exitOverride();
}

/** Reads the command line. Throws `invalid_value`, and commander's `CommanderError` for unknown words and for help. */
export function readOptions(args: readonly string[]): SimOptions {
  const values = command()
    .parse([...args], { from: "user" })
    .opts<Given>();
  // Asked for aimed faults alone, it plays those alone.
  const seeds = whole("--seeds", values.seeds ?? (values.systematic ? "0" : "1000"), 0, MOST_SEEDS);
  return {
    seeds,
    first: whole("--first", values.first, 0, MOST_SEEDS),
    policies: policies(values.policy),
    minutes: values.minutes === undefined ? null : whole("--minutes", values.minutes, 1, 10_000),
    workers: whole("--workers", values.workers, 1, MOST_WORKERS),
    trace: values.trace ?? null,
    faults: values.faults === undefined ? null : schedule(values.faults),
    bugs: values.bugs === true || seeds >= SWEEP,
    systematic: values.systematic === true,
    every: whole("--every", values.every, 1, MOST_SEEDS),
    coverage: values.coverage === true,
    scenario: values.scenario,
    moments: values.moments?.split("|") ?? [],
    mutants: values.mutants === true,
    only: values.only,
    results: values.results ?? null,
    firstViolation: values.firstViolation === true,
  };
}

function whole(option: string, text: string, low: number, high: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= low && value <= high) return value;
  throw invalid(`${option} is ${text}, must be a whole number of ${low} to ${high}`);
}

function policies(text: string): readonly Policy[] {
  if (text === "both") return ["consistency", "on-air"];
  if (text === "on-air" || text === "consistency") return [text];
  throw invalid(`--policy is ${text}, must be both, on-air or consistency`);
}

function schedule(text: string): readonly Fault[] {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch (cause) {
    throw new ChangeoverError("invalid_value", "--faults is not JSON", { cause });
  }
  if (!Array.isArray(given) || !given.every(isFault)) {
    throw invalid(
      `--faults must be a list of {kind, atMs, forMs, target, amount}, kind one of ${FAULT_KINDS.join(" ")}`,
    );
  }
  return given;
}

function isFault(value: unknown): value is Fault {
  if (value === null || typeof value !== "object") return false;
  const { kind, atMs, forMs, target, amount } = value as Record<string, unknown>;
  const numbers = [atMs, forMs, amount].every((number) => typeof number === "number" && number >= 0);
  return numbers && (FAULT_KINDS as unknown[]).includes(kind) && (target === "a" || target === "b");
}

function invalid(message: string): ChangeoverError {
  return new ChangeoverError("invalid_value", message);
}
