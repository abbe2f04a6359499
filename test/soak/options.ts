/** What `npm run soak` accepts. A wrong argument is answered with its name, the value, the bound and an example. */
import type { EngineKind, Policy, WitnessKind } from "../campaign/schedule.ts";
import { flag, oneOf, parsed, text, whole, WrongUse } from "../campaign/tool.ts";

export interface SoakOptions {
  readonly lastsMs: number;
  readonly seed: number;
  readonly witness: WitnessKind;
  readonly policy: Policy;
  readonly engine: EngineKind;
  /** Folder of the report. */
  readonly out: string;
  /** Keeps configuration, data and logs of the pair even where nothing was found. */
  readonly keep: boolean;
}

export const USAGE = `usage: npm run soak -- [--minutes 30 | --hours 24] [--seed 1] [--witness redis|sqlite] [--policy on-air|consistency]
  [--engine embedded|http] [--out FOLDER] [--keep]`;

const MINUTE_MS = 60_000;
const MOST_MINUTES = 7 * 24 * 60;
const MOST_HOURS = 7 * 24;
const MOST_SEED = 2 ** 32 - 1;

/** What was asked for; null: only for help. Throws `WrongUse`. */
export function readOptions(argv: readonly string[]): SoakOptions | null {
  const given = parse(argv);
  if (given.help) return null;
  return {
    lastsMs: lastsOf(given),
    seed: whole("seed", given.seed, [0, MOST_SEED], 17),
    witness: oneOf("witness", given.witness, ["redis", "sqlite"] as const),
    policy: oneOf("policy", given.policy, ["on-air", "consistency"] as const),
    engine: oneOf("engine", given.engine, ["embedded", "http"] as const),
    out: given.out,
    keep: given.keep,
  };
}

function parse(argv: readonly string[]) {
  return parsed(argv, {
    minutes: { type: "string" },
    hours: { type: "string" },
    seed: text("1"),
    witness: text("redis"),
    policy: text("on-air"),
    engine: text("embedded"),
    out: text("test-results/soak"),
    keep: flag,
    help: flag,
  });
}

function lastsOf({ minutes, hours }: { readonly minutes?: string; readonly hours?: string }): number {
  if (minutes !== undefined && hours !== undefined) throw new WrongUse("--minutes and --hours: give only one of them");
  if (hours !== undefined) return whole("hours", hours, [1, MOST_HOURS], 24) * 60 * MINUTE_MS;
  return whole("minutes", minutes ?? "30", [1, MOST_MINUTES], 30) * MINUTE_MS;
}
