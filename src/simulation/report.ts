/** Purpose: what a simulation says at its end, in plain lines, and how a failing seed can be had again. */
import { FAULT_KINDS, type Fault, type FaultKind } from "./faults/catalogue.ts";
import { sweepHash } from "./ground/trace.ts";
import type { RunResult } from "./run.ts";
import type { BugResult } from "./tasks.ts";

const MS_PER_HOUR = 3_600_000;

/** Sums over runs. */
export interface Totals {
  runs: number;
  /** Over the traces of all runs, in their order: two sweeps with equal hashes took the same steps. */
  traceHash: string;
  virtualMs: number;
  steps: number;
  submitted: number;
  acknowledgedPair: number;
  acknowledgedLocal: number;
  recordsWritten: number;
  conflictsResolved: number;
  readonly faults: Map<FaultKind, number>;
  readonly failed: RunResult[];
  readonly bugs: BugResult[];
  /** What the runs came to, where it is counted. */
  readonly reached: Set<string>;
  /** What was never reached, without a reason. */
  readonly holes: string[];
  aimedAndBroken: number;
}

export function noTotals(): Totals {
  return {
    traceHash: "",
    ...{ runs: 0, virtualMs: 0, steps: 0, submitted: 0, acknowledgedPair: 0, acknowledgedLocal: 0 },
    ...{ recordsWritten: 0, conflictsResolved: 0 },
    faults: new Map(),
    failed: [],
    bugs: [],
    reached: new Set(),
    holes: [],
    aimedAndBroken: 0,
  };
}

/** Adds a run. */
export function addRun(totals: Totals, run: RunResult): void {
  totals.runs += 1;
  totals.traceHash = sweepHash(totals.traceHash, run.traceHash);
  totals.virtualMs += run.virtualMs;
  totals.steps += run.steps;
  totals.submitted += run.tally.submitted;
  totals.acknowledgedPair += run.tally.acknowledgedPair;
  totals.acknowledgedLocal += run.tally.acknowledgedLocal;
  totals.recordsWritten += run.records.written;
  totals.conflictsResolved += run.records.resolved;
  for (const [kind, count] of run.faults) totals.faults.set(kind, (totals.faults.get(kind) ?? 0) + count);
  if (run.violation !== null) totals.failed.push(run);
}

/** The summary. `tookMs` is real time over `workers` cores. */
export function summaryLines(totals: Totals, tookMs: number, workers: number): string[] {
  const seconds = tookMs / 1_000;
  const faults = FAULT_KINDS.map((kind) => `${kind} ${totals.faults.get(kind) ?? 0}`).join(", ");
  const faultCount = [...totals.faults.values()].reduce((sum, count) => sum + count, 0);
  const speed = totals.virtualMs / Math.max(tookMs, 1);
  return [
    `runs            ${totals.runs} (${(totals.runs / seconds).toFixed(1)} seeds per second, ${workers} worker(s))`,
    `virtual time    ${(totals.virtualMs / MS_PER_HOUR).toFixed(2)} h, ${totals.steps} steps`,
    `speed           ${speed.toFixed(0)} × real time, ${(speed / workers).toFixed(0)} × per core`,
    `faults          ${faultCount}: ${faults}`,
    `commands        ${totals.submitted} sent, ${totals.acknowledgedPair} acknowledged pair, ${totals.acknowledgedLocal} local`,
    `records         ${totals.recordsWritten} written, ${totals.conflictsResolved} conflicts resolved`,
    `trace hash      ${totals.traceHash}`,
    `violations      ${totals.failed.length}`,
  ];
}

/** One line per planted bug. */
export function bugLines(bugs: readonly BugResult[]): string[] {
  return bugs.map(({ name, rule, invariant, seed, seedsTried }) =>
    invariant === null
      ? `NOT FOUND       [${rule}] ${name} (${seedsTried} seeds)`
      : `found           [${rule}] ${name}: ${invariant} broken by seed ${seed}`,
  );
}

/** A failing run with the least faults that still make it fail. */
export function failureLines(run: RunResult, faults: readonly Fault[]): string[] {
  const { seed, policy, violation } = run;
  return [
    `${violation?.invariant ?? "?"} broken, seed ${seed}, policy ${policy}, at ${violation?.atMs.toFixed(3) ?? "?"} ms:`,
    `  ${violation?.detail ?? ""}`,
    `  least schedule (${faults.length}):`,
    ...faults.map(
      ({ kind, target, atMs, forMs, amount }) => `    ${kind} on ${target} at ${atMs} ms for ${forMs} ms (${amount})`,
    ),
    `  again: npm run sim -- --seeds 1 --first ${seed} --policy ${policy} --trace trace.jsonl`,
    `  look:  npm run changeover -- machines replay trace.jsonl`,
    `  least: npm run sim -- --seeds 1 --first ${seed} --policy ${policy} --faults '${JSON.stringify(faults)}'`,
  ];
}
