/** What `npm run campaign` accepts. A wrong argument is answered with its name, the value, the bound and an example. */
import type { EngineKind, Policy, WitnessKind } from "./schedule.ts";
import { flag, oneOf, parsed, text, whole, WrongUse } from "./tool.ts";
import { programWithout, REMOVALS, type Removal } from "./without.ts";

export interface CampaignOptions {
  readonly rounds: number;
  readonly firstSeed: number;
  readonly witnesses: readonly WitnessKind[];
  readonly policies: readonly Policy[];
  readonly engine: EngineKind;
  /** Begin no round after this many minutes; null: play them all. */
  readonly minutes: number | null;
  /** Folder of the report. */
  readonly out: string;
  /** Rounds that run at the same time, each in its own network namespaces. */
  readonly lanes: number;
  /** `main.ts` or `main.js` of the command line that is under test; null: this clone's. */
  readonly program: string | null;
  /** Keeps the folder of every round, not only of those that failed. */
  readonly keep: boolean;
}

export const USAGE = `usage: npm run campaign -- [--rounds 20] [--seed 1] [--witness redis|sqlite|both] [--policy on-air|consistency|both]
  [--engine embedded|http] [--minutes M] [--out FOLDER] [--lanes 1|2|3|4] [--program PATH/cli/main.ts] [--without ${Object.keys(REMOVALS).join("|")}] [--keep]`;

const MOST_ROUNDS = 100_000;
const MOST_LANES = 4;
const MOST_MINUTES = 24 * 60;
const MOST_SEED = 2 ** 32 - 1;

/** What was asked for; null: only for help. Throws `WrongUse`. */
export function readOptions(argv: readonly string[]): CampaignOptions | null {
  const given = parse(argv);
  if (given.help) return null;
  return {
    rounds: whole("rounds", given.rounds, [1, MOST_ROUNDS]),
    firstSeed: whole("seed", given.seed, [0, MOST_SEED]),
    witnesses: oneOrBoth("witness", given.witness, ["redis", "sqlite"] as const),
    policies: oneOrBoth("policy", given.policy, ["on-air", "consistency"] as const),
    engine: oneOf("engine", given.engine, ["embedded", "http"] as const),
    minutes: given.minutes === undefined ? null : whole("minutes", given.minutes, [1, MOST_MINUTES]),
    out: given.out,
    lanes: whole("lanes", given.lanes, [1, MOST_LANES]),
    program: programOf(given),
    keep: given.keep,
  };
}

function parse(argv: readonly string[]) {
  return parsed(argv, {
    rounds: text("20"),
    seed: text("1"),
    witness: text("redis"),
    policy: text("on-air"),
    engine: text("embedded"),
    minutes: { type: "string" },
    out: text("test-results/campaign"),
    lanes: text("1"),
    program: { type: "string" },
    without: { type: "string" },
    keep: flag,
    help: flag,
  });
}

function programOf({ program, without }: { readonly program?: string; readonly without?: string }): string | null {
  if (without === undefined) return program ?? null;
  if (!Object.hasOwn(REMOVALS, without))
    throw new WrongUse(`--without ${without}: must be ${Object.keys(REMOVALS).join(" or ")}`);
  if (program !== undefined) throw new WrongUse("--program and --without: give only one of them");
  return programWithout(without as Removal);
}

/** The word itself, or every one of them for "both". */
function oneOrBoth<Word extends string>(name: string, given: string, words: readonly Word[]): readonly Word[] {
  return given === "both" ? words : [oneOf(name, given, words, ", or both")];
}
