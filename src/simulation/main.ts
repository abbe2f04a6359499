/**
 * Purpose: `npm run sim`: runs seeds over all cores, shrinks what fails, looks for the planted bugs, and says how it went.
 * Exit code 1 when an invariant was broken or a planted bug was not found, 2 when it was asked wrongly.
 */
import { closeSync, openSync, writeSync } from "node:fs";
import { SystemClock } from "../adapters/system-clock.ts";
import { ChangeoverError } from "../core/errors.ts";
import { readOptions, type SimOptions } from "./options.ts";
import { addRun, bugLines, failureLines, noTotals, summaryLines, type Totals } from "./report.ts";
import { faultsOf, runSeed, type RunResult } from "./run.ts";
import { shrink } from "./shrink.ts";
import { simulated } from "./subject.ts";
import { ALL_BUGS } from "./planted-bugs/all.ts";
import type { Task } from "./tasks.ts";
import { shareOut } from "./worker-pool.ts";

const MS_PER_MINUTE = 60_000;
/** Failing seeds that are cut down and shown in full. */
const MOST_SHOWN = 3;
const PROGRESS_EVERY = 500;

const clock = new SystemClock();

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  const totals = noTotals();
  const startedMs = clock.monoMs();
  if (options.faults !== null || options.trace !== null) await runHere(options, totals);
  else await runSeeds(options, totals);
  for (const line of summaryLines(totals, clock.monoMs() - startedMs, options.workers)) console.log(line);
  for (const run of totals.failed.slice(0, MOST_SHOWN)) await showFailure(run, options);
  if (totals.failed.length > MOST_SHOWN) {
    console.log(`and ${totals.failed.slice(MOST_SHOWN).map(nameOf).join(", ")}`);
  }
  if (options.bugs) await findBugs(options, totals);
  return totals.failed.length > 0 || totals.bugs.some(({ invariant }) => invariant === null) ? 1 : 0;
}

async function runSeeds(options: SimOptions, totals: Totals): Promise<void> {
  const { policies, first, seeds, minutes } = options;
  const endMs = minutes === null ? Infinity : clock.monoMs() + minutes * MS_PER_MINUTE;
  const most = minutes === null ? seeds * policies.length : Infinity;
  let given = 0;
  const next = (): Task | null => {
    if (given >= most || clock.monoMs() >= endMs) return null;
    const policy = policies[given % policies.length] ?? "on-air";
    const seed = first + Math.floor(given / policies.length);
    given += 1;
    return { kind: "seed", seed, policy };
  };
  await shareOut(options.workers, next, (done) => {
    if (done.kind !== "seed") return;
    addRun(totals, done.result);
    if (totals.runs % PROGRESS_EVERY === 0) console.log(`${totals.runs} runs, ${totals.failed.length} violations`);
  });
}

/** A few runs in this thread: with a schedule in place of the seed's own, with the trace of the last one written. */
async function runHere(options: SimOptions, totals: Totals): Promise<void> {
  const { policies, first, seeds, trace, faults } = options;
  const file = trace === null ? null : openSync(trace, "w");
  for (let seed = first; seed < first + seeds; seed += 1) {
    for (const policy of policies) {
      if (file !== null) writeSync(file, `${JSON.stringify({ seed, policy, faults: faults ?? faultsOf(seed) })}\n`);
      const sink = file === null ? undefined : (line: object) => void writeSync(file, `${JSON.stringify(line)}\n`);
      const run = await runSeed(simulated, { seed, policy, faults: faults ?? undefined, sink });
      console.log(`seed ${seed}, ${policy}: trace ${run.traceHash}, ${run.violation?.invariant ?? "nothing"} broken`);
      addRun(totals, run);
    }
  }
  if (file !== null) closeSync(file);
}

async function showFailure(run: RunResult, options: SimOptions): Promise<void> {
  const { seed, policy, violation } = run;
  console.log(`${nameOf(run)}: ${violation?.detail ?? ""}`);
  const least = await shrink(options.faults ?? faultsOf(seed), async (faults) => {
    const again = await runSeed(simulated, { seed, policy, faults });
    return again.violation?.invariant === violation?.invariant;
  });
  for (const line of failureLines(run, least)) console.log(line);
}

async function findBugs(options: SimOptions, totals: Totals): Promise<void> {
  const names = ALL_BUGS.map(({ name }) => name);
  const next = (): Task | null => {
    const name = names.shift();
    return name === undefined ? null : { kind: "bug", name };
  };
  await shareOut(options.workers, next, (done) => {
    if (done.kind === "bug") totals.bugs.push(done.result);
  });
  for (const line of bugLines(totals.bugs)) console.log(line);
}

function nameOf({ seed, policy, violation }: RunResult): string {
  return `seed ${seed} ${policy} (${violation?.invariant ?? "?"})`;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof ChangeoverError || error instanceof TypeError ? error.message : error);
  process.exitCode = 2;
}
