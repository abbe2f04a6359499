/**
 * What was found of the planted bugs and the mistakes of `mutants.ts`, kept as JSON, and as two tables in the page of the
 * same name: `docs/proof.json` and `docs/proof.md`. Only what lies between the marks of a table is written.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { BugResult } from "./tasks.ts";

/** `by`: an invariant, with the seed or the schedule that broke it, or a test's file. */
export interface FoundBy {
  readonly by: string;
  readonly seed: number | null;
  readonly policy: string | null;
  /** The scenario of `systematic.ts`, with its aimed fault. */
  readonly schedule?: string;
}

export interface MutantResult {
  readonly name: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly simulated: boolean;
  /** Its old text no longer stands in the file, so that nothing was tried. */
  readonly outOfDate: boolean;
  /** Seeds that the simulator tried at most, under each policy; 0: it was not asked. */
  readonly seeds: number;
  readonly simulator: FoundBy | null;
  readonly tests: FoundBy | null;
}

export interface Results {
  readonly mutants: readonly MutantResult[];
  readonly bugs: readonly BugResult[];
}

export function readResults(file: string): Results {
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Results) : { mutants: [], bugs: [] };
}

/** Changes what `file` holds, and the tables of the page beside it. */
export function keepResults(file: string, change: (results: Results) => Results): void {
  const results = change(readResults(file));
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
  const page = file.replace(/\.json$/u, ".md");
  if (page !== file && existsSync(page)) writeFileSync(page, filled(readFileSync(page, "utf8"), results));
}

function filled(page: string, { mutants, bugs }: Results): string {
  const withMutants = between(page, "mutants", [...countsOf(mutants), "", ...mutantRows(mutants)]);
  return between(withMutants, "planted bugs", bugRows(bugs));
}

function between(page: string, name: string, lines: readonly string[]): string {
  const [start, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
  const [from, to] = [page.indexOf(start), page.indexOf(end)];
  if (from < 0 || to < from) return page;
  return `${page.slice(0, from + start.length)}\n\n${lines.join("\n")}\n\n${page.slice(to)}`;
}

function countsOf(mutants: readonly MutantResult[]): readonly string[] {
  const simulated = mutants.filter((one) => one.simulated);
  const found = simulated.filter(({ simulator }) => simulator !== null);
  const byTests = mutants.filter(({ simulator, tests }) => simulator === null && tests !== null);
  const survived = mutants.filter(({ simulator, tests }) => simulator === null && tests === null);
  const share = simulated.length === 0 ? 0 : Math.floor((100 * found.length) / simulated.length);
  return [
    `- Mistakes tried: ${mutants.length}, of these ${simulated.length} in simulated code.`,
    `- Found by the simulator: ${found.length} of ${simulated.length} (${share} %).`,
    `- Found by a test alone: ${byTests.length}. Found by nobody: ${survived.length}.`,
  ];
}

function mutantRows(mutants: readonly MutantResult[]): readonly string[] {
  const sorted = [...mutants].sort((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1));
  return [
    "| Mistake | File | Found by | After |",
    "| --- | --- | --- | --- |",
    ...sorted.map(
      ({ name, file, seeds, simulator, tests }) => `| ${name} | \`${file}\` | ${cells(simulator ?? tests, seeds)} |`,
    ),
  ];
}

function keyOf({ file, name }: MutantResult): string {
  return `${file} ${name}`;
}

function cells(found: FoundBy | null, seeds: number): string {
  const asked = seeds === 0 ? "simulator not asked" : `not within ${seeds} seeds`;
  if (found === null) return `**nobody** | ${asked}`;
  const policy = found.policy === null ? "" : `, ${found.policy}`;
  if (found.schedule !== undefined) return `${found.by} | ${found.schedule}${policy}`;
  return found.seed === null ? `\`${found.by}\` | ${asked}` : `${found.by} | seed ${found.seed}${policy}`;
}

function bugRows(bugs: readonly BugResult[]): readonly string[] {
  return [
    "| Planted bug | Rule | Found by | After |",
    "| --- | --- | --- | --- |",
    ...bugs.map(({ name, rule, invariant, seed, seedsTried }) =>
      invariant === null
        ? `| ${name} | ${rule} | **nobody** | ${seedsTried} seeds |`
        : `| ${name} | ${rule} | ${invariant} | seed ${seed} |`,
    ),
  ];
}
