/**
 * Tries every mistake of `mutants.ts`, each on a copy of the tree: first the simulator, to its first broken invariant, then
 * the tests. The simulator plays the scenarios of `systematic.ts` first, beginning with the one where the mistake should
 * be seen, and then the seeds. What was found is kept in a results file, so that a run that was stopped goes on where it was. A mistake whose
 * old text does not stand exactly once in its file is out of date, which counts as not found.
 */
import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { MUTANTS, type Mutant } from "./mutants.ts";
import type { SimOptions } from "./options.ts";
import { keepResults, readResults, type FoundBy, type MutantResult } from "./proof-page.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** What of the tree the simulator and the local tests need. */
const COPIED = [
  "src",
  "machines",
  "test",
  "config",
  "docs",
  "examples",
  "package.json",
  "tsconfig.json",
  "vitest.config.ts",
];
const SEEDS = 300;
/** No moment is called so: the scenarios are played without an aimed fault. */
const NO_MOMENT = "none";
const SIM_LIMIT_MS = 1_800_000;
const TESTS_LIMIT_MS = 1_800_000;
const OUTPUT_BYTES = 64 * 1024 * 1024;

/** Exit code 1 when a mistake survives everything, or is out of date. */
export async function tryMutants(options: SimOptions, tell: (line: string) => void): Promise<number> {
  const chosen = MUTANTS.filter(({ name, file }) => `${file} ${name}`.includes(options.only));
  const seeds = options.seeds === 0 ? SEEDS : Math.min(options.seeds, SEEDS);
  let unproven = 0;
  for (const mutant of chosen) {
    const known = options.results === null ? undefined : readResults(options.results).mutants.find(isOf(mutant));
    const result = known ?? (await tryOne(mutant, seeds, options.workers));
    tell(`${shown(result.simulator)} | ${shown(result.tests)} | ${mutant.file}: ${mutant.name}`);
    if (result.simulator === null && result.tests === null) unproven += 1;
    if (known !== undefined || options.results === null || result.outOfDate) continue;
    keepResults(options.results, (results) => ({
      ...results,
      mutants: [...results.mutants.filter(({ file, name }) => file !== mutant.file || name !== mutant.name), result],
    }));
  }
  tell(`${chosen.length} mistakes tried, ${unproven} found by nobody`);
  return unproven > 0 ? 1 : 0;
}

/** A result counts for as long as the mistake is the same. */
function isOf({ file, name, from, to }: Mutant): (result: MutantResult) => boolean {
  return (result) => result.file === file && result.name === name && result.from === from && result.to === to;
}

function shown(found: FoundBy | null): string {
  if (found === null) return "-";
  return found.seed === null ? `${found.by} ${found.schedule ?? ""}`.trim() : `${found.by}, seed ${found.seed}`;
}

async function tryOne(mutant: Mutant, seeds: number, workers: number): Promise<MutantResult> {
  const { name, file, from, to, simulated } = mutant;
  const outOfDate = readFileSync(join(ROOT, file), "utf8").split(from).length !== 2;
  const said = { name, file, from, to, simulated, outOfDate, seeds };
  if (outOfDate) return { ...said, simulator: null, tests: null };
  const folder = mkdtempSync(join(tmpdir(), "mutant-"));
  try {
    for (const part of COPIED) {
      if (existsSync(join(ROOT, part))) cpSync(join(ROOT, part), join(folder, part), { recursive: true });
    }
    symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
    const path = join(folder, file);
    writeFileSync(
      path,
      readFileSync(path, "utf8").replace(from, () => to),
    );
    const simulator = simulated ? await simulate(folder, mutant, seeds, workers) : null;
    return { ...said, simulator, tests: simulator === null ? await test(folder, mutant) : null };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function simulate(folder: string, { seenIn }: Mutant, seeds: number, workers: number): Promise<FoundBy | null> {
  const asked = ["--policy", "both", "--workers", String(workers), "--first-violation"];
  const sim = (...more: readonly string[]): Promise<Ended> =>
    run(folder, [join(folder, "src/simulation/main.ts"), ...asked, ...more], SIM_LIMIT_MS);
  const systematic = async (scenario: string, moments = NO_MOMENT): Promise<FoundBy | null> =>
    byScenario(await sim("--systematic", "--scenario", scenario, "--moments", moments));
  const expected = seenIn === undefined ? null : await systematic(seenIn.scenario, seenIn.moments);
  return expected ?? (await systematic("")) ?? bySeed(await sim("--seeds", String(seeds)));
}

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** What ends otherwise than with a broken invariant, or never, has found nothing: it names nothing to look at. */
function byScenario({ code, output }: Ended): FoundBy | null {
  const [, policy, scenario, own] = /^broken without an aimed fault, (\S+), "([^"]+)": ([^,]+),/mu.exec(output) ?? [];
  const [, aimed, rest] = /^(\S+) broken at \S+ ms, (.+):$/mu.exec(output) ?? [];
  const by = own ?? aimed;
  if (code !== 1 || by === undefined) return null;
  return { by, seed: null, policy: policy ?? null, schedule: own === undefined ? (rest ?? "") : `"${scenario ?? ""}"` };
}

function bySeed({ code, output }: Ended): FoundBy | null {
  const [, seed, policy, by] = /^seed (\d+) (\S+) \(([^)]+)\):/mu.exec(output) ?? [];
  return code === 1 && by !== undefined ? { by, seed: Number(seed), policy: policy ?? null } : null;
}

/** The test that is named for the mistake, or else those that touch the file. */
async function test(folder: string, { file, test: named }: Mutant): Promise<FoundBy | null> {
  const vitest = join(folder, "node_modules/vitest/vitest.mjs");
  const which = named === undefined ? ["related", "--run", join(folder, file)] : ["run", named];
  const asked = [vitest, ...which, "--project", "local", "--bail", "1"];
  const { code, output } = await run(folder, asked, TESTS_LIMIT_MS);
  const by = /FAIL\s+(?:\S+\s+)??(test\/\S+)/u.exec(output)?.[1];
  return code === 1 && by !== undefined ? { by, seed: null, policy: null } : null;
}

function run(cwd: string, args: readonly string[], limitMs: number): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { cwd, timeout: limitMs, maxBuffer: OUTPUT_BYTES, env: { ...process.env, NO_COLOR: "1" } };
    execFile(process.execPath, [...args], options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : null;
      resolve({ code, output: stdout + stderr });
    });
  });
}
