/** How results are shown: a line on the screen, a table in the documentation, and the machine that they are of. */
import { execFileSync } from "node:child_process";
import { cpus, loadavg, release, totalmem } from "node:os";
import type { BenchResult, Unit } from "./rows.ts";

/** The machine and the programs, without which no figure means anything. */
export interface MachineFacts {
  readonly measuredOn: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  readonly commit: string;
  /** Processes that ran or waited on average in the minute before: others than the benchmark make times longer. */
  readonly loadBefore: number;
}

export function machineFacts(): MachineFacts {
  const all = cpus();
  return {
    measuredOn: new Date().toISOString().slice(0, 10),
    cpu: all[0]?.model ?? "unknown",
    cores: all.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    commit: commit(),
    loadBefore: Number((loadavg()[0] ?? 0).toFixed(1)),
  };
}

/** The machine in one sentence. */
export function factsLine(facts: MachineFacts, quick: boolean): string {
  const { measuredOn, cpu, cores, memoryGiB, kernel, node, commit, loadBefore } = facts;
  const machine = `${cores} cores of ${cpu}, ${memoryGiB} GiB, Linux ${kernel}, Node ${node}, commit ${commit}`;
  const run = quick ? "short run (`--quick`)" : "full run";
  return `Measured on ${measuredOn}: ${machine}; ${run}, load ${loadBefore} before it began.`;
}

/** One result on one line. */
export function resultLine(result: BenchResult): string {
  if ("missing" in result) return `${result.name}: not measured here (${result.missing}); goal ${result.goal}`;
  const { name, unit, median, p95, p99, worst, n, yardstick, ratio, goal } = result;
  const times = ratioText(ratio) === "" ? "beside" : `${ratioText(ratio)} ×`;
  const beside = yardstick === null ? "" : `${times} ${yardstick.name} (${figure(yardstick.median, unit)}), `;
  const figures = `median ${figure(median, unit)}, p95 ${figure(p95, unit)}, p99 ${figure(p99, unit)}`;
  return `${name}: ${beside}${figures}, worst ${figure(worst, unit)}, n ${n}; goal ${goal}`;
}

/** All results as a Markdown table. */
export function resultTable(results: readonly BenchResult[]): string {
  const rows = results.map((result) => {
    if ("missing" in result) return [result.name, `not measured: ${result.missing}`, "", "", "", "", "", result.goal];
    const { name, unit, median, p95, p99, n, yardstick, ratio, goal } = result;
    const beside = yardstick === null ? "" : `${yardstick.name}: ${figure(yardstick.median, unit)}`;
    return [name, beside, ratioText(ratio), ...[median, p95, p99].map((one) => figure(one, unit)), String(n), goal];
  });
  const head = ["what", "measured beside it (median)", "ratio", "median", "p95", "p99", "n", "goal"];
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function figure(value: number, unit: Unit): string {
  return `${Number(value.toPrecision(3)).toLocaleString("en-GB", { maximumFractionDigits: 3 })} ${unit}`;
}

function ratioText(ratio: number | null): string {
  return ratio === null || !Number.isFinite(ratio) ? "" : String(Number(ratio.toPrecision(3)));
}

function commit(): string {
  try {
    return execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8", stdio: "pipe" }).trim();
  } catch {
    return "unknown";
  }
}
