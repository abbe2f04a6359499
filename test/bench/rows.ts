/** What every benchmark returns: one row a measured thing, beside the yardstick measured in the same run. */

export type Unit = "µs" | "ms" | "s" | "1/s" | "%" | "×" | "MiB" | "times";

export interface BenchRow {
  readonly name: string;
  readonly unit: Unit;
  /** Samples that the figures are of. */
  readonly n: number;
  readonly median: number;
  /** What 95 of 100 samples are not worse than. */
  readonly p95: number;
  readonly p99: number;
  /** The worst sample. */
  readonly worst: number;
  /** `null` where there is none to measure beside. */
  readonly yardstick: { readonly name: string; readonly median: number; readonly p99: number } | null;
  /** median ÷ median of the yardstick. */
  readonly ratio: number | null;
  readonly goal: string;
}

/** A row whose peer program or condition is missing here. */
export interface NotMeasured {
  readonly name: string;
  readonly missing: string;
  readonly goal: string;
}

export type BenchResult = BenchRow | NotMeasured;

/** What was measured, not yet summed up. */
export interface Measured {
  readonly name: string;
  readonly unit: Unit;
  readonly samples: readonly number[];
  readonly yardstick: { readonly name: string; readonly samples: readonly number[] } | null;
  readonly goal: string;
}

/** Of these a larger figure is the better one, so that p95 and p99 are what nearly all samples reach. */
const MORE_IS_BETTER: readonly Unit[] = ["1/s", "×"];

/** Sums up. Throws when there is no sample: a row of nothing would look like a result. */
export function benchRow({ name, unit, samples, yardstick, goal }: Measured): BenchRow {
  const sorted = bestFirst(samples, unit);
  const median = quantile(sorted, 0.5);
  const beside = yardstick && summed(yardstick.name, bestFirst(yardstick.samples, unit));
  return {
    name,
    unit,
    n: samples.length,
    median,
    p95: quantile(sorted, 0.95),
    p99: quantile(sorted, 0.99),
    worst: quantile(sorted, 1),
    yardstick: beside,
    ratio: beside && median / beside.median,
    goal,
  };
}

function summed(name: string, sorted: readonly number[]): NonNullable<BenchRow["yardstick"]> {
  return { name, median: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) };
}

/** The best sample that the share `q` of all are not worse than (nearest rank). `sorted` has the best first. */
export function quantile(sorted: readonly number[], q: number): number {
  const value = sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)];
  if (value === undefined) throw new Error("no samples were taken");
  return value;
}

function bestFirst(samples: readonly number[], unit: Unit): number[] {
  const sorted = [...samples].sort((a, b) => a - b);
  return MORE_IS_BETTER.includes(unit) ? sorted.reverse() : sorted;
}
