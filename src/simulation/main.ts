/**
 * Purpose: `npm run sim`: runs seeds over all cores, shrinks what fails, looks for the planted bugs, and says how it went.
 * Exit code 1 when an invariant was broken or a planted bug was not found, 2 when it was asked wrongly.
 */
import { closeSync, openSync, writeSync } from "node:fs";
import { CommanderError } from "commander";
import { SystemClock } from "../adapters/basics.ts";
import { ChangeoverError } from "../core/errors.ts";
import { readOptions, type SimOptions } from "./options.ts";
import { addRun, bugLines, failureLines, noTotals, summaryLines, type Totals } from "./report.ts";
import { faultsOf, runSeed, type RunResult } from "./run.ts";
import { shrink } from "./shrink.ts";
import { simulated } from "./subject.ts";
import { coverageLines, readExplained } from "./coverage.ts";
import { type Aim, type AimPlan, type DryRun, holesOf, planAims, playAim, scenariosOf } from "./systematic.ts";
import { tryMutants } from "./mutation-run.ts";
import { keepResults } from "./proof-page.ts";
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
  if (options.mutants) return tryMutants(options, (line) => console.log(line));
  const totals = noTotals();
  const startedMs = clock.monoMs();
  if (options.faults !== null || options.trace !== null) await runHere(options, totals);
  else await runSeeds(options, totals);
  for (const line of summaryLines(totals, clock.monoMs() - startedMs, options.workers)) console.log(line);
  for (const run of totals.failed.slice(0, MOST_SHOWN)) await showFailure(run, options);
  if (totals.failed.length > MOST_SHOWN) {
    console.log(`and ${totals.failed.slice(MOST_SHOWN).map(nameOf).join(", ")}`);
  }
  // What ends at the first violation has one already.
  const isOver = options.firstViolation && totals.failed.length > 0;
  if (options.systematic && !isOver) await strikeEverywhere(options, totals);
  if (options.coverage) tellCoverage(totals);
  if (options.bugs) await findBugs(options, totals);
  const unproven = totals.holes.length > 0 || totals.bugs.some(({ invariant }) => invariant === null);
  return totals.failed.length + totals.aimedAndBroken > 0 || unproven ? 1 : 0;
}

async function runSeeds(options: SimOptions, totals: Totals): Promise<void> {
  const { policies, first, seeds, minutes } = options;
  const endMs = minutes === null ? Infinity : clock.monoMs() + minutes * MS_PER_MINUTE;
  const most = minutes === null ? seeds * policies.length : Infinity;
  let given = 0;
  const next = (): Task | null => {
    const ended = options.firstViolation && totals.failed.length > 0;
    if (ended || given >= most || clock.monoMs() >= endMs) return null;
    const policy = policies[given % policies.length] ?? "on-air";
    const seed = first + Math.floor(given / policies.length);
    given += 1;
    return { kind: "seed", seed, policy, cover: options.coverage };
  };
  await shareOut(options.workers, next, (done) => {
    if (done.kind !== "seed") return;
    addRun(totals, done.result);
    for (const key of done.reached) totals.reached.add(key);
    const { violation } = done.result;
    if (violation !== null) console.log(`${nameOf(done.result)}: ${violation.detail}`);
    if (totals.runs % PROGRESS_EVERY === 0) console.log(`${totals.runs} runs, ${totals.failed.length} violations`);
  });
}

/** A few runs in this thread: with a schedule in place of the seed's own, with the trace of the last one written. */
async function runHere(options: SimOptions, totals: Totals): Promise<void> {
  const { policies, first, seeds, trace, faults } = options;
  const file = trace === null ? null : openSync(trace, "w");
  const sink = file === null ? undefined : (line: object) => void writeSync(file, `${JSON.stringify(line)}\n`);
  for (let seed = first; seed < first + seeds; seed += 1) {
    for (const policy of policies) {
      sink?.({ seed, policy, faults: faults ?? faultsOf(seed) });
      const run = await runSeed(simulated, { seed, policy, faults: faults ?? undefined, sink });
      console.log(`seed ${seed}, ${policy}: trace ${run.traceHash}, ${run.violation?.invariant ?? "nothing"} broken`);
      addRun(totals, run);
    }
  }
  if (file !== null) closeSync(file);
}

function tellCoverage(totals: Totals): void {
  const { lines, holes } = coverageLines(totals.reached, readExplained());
  for (const line of lines) console.log(line);
  for (const hole of holes) tellHole(totals, hole);
}

function tellHole(totals: Totals, hole: string): void {
  totals.holes.push(hole);
  console.log(`HOLE            ${hole}: never reached, and machines/SPEC.md gives no reason`);
}

/** What to strike; with `--first-violation`, only until a scenario breaks an invariant by itself. */
async function planOf({ policies, scenario, workers, firstViolation }: SimOptions): Promise<AimPlan> {
  const left = [...scenariosOf(policies, scenario)];
  const runs: DryRun[] = [];
  const next = (): Task | null => {
    const one = firstViolation && runs.some(({ violation }) => violation !== null) ? undefined : left.shift();
    return one === undefined ? null : { kind: "scenario", scenario: one };
  };
  await shareOut(workers, next, (done) => void (done.kind === "scenario" && runs.push(done.result)));
  return planAims(runs);
}

/** Every fault at every moment. A moment that came in the dry run and not in the aimed one was changed by chance: a hole. */
async function strikeEverywhere(options: SimOptions, totals: Totals): Promise<void> {
  const { firstViolation, moments, scenario } = options;
  const plan = await planOf(options);
  const { aims: planned, reached: inPlan, broken } = plan;
  for (const key of inPlan) totals.reached.add(key);
  for (const what of broken) console.log(`broken without an aimed fault, ${what}`);
  totals.aimedAndBroken += broken.length;
  if (firstViolation && broken.length > 0) return;
  const asked = planned.filter(({ moment }) => moments.length === 0 || moments.some((text) => moment.includes(text)));
  const aims = asked.filter((_aim, index) => index % options.every === 0);
  console.log(
    `aimed faults    ${aims.length} of ${planned.length}, at ${new Set(planned.map(({ moment }) => moment)).size} moments`,
  );
  const startedMs = clock.monoMs();
  let given = 0;
  let struck = 0;
  let firstBroken: Aim | null = null;
  await shareOut(
    options.workers,
    () => {
      const aim = firstViolation && totals.aimedAndBroken > 0 ? undefined : aims[given];
      given += 1;
      return aim === undefined ? null : { kind: "aim", aim };
    },
    (done) => {
      if (done.kind !== "aim") return;
      const { aim, reached, run } = done.result;
      if (reached) struck += 1;
      else totals.holes.push(`${aim.moment} in "${aim.scenario}"`);
      if (run.violation === null) return;
      totals.aimedAndBroken += 1;
      firstBroken ??= aim;
      console.log(`${run.violation.invariant} broken at ${run.violation.atMs.toFixed(3)} ms, ${aimText(aim)}:`);
      console.log(`  ${run.violation.detail}`);
    },
  );
  if (options.trace !== null && firstBroken !== null) await traceAim(firstBroken, options.trace);
  const seconds = (clock.monoMs() - startedMs) / 1_000;
  console.log(`aimed faults    ${struck} struck, ${totals.aimedAndBroken} broke an invariant, ${seconds.toFixed(0)} s`);
  // What was left out says nothing about holes.
  if (firstViolation || moments.length > 0 || scenario !== "") return;
  const unreached = aims.length - struck;
  if (unreached > 0) console.log(`HOLE            ${unreached} moments did not come again`);
  for (const hole of holesOf(plan, readExplained())) tellHole(totals, hole);
}

/** Plays an aimed fault again, in this thread, and writes every step. */
async function traceAim(aim: Aim, path: string): Promise<void> {
  const file = openSync(path, "w");
  writeSync(file, `${JSON.stringify(aim)}\n`);
  await playAim(simulated, aim, (line) => void writeSync(file, `${JSON.stringify(line)}\n`));
  closeSync(file);
}

function aimText({ policy, scenario, moment, kind, at }: Aim): string {
  return `${policy}, "${scenario}", ${kind} on ${at} when ${moment}`;
}

async function showFailure(run: RunResult, options: SimOptions): Promise<void> {
  const { seed, policy, violation } = run;
  console.log(`${nameOf(run)}: ${violation?.detail ?? ""}`);
  if (options.firstViolation) return;
  const least = await shrink(options.faults ?? faultsOf(seed), async (faults) => {
    const again = await runSeed(simulated, { seed, policy, faults });
    return again.violation?.invariant === violation?.invariant;
  });
  for (const line of failureLines(run, least)) console.log(line);
}

async function findBugs(options: SimOptions, totals: Totals): Promise<void> {
  const names = ALL_BUGS.map(({ name }) => name).filter((name) => name.includes(options.only));
  const next = (): Task | null => {
    const name = names.shift();
    return name === undefined ? null : { kind: "bug", name };
  };
  await shareOut(options.workers, next, (done) => {
    if (done.kind === "bug") totals.bugs.push(done.result);
  });
  for (const line of bugLines(totals.bugs)) console.log(line);
  if (options.results === null) return;
  keepResults(options.results, (results) => {
    const known = [...totals.bugs, ...results.bugs];
    return { ...results, bugs: ALL_BUGS.flatMap(({ name }) => known.find((one) => one.name === name) ?? []) };
  });
}

function nameOf({ seed, policy, violation }: RunResult): string {
  return `seed ${seed} ${policy} (${violation?.invariant ?? "?"})`;
}

try {
  process.exitCode = await main();
} catch (error) {
  const known = error instanceof ChangeoverError || error instanceof CommanderError;
  const helped = error instanceof CommanderError && error.exitCode === 0;
  if (!helped)
    console.error(
      known ? `${error.message.replace(/^error: /, "")} (npm run sim -- --help shows what there is)` : error,
    );
  process.exitCode = helped ? 0 : 2;
}
