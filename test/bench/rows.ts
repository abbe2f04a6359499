/** What every benchmark returns: one row a measured thing, beside the yardstick measured in the same run. */

export interface BenchRow {
  readonly name: string;
  readonly unit: "µs" | "ms" | "s" | "1/s" | "%";
  /** Samples that the figures are of. */
  readonly n: number;
  readonly median: number;
  readonly p95: number;
  readonly p99: number;
  /** `null` where there is none to measure beside. */
  readonly yardstick: { readonly name: string; readonly median: number } | null;
  /** median ÷ median of the yardstick. */
  readonly ratio: number | null;
  readonly goal: string;
}

/** What was measured, not yet summed up. */
export interface Measured {
  readonly name: string;
  readonly unit: BenchRow["unit"];
  readonly samples: readonly number[];
  readonly yardstick: { readonly name: string; readonly samples: readonly number[] } | null;
  readonly goal: string;
}

/** Sums up. Throws when there is no sample: a row of nothing would look like a result. */
export function benchRow({ name, unit, samples, yardstick, goal }: Measured): BenchRow {
  const sorted = ascending(samples);
  const median = quantile(sorted, 0.5);
  const beside = yardstick && { name: yardstick.name, median: quantile(ascending(yardstick.samples), 0.5) };
  return {
    name,
    unit,
    n: samples.length,
    median,
    p95: quantile(sorted, 0.95),
    p99: quantile(sorted, 0.99),
    yardstick: beside,
    ratio: beside && median / beside.median,
    goal,
  };
}

/** The smallest sample that at least the share `q` of all do not exceed (nearest rank). `sorted` is ascending. */
export function quantile(sorted: readonly number[], q: number): number {
  const value = sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)];
  if (value === undefined) throw new Error("no samples were taken");
  return value;
}

function ascending(samples: readonly number[]): number[] {
  return [...samples].sort((a, b) => a - b);
}
