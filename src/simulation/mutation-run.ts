/**
 * Tries every mistake of `mutants.ts` on a copy of the tree: first the simulator, to its first broken invariant, then the
 * tests that touch the file. A mistake whose old text does not stand exactly once in its file ends the run: the list is
 * out of date. Writes the table to `docs/proof.md`.
 */
import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ChangeoverError } from "../core/errors.ts";
import { MUTANTS, type Mutant } from "./mutants.ts";
import type { SimOptions } from "./options.ts";

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
const SIM_LIMIT_MS = 600_000;
const TESTS_LIMIT_MS = 300_000;
const OUTPUT_BYTES = 64 * 1024 * 1024;

interface Verdict {
  readonly mutant: Mutant;
  /** The broken invariant, `exit 2` or `no end`; null: none within the seeds. */
  readonly simulator: string | null;
  /** null: every test passed. */
  readonly tests: string | null;
}

/** Exit code 1 when a mistake survives everything. */
export async function tryMutants(options: SimOptions, tell: (line: string) => void): Promise<number> {
  const chosen = MUTANTS.filter(({ name, file }) => `${file} ${name}`.includes(options.only));
  for (const mutant of chosen) requireFits(mutant);
  const seeds = options.seeds === 0 ? SEEDS : Math.min(options.seeds, SEEDS);
  const verdicts: Verdict[] = [];
  for (const mutant of chosen) {
    const verdict = await tryOne(mutant, seeds, options.workers);
    verdicts.push(verdict);
    tell(`${verdict.simulator ?? "-"} | ${verdict.tests ?? "-"} | ${mutant.file}: ${mutant.name}`);
    writeFileSync(join(ROOT, "docs/proof.md"), tableOf(verdicts, seeds));
  }
  return verdicts.some(({ simulator, tests }) => simulator === null && tests === null) ? 1 : 0;
}

function requireFits({ file, name, from }: Mutant): void {
  const found = readFileSync(join(ROOT, file), "utf8").split(from).length - 1;
  if (found === 1) return;
  const message = `mutant "${name}": its old text stands ${found} times in ${file}, must stand once; bring mutants.ts up to date`;
  throw new ChangeoverError("invalid_value", message);
}

async function tryOne(mutant: Mutant, seeds: number, workers: number): Promise<Verdict> {
  const folder = mkdtempSync(join(tmpdir(), "mutant-"));
  try {
    for (const name of COPIED) {
      if (existsSync(join(ROOT, name))) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
    }
    symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
    const file = join(folder, mutant.file);
    writeFileSync(
      file,
      readFileSync(file, "utf8").replace(mutant.from, () => mutant.to),
    );
    const simulator = mutant.simulated ? await simulate(folder, seeds, workers) : null;
    return { mutant, simulator, tests: simulator === null ? await test(folder, file) : "not asked" };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function simulate(folder: string, seeds: number, workers: number): Promise<string | null> {
  const asked = ["--seeds", String(seeds), "--policy", "both", "--workers", String(workers), "--first-violation"];
  const { code, output } = await run(folder, [join(folder, "src/simulation/main.ts"), ...asked], SIM_LIMIT_MS);
  if (code === 0) return null;
  const [, seed, policy, invariant] = /^seed (\d+) (\S+) \(([^)]+)\):/mu.exec(output) ?? [];
  if (invariant !== undefined) return `${invariant}, seed ${seed}, ${policy}`;
  return code === null ? "no end" : `exit ${code}`;
}

async function test(folder: string, file: string): Promise<string | null> {
  const vitest = join(folder, "node_modules/vitest/vitest.mjs");
  const { code, output } = await run(folder, [vitest, "related", "--run", "--project", "local", file], TESTS_LIMIT_MS);
  if (code === 0) return null;
  return /FAIL\s+(?:\S+\s+)??(test\/\S+)/u.exec(output)?.[1] ?? "failed";
}

function run(cwd: string, args: readonly string[], limitMs: number): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve) => {
    const options = { cwd, timeout: limitMs, maxBuffer: OUTPUT_BYTES, env: { ...process.env, NO_COLOR: "1" } };
    execFile(process.execPath, [...args], options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : null;
      resolve({ code, output: stdout + stderr });
    });
  });
}

function tableOf(verdicts: readonly Verdict[], seeds: number): string {
  const simulated = verdicts.filter(({ mutant }) => mutant.simulated);
  const found = simulated.filter(({ simulator }) => simulator !== null);
  const survived = verdicts.filter(({ simulator, tests }) => simulator === null && tests === null);
  const rows = verdicts.map(
    ({ mutant, simulator, tests }) =>
      `| ${mutant.name} | \`${mutant.file}\` | ${simulator ?? (mutant.simulated ? "no" : "not simulated")} | ${tests ?? "no"} |`,
  );
  return [
    "# How much the proof is worth",
    "",
    `\`npm run sim -- --mutants --seeds ${seeds}\` makes one mistake at a time in a copy of the tree and asks who notices.`,
    "The tests that touch the file are asked only where the simulator noticed nothing.",
    "",
    `- Mistakes tried: ${verdicts.length} of ${MUTANTS.length} in the list.`,
    `- In simulated code: ${simulated.length}. Found by the simulator within ${seeds} seeds of both policies: ${found.length}.`,
    `- Survived everything: ${survived.length}.`,
    "",
    "| Mistake | File | Simulator | Tests |",
    "| --- | --- | --- | --- |",
    ...rows,
    "",
  ].join("\n");
}
